/**
 * The console's side of the sandbox: joins the one that runs, or starts it as a child process of its own. Light on purpose:
 * nothing of the sandbox itself is imported here (DESIGN §2).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, openSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { extname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readHandle, type SandboxHandle, sandboxFolder } from './handle.ts';

export interface SandboxOptions {
  /** Throws all data of the sandbox away first. */
  readonly fresh?: boolean;
  readonly scenario?: ScenarioName;
  /** How many times faster than life mail arrives and schedules tick. 1 to 600. */
  readonly speed?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the waiting at once; a sandbox that was starting for it stops by itself. */
  readonly signal?: AbortSignal;
  /** For tests: another folder than the user's. */
  readonly folder?: string;
}

export const SCENARIOS = ['calm', 'incident', 'flood'] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

export interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
}

export interface JoinedSandbox {
  readonly url: string;
  readonly pid: number;
  readonly scenario: string;
  readonly speed: number;
  /** Environment variables that point any program at this sandbox. */
  readonly environment: Readonly<Record<string, string>>;
  readonly startedHere: boolean;
  /** Resolves when it is gone although nobody here let go of it. */
  readonly ended: Promise<void>;
  /** Lets go of it. A sandbox that nobody holds any more stops by itself within seconds. */
  leave(): Promise<void>;
}

/** The sandbox could not be started or joined; the message says why and what to do. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
}

const START_DEADLINE_MS = 90_000;
const PROBE_DEADLINE_MS = 2_000;
/** Longer than a first start takes; then whether the folder is free again is tried. */
const WAIT_FOR_ANOTHER_MS = 10_000;

/**
 * Joins the sandbox that runs in the user's state folder, or starts one and waits until it answers.
 * `fresh`, `scenario` and `speed` shape a start; asking for `fresh` while one runs is refused.
 * @throws SandboxError, and the signal's reason
 */
export async function joinOrStartSandbox(options: SandboxOptions = {}): Promise<JoinedSandbox> {
  const folder = options.folder ?? sandboxFolder(process.env);
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const running = await joinRunning(folder);
  if (running !== null) {
    if (options.fresh !== true) return running;
    await running.leave();
    throw new SandboxError(
      'A sandbox is running, so its data cannot be thrown away. Stop it first: email-ops sandbox stop',
    );
  }
  if (options.fresh === true) rmSync(folder, { recursive: true, force: true });
  const joined = await startAndJoin(folder, options, signal);
  if (!signal.aborted) return { ...joined, startedHere: true };
  await joined.leave();
  throw signal.reason;
}

/** Joins a running sandbox; null when none answers. */
export async function joinRunning(folder = sandboxFolder(process.env)): Promise<JoinedSandbox | null> {
  const handle = readHandle(folder);
  if (handle === null) return null;
  const attached = await attach(handle);
  if (attached === null) return null;
  const { url, pid, scenario, speed, environment } = handle;
  return { url, pid, scenario, speed, environment, startedHere: false, ...attached };
}

/** Asks a running sandbox to stop, and waits until its process is gone. False when none runs. */
export async function stopSandbox(folder = sandboxFolder(process.env)): Promise<boolean> {
  const joined = await joinRunning(folder);
  if (joined === null) return false;
  await joined.leave();
  process.kill(joined.pid, 'SIGTERM');
  const deadlineMs = Date.now() + 15_000;
  while (isAlive(joined.pid)) {
    if (Date.now() > deadlineMs) throw new SandboxError(`The sandbox (pid ${joined.pid}) does not stop.`);
    await delay(50);
  }
  return true;
}

// A connection that stays open for as long as this process wants the sandbox: it ends with us even on kill -9, and the
// sandbox counts these to know when nobody needs it any more.
function attach(handle: SandboxHandle): Promise<Pick<JoinedSandbox, 'ended' | 'leave'> | null> {
  return new Promise((resolve) => {
    const request = get(`${handle.url}/sandbox/attach`, {
      headers: { authorization: `Bearer ${handle.controlToken}` },
      agent: false,
    });
    const giveUp = setTimeout(() => request.destroy(), PROBE_DEADLINE_MS);
    request.on('response', (response) => {
      clearTimeout(giveUp);
      if (response.statusCode !== 200) {
        response.destroy();
        resolve(null);
        return;
      }
      let isLeft = false;
      const ended = new Promise<void>((end) => {
        response.on('close', () => {
          if (!isLeft) end();
        });
      });
      response.on('error', () => undefined); // the sandbox stopped: `close` follows
      response.resume();
      response.socket.unref();
      resolve({
        ended,
        leave: async () => {
          isLeft = true;
          response.destroy();
        },
      });
    });
    request.on('error', () => {
      clearTimeout(giveUp);
      resolve(null);
    });
  });
}

/** Somebody else may win the race to start it in this folder. Theirs is waited for, but they may also be told to stop. */
async function startAndJoin(folder: string, options: SandboxOptions, signal: AbortSignal): Promise<JoinedSandbox> {
  const deadlineMs = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const isOurs = await start(folder, options, signal);
    const joined = isOurs ? await joinRunning(folder) : await untilAnother(folder, signal);
    if (joined !== null) return joined;
    if (isOurs) throw new SandboxError(`The sandbox started but does not answer. ${seeLog(folder)}`);
    if (Date.now() > deadlineMs)
      throw new SandboxError(`Another process holds ${folder} but its sandbox does not answer. ${seeLog(folder)}`);
  }
}

/** False when another process has the folder already. */
async function start(folder: string, options: SandboxOptions, signal: AbortSignal): Promise<boolean> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = openSync(join(folder, 'sandbox.log'), 'a', 0o600);
  // The same file name in src/ (run by type stripping) and in dist/ (compiled).
  const main = new URL(`./main${extname(import.meta.url)}`, import.meta.url);
  const child = fork(
    main,
    [folder, options.scenario ?? '', String(options.speed ?? 1)],
    // Detached: Ctrl-C in the console's terminal is the console's affair; the sandbox ends when nobody is attached.
    // Our own flags (--eval, --inspect) are not for it.
    { detached: true, execArgv: ['--disable-warning=ExperimentalWarning'], stdio: ['ignore', log, log, 'ipc'] },
  );
  try {
    return await untilReady(child, folder, { onProgress: options.onProgress, signal });
  } finally {
    // Before it is ready, this tells it to stop.
    if (child.connected) child.disconnect();
    child.unref();
  }
}

/** True once it is ready, false when another process has the folder. Rejects as soon as the signal comes. */
async function untilReady(
  child: ChildProcess,
  folder: string,
  { onProgress, signal }: { onProgress: SandboxOptions['onProgress']; signal: AbortSignal },
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const deadline = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new SandboxError(`The sandbox did not start within ${START_DEADLINE_MS / 1000} s. ${seeLog(folder)}`));
  }, START_DEADLINE_MS);
  child.on('message', (message: MainMessage) => {
    if (message.kind === 'progress') onProgress?.(message.progress);
    else if (message.kind === 'failed')
      reject(new SandboxError(`The sandbox cannot start: ${message.reason} ${seeLog(folder)}`));
    else resolve(message.kind === 'ready');
  });
  child.on('error', (cause) => reject(new SandboxError('The sandbox process cannot be started.', { cause })));
  child.on('exit', (code, endedBy) => {
    if (code === IN_USE_EXIT_CODE) return resolve(false);
    reject(new SandboxError(`The sandbox ended while starting (${endedBy ?? `exit ${code}`}). ${seeLog(folder)}`));
  });
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await promise;
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', onAbort);
  }
}

/** What the sandbox process tells its starter. */
export type MainMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'ready' }
  | { readonly kind: 'in-use' }
  | { readonly kind: 'failed'; readonly reason: string };

export const IN_USE_EXIT_CODE = 75;

/** Null when theirs does not come up for a while. */
async function untilAnother(folder: string, signal: AbortSignal): Promise<JoinedSandbox | null> {
  const untilMs = Date.now() + WAIT_FOR_ANOTHER_MS;
  while (Date.now() < untilMs) {
    const joined = await joinRunning(folder);
    if (joined !== null) return joined;
    await delay(100, undefined, { signal });
  }
  return null;
}

function seeLog(folder: string): string {
  return `See ${join(folder, 'sandbox.log')}; 'email-ops sandbox --fresh' begins anew.`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
