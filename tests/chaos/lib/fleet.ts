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
  /** Tells all to drain and waits; what does not end in time is killed. Answers how many ended cleanly. */
  end(withinMs: number): Promise<{ readonly drained: number; readonly killed: number }>;
}

const RESTART_AFTER_MS = 250;
const LINES_KEPT = 200;

export function startFleet(settings: ReadonlyMap<string, WorkerSetting>): Fleet {
  const script = fileURLToPath(new URL('worker-child.ts', import.meta.url));
  const current = new Map(settings);
  const processes = new Map<string, ChildProcess>();
  const endpoints = new Map<string, string>();
  const timers = new Set<NodeJS.Timeout>();
  const log: string[] = [];
  let kills = 0;
  let isEnding = false;

  const start = (name: string) => {
    const argument = JSON.stringify(current.get(name));
    const child = spawn(process.execPath, [script, argument], { stdio: ['pipe', 'pipe', 'pipe'] });
    processes.set(name, child);
    const note = (line: string) => {
      log.push(`${name} ${line}`);
      if (log.length > LINES_KEPT) log.shift();
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { listens?: string; log?: string; message?: string };
      if (said.listens !== undefined) endpoints.set(name, said.listens);
      else note(said.log ?? said.message ?? line);
    });
    createInterface({ input: child.stderr }).on('line', (line) => note(`stderr: ${line}`));
    child.once('exit', () => {
      endpoints.delete(name);
      if (isEnding || processes.get(name) !== child) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        start(name);
      }, RESTART_AFTER_MS);
      timers.add(timer);
    });
  };
  for (const name of current.keys()) start(name);
  const signal = (name: string, what: NodeJS.Signals) => processes.get(name)?.kill(what) ?? false;

  const told = new WeakSet<ChildProcess>();
  const drain = (name: string) => {
    const child = processes.get(name);
    if (child === undefined || told.has(child)) return;
    told.add(child);
    child.kill('SIGTERM');
  };

  return {
    names: [...current.keys()],
    kill: (name) => {
      kills += 1;
      signal(name, 'SIGKILL');
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
    end: async (withinMs) => {
      isEnding = true;
      for (const timer of timers) clearTimeout(timer);
      const ends = [...processes.values()].map((child) => endOf(child, withinMs));
      const ways = await Promise.all(ends);
      return {
        drained: ways.filter((way) => way === 'drained').length,
        killed: ways.filter((way) => way === 'killed').length,
      };
    },
  };
}

async function endOf(child: ChildProcess, withinMs: number): Promise<'gone' | 'drained' | 'killed'> {
  if (child.exitCode !== null || child.signalCode !== null) return 'gone';
  const exited = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  let isTooSlow = false;
  const timer = setTimeout(() => {
    isTooSlow = true;
    child.kill('SIGKILL');
  }, withinMs);
  await exited;
  clearTimeout(timer);
  return isTooSlow ? 'killed' : 'drained';
}
