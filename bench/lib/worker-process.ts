/**
 * A worker that is measured, in a process of its own: it gets ready, waits for the word, drains, and says what that took of it.
 * `drainOnce` is the child's side, `startWorker` the side of who measures.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a worker is told. Each needs some of it. */
export interface WorkerSetting {
  readonly count: number;
  readonly concurrency: number;
  readonly postgresUrl: string;
  readonly restUrl: string;
  readonly restKey: string;
  readonly redisUrl: string;
  readonly mailUrl: string;
  /** Which of its ways to work; meant for this worker only. */
  readonly variant: string;
}

export interface Drained {
  readonly wallMs: number;
  /** Of the worker's process, user and system. */
  readonly cpuMs: number;
  readonly peakBytes: number;
  /** Requests that it made of Postgres through HTTP, where it knows. */
  readonly requests: number | null;
}

const compileCache = join(tmpdir(), 'email-ops-bench-compile-cache');

export interface WorkerProcess {
  readonly child: ChildProcess;
  /** Says the word and waits for the end. */
  drain(timeoutMs: number): Promise<Drained>;
  /** Says the word only. */
  begin(): void;
  /** Kill -9, and waits until it is gone. */
  kill(): Promise<void>;
}

/** What is measured is from the word until `drain` resolves; loading the packages and connecting to nothing in particular is not. */
export async function drainOnce(
  prepare: (setting: WorkerSetting) => Promise<{ drain(): Promise<void>; requests?(): number; close(): Promise<void> }>,
): Promise<void> {
  const setting = JSON.parse(process.argv[2] ?? '{}') as WorkerSetting;
  process.once('disconnect', () => process.exit(1));
  const worker = await prepare(setting);
  // Node loads `fetch` at its first use, which is nobody's merit or fault.
  await (await fetch(setting.mailUrl)).text();
  const told = once(process, 'message');
  process.send?.('ready');
  await told;
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  await worker.drain();
  const wallMs = performance.now() - startedAtMs;
  const cpu = process.cpuUsage(before);
  const cpuMs = (cpu.user + cpu.system) / 1_000;
  const peakBytes = process.resourceUsage().maxRSS * 1_024;
  process.send?.({ wallMs, cpuMs, peakBytes, requests: worker.requests?.() ?? null } satisfies Drained);
  await worker.close();
  process.disconnect();
}

/** Starts the script and waits until it is ready. `flags` are Node's, for example `--cpu-prof`. */
export async function startWorker(
  script: URL,
  setting: WorkerSetting,
  flags: readonly string[] = [],
): Promise<WorkerProcess> {
  const child = fork(script, [JSON.stringify(setting)], {
    execArgv: [...flags],
    // As the program itself has it, for everybody: a worker that runs every two minutes is not compiled anew each time.
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  await message(child, 30_000);
  return {
    child,
    begin: () => void child.send('go'),
    drain: async (timeoutMs) => {
      child.send('go');
      const drained = (await message(child, timeoutMs)) as Drained;
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 10_000).unref())]);
      child.kill('SIGKILL');
      return drained;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function message(child: ChildProcess, timeoutMs: number): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const onExit = (code: number | null) => reject(new Error(`A worker ended early, with ${code}.`));
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new Error(`A worker took longer than ${timeoutMs / 1_000} s.`));
  }, timeoutMs);
  child.once('message', resolve);
  child.once('exit', onExit);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.off('message', resolve);
    child.off('exit', onExit);
  }
}
