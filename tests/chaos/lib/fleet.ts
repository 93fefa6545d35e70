/** The workers of one experiment: processes that are started again when they die, as systemd or QStash would see to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { WorkerSetting } from './worker-child.ts';

export interface Fleet {
  /** Names of the workers, `w1`, `w2`, … */
  readonly names: readonly string[];
  /** Hard kill: no handler runs. It is started again a moment later. */
  kill(name: string): void;
  /** Puts it to sleep and wakes it. */
  stopProcess(name: string): void;
  continueProcess(name: string): void;
  /** SIGTERM, and a new process in its place once it has drained. Not twice: a second one would be a hard kill. */
  drain(name: string): void;
  /** Has it drain, and starts its process anew with another setting. */
  change(name: string, setting: Partial<WorkerSetting>): void;
  /** Where a worker's endpoint listens; null while it does not. */
  endpoint(name: string): string | null;
  kills(): number;
  /** Its process, as leases name it; null while it has none. */
  pid(name: string): number | null;
  /** Warnings and failed runs, newest last, at most 200. */
  readonly log: readonly string[];
  /** Workers that ended by themselves: none should. */
  readonly crashes: readonly string[];
  /** Processes that the machine refused. */
  readonly unstartable: readonly string[];
  /** Emails whose send was not answered in time, as the living worker told it. */
  readonly unanswered: ReadonlySet<string>;
  /** Emails that a process has begun to send, as it told itself just before. */
  begunBy(pid: number): ReadonlySet<string>;
  /** Tells all to drain and waits; what does not end in time is killed. Answers how many ended cleanly. */
  end(withinMs: number): Promise<{ readonly drained: number; readonly killed: number }>;
}

const RESTART_AFTER_MS = 250;
/** Of all fleets. One that sleeps would not notice that we are gone. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
const LINES_KEPT = 200;

export function startFleet(settings: ReadonlyMap<string, WorkerSetting>): Fleet {
  const script = fileURLToPath(new URL('worker-child.ts', import.meta.url));
  const current = new Map(settings);
  const processes = new Map<string, ChildProcess>();
  const endpoints = new Map<string, string>();
  const timers = new Set<NodeJS.Timeout>();
  const log: string[] = [];
  const crashes: string[] = [];
  const unstartable: string[] = [];
  const unanswered = new Set<string>();
  const begun = new Map<number | undefined, Set<string>>();
  const killed = new WeakSet<ChildProcess>();
  let kills = 0;
  let isEnding = false;

  const start = (name: string) => {
    const argument = JSON.stringify(current.get(name));
    const child = spawn(process.execPath, [script, argument], { stdio: ['pipe', 'pipe', 'pipe'] });
    processes.set(name, child);
    running.add(child);
    child.once('exit', () => running.delete(child));
    const note = (line: string) => {
      log.push(`${name} ${line}`);
      if (log.length > LINES_KEPT) log.shift();
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = saidIn(line);
      if (said.listens !== undefined) endpoints.set(name, said.listens);
      if (said.unanswered !== undefined) unanswered.add(said.unanswered);
      if (said.poisoned === true) killed.add(child);
      if (said.sending !== undefined) {
        begun.set(child.pid, (begun.get(child.pid) ?? new Set()).add(said.sending));
        return;
      }
      note(said.log ?? said.message ?? line);
    });
    createInterface({ input: child.stderr }).on('line', (line) => note(`stderr: ${line}`));
    // Its output is read to the end by then, as it is not at 'exit'.
    child.once('close', (code, signal) => {
      if (child.pid === undefined) return;
      const isOurDoing = signal === 'SIGKILL' ? killed.has(child) : signal === 'SIGTERM' ? told.has(child) : code === 0;
      if (!isOurDoing) crashes.push(`${name} ended by itself (${signal ?? `exit code ${code}`})`);
    });
    const startAgain = () => {
      endpoints.delete(name);
      if (isEnding || processes.get(name) !== child) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        start(name);
      }, RESTART_AFTER_MS);
      timers.add(timer);
    };
    child.once('exit', startAgain);
    child.once('error', (error) => {
      if (child.pid !== undefined) return;
      unstartable.push(`${name} could not be started: ${error.message}`);
      startAgain();
    });
  };
  const told = new WeakSet<ChildProcess>();
  for (const name of current.keys()) start(name);
  const signal = (name: string, what: NodeJS.Signals) => processes.get(name)?.kill(what) ?? false;

  const drain = (name: string) => {
    const child = processes.get(name);
    if (child === undefined || told.has(child)) return;
    told.add(child);
    child.kill('SIGTERM');
  };

  return {
    names: [...current.keys()],
    kill: (name) => {
      const child = processes.get(name);
      if (child === undefined) return;
      kills += 1;
      killed.add(child);
      child.kill('SIGKILL');
    },
    stopProcess: (name) => void signal(name, 'SIGSTOP'),
    continueProcess: (name) => void signal(name, 'SIGCONT'),
    drain,
    change: (name, setting) => {
      const known = current.get(name);
      if (known === undefined) throw new Error(`There is no worker ${name}.`);
      current.set(name, { ...known, ...setting });
      drain(name);
    },
    endpoint: (name) => endpoints.get(name) ?? null,
    kills: () => kills,
    pid: (name) => processes.get(name)?.pid ?? null,
    log,
    crashes,
    unstartable,
    unanswered,
    begunBy: (pid) => begun.get(pid) ?? new Set(),
    end: async (withinMs) => {
      isEnding = true;
      for (const timer of timers) clearTimeout(timer);
      const ends = [...processes.values()].map((child) => {
        const isTold = told.has(child);
        told.add(child);
        return endOf(child, { withinMs, isTold, giveUp: () => killed.add(child) });
      });
      const ways = await Promise.all(ends);
      return {
        drained: ways.filter((way) => way === 'drained').length,
        killed: ways.filter((way) => way === 'killed').length,
      };
    },
  };
}

interface Said {
  readonly listens?: string;
  readonly log?: string;
  readonly message?: string;
  readonly unanswered?: string;
  readonly poisoned?: boolean;
  readonly sending?: string;
}

/** What a worker says is JSON; what it was killed at is not. */
function saidIn(line: string): Said {
  try {
    return JSON.parse(line) as Said;
  } catch {
    return { log: line };
  }
}

async function endOf(
  child: ChildProcess,
  { withinMs, isTold, giveUp }: { withinMs: number; isTold: boolean; giveUp: () => void },
): Promise<'gone' | 'drained' | 'killed'> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return 'gone';
  const closed = once(child, 'close');
  child.kill('SIGCONT');
  if (!isTold) child.kill('SIGTERM');
  let isTooSlow = false;
  const timer = setTimeout(() => {
    isTooSlow = true;
    giveUp();
    child.kill('SIGKILL');
  }, withinMs);
  await closed;
  clearTimeout(timer);
  return isTooSlow ? 'killed' : 'drained';
}
