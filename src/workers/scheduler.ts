/**
 * The clockwork of embedded and headless mode: runs each worker at its cron times, never twice at once, and after the machine
 * slept once, however many times were missed. Stopping drains.
 *
 * Where another worker has the lock, it looks again when it is known whether that worker lives: of a dead one, emails are waiting.
 */
import { Cron } from 'croner';
import type { WorkerName } from '../domain/run.ts';
import { FOLLOW_UP, type LiveProgress, LOG_PREFIX, type Logger, type RunResult, type Worker } from './worker.ts';

export interface ScheduledWorker {
  readonly name: WorkerName;
  /** Five fields, UTC. */
  readonly cron: string;
  readonly worker: Worker;
}

export interface WorkerState {
  readonly name: WorkerName;
  /** Since when it runs; null while it rests. */
  readonly runningSinceEpochMs: number | null;
  /** Who asked for the run that is under way. */
  readonly trigger: string | null;
  readonly progress: LiveProgress | null;
  /** Null while the scheduler is stopped. */
  readonly nextRunAtEpochMs: number | null;
  readonly lastResult: RunResult | null;
}

export interface SchedulerEvents {
  /** Something in {@link Scheduler.states} changed. */
  onChange?(states: readonly WorkerState[]): void;
}

export interface SchedulerOptions extends SchedulerEvents {
  /** These run once as soon as their times are kept here: whoever kept them before may have died. */
  readonly runAtStart?: readonly WorkerName[];
}

/** So that what is to be over is over. */
const ASK_AGAIN_AFTER_MS = 100;

export interface Scheduler {
  /** Begins to keep the times. Idempotent; after `stop()` it begins anew. */
  start(): void;
  /**
   * Keeps no more times, lets running workers give back what they have not started, and waits until they are done.
   * Idempotent. `abandon` ends the wait early; the runs end by themselves.
   */
  stop(abandon?: AbortSignal): Promise<void>;
  /** One run now, or null when this worker runs already. Works while stopped too. */
  runNow(name: WorkerName, trigger: string): Promise<RunResult> | null;
  /** Keeps the times of these workers only; the others' belong to somebody else. */
  keep(names: readonly WorkerName[]): void;
  states(): readonly WorkerState[];
}

export function createScheduler(
  workers: readonly ScheduledWorker[],
  log: Logger,
  options: SchedulerOptions = {},
): Scheduler {
  const jobs = workers.map((scheduled) => createJob(scheduled, log, () => options.onChange?.(states())));
  const states = () => jobs.map((job) => job.state());
  let kept: readonly WorkerName[] = workers.map(({ name }) => name);
  let isStarted = false;
  const apply = () => {
    for (const job of jobs) {
      if (isStarted && kept.includes(job.name)) job.schedule(options.runAtStart?.includes(job.name) ?? false);
      else job.unschedule();
    }
  };
  return {
    start: () => {
      isStarted = true;
      apply();
    },
    stop: async (abandon) => {
      isStarted = false;
      apply();
      await orAbandoned(Promise.all(jobs.map((job) => job.drain())), abandon);
    },
    runNow: (name, trigger) => jobs.find((job) => job.name === name)?.run(trigger) ?? null,
    keep: (names) => {
      kept = names;
      apply();
    },
    states,
  };
}

function createJob({ name, cron, worker }: ScheduledWorker, log: Logger, onChange: () => void) {
  const prefix = LOG_PREFIX[name];
  let timer: Cron | null = null;
  let current: { since: number; trigger: string; stop: AbortController; done: Promise<RunResult> } | null = null;
  let progress: LiveProgress | null = null;
  let lastResult: RunResult | null = null;
  let followUp: NodeJS.Timeout | undefined;

  const onBusy = (askAgainInMs: number) => {
    clearTimeout(followUp);
    const nextAt = timer?.nextRun()?.getTime();
    if (nextAt === undefined || Date.now() + askAgainInMs > nextAt) return;
    followUp = setTimeout(() => run(FOLLOW_UP), askAgainInMs + ASK_AGAIN_AFTER_MS);
  };

  const run = (trigger: string): Promise<RunResult> | null => {
    if (current !== null) return null;
    const stop = new AbortController();
    const onProgress = (made: LiveProgress) => {
      progress = made;
      onChange();
    };
    const done = worker
      .run({ trigger, signal: stop.signal, onProgress, onBusy })
      .catch((error: unknown) => unexpected(error))
      .then((result) => {
        current = null;
        progress = null;
        lastResult = result;
        // Nobody asked for this run who could be told: a paused queue would look like a worker that does nothing.
        if (result.outcome === 'skipped' && trigger === 'schedule') log.info(`${prefix} Skipped: ${result.message}`);
        onChange();
        return result;
      });
    current = { since: Date.now(), trigger, stop, done };
    onChange();
    return done;
  };

  return {
    name,
    run,
    schedule: (isAtOnce: boolean) => {
      if (timer === null && isAtOnce) run('schedule');
      // `catch` never sees anything: `run` answers with a result. It is there so that no tick can end the process.
      timer ??= new Cron(cron, { timezone: 'UTC', catch: (error) => log.error(`${prefix} ${String(error)}`) }, () => {
        if (run('schedule') === null) log.info(`${prefix} The previous run still works: this one is left out.`);
      });
    },
    unschedule: () => {
      timer?.stop();
      timer = null;
      clearTimeout(followUp);
    },
    drain: async () => {
      current?.stop.abort();
      await current?.done;
    },
    state: (): WorkerState => ({
      name,
      runningSinceEpochMs: current?.since ?? null,
      trigger: current?.trigger ?? null,
      progress,
      nextRunAtEpochMs: timer?.nextRun()?.getTime() ?? null,
      lastResult,
    }),
  };
}

/** Workers answer with results; what they throw is a mistake of ours, and must not end the others. */
function unexpected(error: unknown): RunResult {
  const message = `Unexpected failure: ${error instanceof Error ? error.message : String(error)}`;
  return { outcome: 'failed', processed: 0, successful: 0, failed: 0, message, durationMs: 0 };
}

async function orAbandoned(work: Promise<unknown>, abandon: AbortSignal | undefined): Promise<void> {
  if (abandon === undefined) return void (await work);
  const { promise: abandoned, resolve } = Promise.withResolvers<void>();
  if (abandon.aborted) resolve();
  abandon.addEventListener('abort', () => resolve(), { once: true });
  await Promise.race([work, abandoned]);
}
