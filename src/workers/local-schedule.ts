/**
 * Who keeps a worker's times, this process or QStash? Where QStash calls a worker already, keeping its times here too would run it
 * twice as often; where QStash cannot be asked, email must still flow.
 */
import type { Schedules } from '../data/schedules.ts';
import { WORKERS, type WorkerName } from '../domain/run.ts';
import { workersCalledBy } from '../domain/schedule-plan.ts';
import { MINUTE_MS } from '../domain/time.ts';
import type { Scheduler } from './scheduler.ts';
import type { Logger } from './worker.ts';

const LOOK_EVERY_MS = 5 * MINUTE_MS;

export interface LocalScheduleOptions {
  /** Null: QStash is not configured. */
  readonly schedules: Pick<Schedules, 'read'> | null;
  /** `--force-local`: all times are kept here, whatever QStash does. */
  readonly forceLocal: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly lookEveryMs?: number;
  /** Told after each look whose times are kept here. */
  onKept?(workers: readonly WorkerName[]): void;
}

/** Starts the scheduler for the workers that QStash does not call, and keeps to what QStash does until the signal. */
export async function keepLocalSchedule(scheduler: Scheduler, options: LocalScheduleOptions): Promise<void> {
  const { schedules, forceLocal, signal, lookEveryMs = LOOK_EVERY_MS } = options;
  if (schedules === null || forceLocal) {
    options.onKept?.(WORKERS);
    scheduler.start();
    return;
  }
  let said = '';
  const say = (line: string) => {
    if (line !== said) options.log.info(line);
    said = line;
  };
  while (!signal.aborted) {
    const local = await localWorkers(schedules, signal, say);
    // Switched off meanwhile, and the scheduler may have been stopped already.
    if (signal.aborted) return;
    scheduler.keep(local);
    scheduler.start();
    options.onKept?.(local);
    await rest(lookEveryMs, signal);
  }
}

async function localWorkers(
  schedules: Pick<Schedules, 'read'>,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<readonly WorkerName[]> {
  try {
    const called = workersCalledBy((await schedules.read(signal)).schedules);
    const local = WORKERS.filter((worker) => !called.has(worker));
    if (called.size === 0) say('[schedule] QStash calls none of the workers: all times are kept here.');
    else {
      const theirs = [...called].map(([worker, id]) => `${worker} (${id})`).join(', ');
      const ours = local.length === 0 ? 'nothing is left to do here' : `kept here: ${local.join(', ')}`;
      say(`[schedule] QStash calls ${theirs}; ${ours}. email-ops work --force-local runs all of them as well.`);
    }
    return local;
  } catch (error) {
    if (!signal.aborted) say(`[schedule] ${(error as Error).message} All times are kept here until it answers.`);
    return WORKERS;
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
