/** The workers inside the dashboard: run once at a key, or kept on their schedules while switched on. */
import type { RedisConnection } from '../../data/redis.ts';
import type { WorkerName } from '../../domain/run.ts';
import { progressWords } from '../../domain/run-words.ts';
import type { Clock } from '../../domain/time.ts';
import type { LiveRun, WorkersState } from '../../ui/state.ts';
import type { Scheduler, WorkerState } from '../../workers/scheduler.ts';
import type { Logger, RunResult } from '../../workers/worker.ts';
import type { Systems } from '../connect.ts';
import { openWorkers } from '../workers.ts';
import type { Emit } from './open.ts';

export interface EmbeddedWorkers {
  state(): WorkersState;
  switchOn(): Promise<void>;
  /** Whose times are kept here, once it is known: QStash is asked first whom it calls. Null when they were switched off before. */
  kept(): Promise<readonly WorkerName[] | null>;
  /** Drains: what has not begun is given back, what is in flight is waited for. */
  switchOff(): Promise<void>;
  /** One run now; null when this worker runs already. */
  runNow(name: WorkerName, onProgress: (text: string, share?: number) => void): Promise<RunResult | null>;
  /** What they sent so far, as Upstash bills it. */
  redisCommands(): number;
  close(onWaiting: (text: string) => void): Promise<void>;
}

/** Sends in flight time out before. */
const DRAIN_MS = 60_000;

/** Null where what they need is not configured. Nothing is loaded before the first run. */
export async function embedWorkers(
  systems: Systems,
  {
    log,
    emit,
    forceLocal,
  }: { log: Logger; emit: Emit /** They keep their times whatever QStash does. */; forceLocal: boolean },
): Promise<EmbeddedWorkers | null> {
  if (systems.redis === null || systems.supabase === null) return null;
  const { redis: target } = systems.config;
  if (target === null) return null;
  let opened: Promise<Scheduler> | null = null;
  // Their own, so that a budget for looking is not used up by working.
  let connection: RedisConnection | null = null;
  let schedule: AbortController | null = null;
  let firstKept = Promise.withResolvers<readonly WorkerName[] | null>();
  let state: WorkersState = 'off';
  const watchers = new Map<string, (worker: WorkerState) => void>();
  const become = (next: WorkersState) => {
    state = next;
    emit({ type: 'workers', workers: next });
  };
  const scheduler = () => {
    opened ??= open();
    return opened;
  };
  const open = async () => {
    const { connectRedis } = await import('../../data/redis.ts');
    connection = connectRedis(target);
    return openScheduler({ ...systems, redis: connection }, log, (states) => {
      for (const each of states) watchers.get(each.name)?.(each);
      emit({ type: 'live', live: liveRuns(states) });
    });
  };
  const switchOff = async () => {
    schedule?.abort();
    schedule = null;
    become('draining');
    await (await scheduler()).stop(AbortSignal.timeout(DRAIN_MS));
    become('off');
  };
  return {
    state: () => state,
    switchOn: async () => {
      const { keepLocalSchedule } = await import('../../workers/local-schedule.ts');
      schedule = new AbortController();
      const { signal } = schedule;
      firstKept = Promise.withResolvers();
      const { resolve } = firstKept;
      const kept = keepLocalSchedule(await scheduler(), {
        schedules: systems.schedules,
        forceLocal,
        log,
        signal,
        onKept: (workers) => {
          resolve(workers);
          become(workers.length === 0 ? 'standby' : 'on');
        },
      });
      kept.catch((error: unknown) => log.error(`[schedule] ${String(error)}`)).finally(() => resolve(null));
      become('on');
    },
    kept: () => firstKept.promise,
    switchOff,
    runNow: async (name, onProgress) => {
      const ready = await scheduler();
      watchers.set(name, ({ progress }) => {
        if (progress !== null) onProgress(progressWords(name, progress));
      });
      try {
        return await ready.runNow(name, 'console');
      } finally {
        watchers.delete(name);
      }
    },
    redisCommands: () => connection?.usage().commands ?? 0,
    close: async (onWaiting) => {
      if (opened === null) return;
      const busy = (await opened).states().filter(({ runningSinceEpochMs }) => runningSinceEpochMs !== null);
      if (busy.length > 0)
        onWaiting(`waiting for ${busy.map(({ name }) => name).join(' and ')} to finish; Ctrl-C leaves at once`);
      await switchOff();
      await connection?.close();
    },
  };
}

/** Lines into the log of the dashboard. */
export function createLogger(emit: Emit, clock: Clock): Logger {
  const to = (text: string) =>
    emit({ type: 'log', line: { atEpochMs: clock.nowEpochMs(), source: sourceOf(text), text } });
  return { info: to, warn: to, error: to };
}

/** By the prefix that each worker writes (WIRE.md). */
function sourceOf(text: string): WorkerName | 'console' {
  if (text.startsWith('[email-worker]')) return 'queue-processor';
  if (text.startsWith('[health-monitor]')) return 'health-monitor';
  return text.startsWith('[quota-sync]') ? 'quota-sync' : 'console';
}

async function openScheduler(
  systems: Systems,
  log: Logger,
  onChange: (states: readonly WorkerState[]) => void,
): Promise<Scheduler> {
  const workers = await openWorkers(systems, log);
  const { WORKER_TABLE } = await import('../../workers/registry.ts');
  const { createScheduler } = await import('../../workers/scheduler.ts');
  const scheduled = WORKER_TABLE.map(({ name, cron }) => ({ name, cron, worker: workers[name] }));
  return createScheduler(scheduled, log, { onChange });
}

function liveRuns(states: readonly WorkerState[]): readonly LiveRun[] {
  return states.flatMap(({ name, trigger, runningSinceEpochMs, progress }) =>
    runningSinceEpochMs === null
      ? []
      : [
          {
            worker: name,
            trigger: trigger ?? 'schedule',
            startedAtEpochMs: runningSinceEpochMs,
            text: progress === null ? '' : progressWords(name, progress),
          },
        ],
  );
}
