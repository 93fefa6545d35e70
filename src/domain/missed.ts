/** What did not happen: scheduled runs that were due and of which nobody has seen anything. */
import { cronIntervalMs } from './cron-interval.ts';
import type { RunRecord, WorkerName } from './run.ts';
import type { ScheduleOverview } from './schedule.ts';
import { workersFor } from './schedule-plan.ts';
import { MINUTE_MS, SECOND_MS } from './time.ts';

export interface MissedRun {
  readonly scheduleId: string;
  /** Those that it calls: the tick calls all. */
  readonly workers: readonly WorkerName[];
  /** The latest time at which it was due and not seen, epoch ms. */
  readonly dueAtEpochMs: number;
  /** Due times in a row that passed without a sign, as far back as is known. */
  readonly times: number;
}

/** Deliveries take their time, and a run leaves its record only at its end: so long after the due time nothing is missed. */
export const MISSED_GRACE_MS = 90 * SECOND_MS;
/** Clocks differ: a run that began so shortly before its due time is that run. */
const EARLY_MS = 15 * SECOND_MS;

/**
 * The schedules that call our workers, are not paused, and were due without being seen, neither as a run record nor as
 * something QStash delivered. `lastSignAtEpochMs` are other signs of life, such as a completed email for the processor.
 */
export function missedRuns(
  overview: ScheduleOverview,
  runs: readonly RunRecord[],
  nowEpochMs: number,
  lastSignAtEpochMs: Partial<Record<WorkerName, number | null>> = {},
): readonly MissedRun[] {
  return overview.schedules.flatMap((schedule) => {
    const { id, cron, isPaused, lastRunAtEpochMs } = schedule;
    const workers = workersFor(schedule);
    const intervalMs = cronIntervalMs(cron);
    if (workers.length === 0 || isPaused || intervalMs === null) return [];
    const seenAt = Math.max(
      lastRunAtEpochMs ?? 0,
      ...workers.map((worker) => lastSignAtEpochMs[worker] ?? 0),
      ...runs.filter((run) => workers.some((worker) => worker === run.worker)).map((run) => run.startedAtEpochMs),
    );
    const dueAtEpochMs = Math.floor((nowEpochMs - MISSED_GRACE_MS) / intervalMs) * intervalMs;
    if (seenAt === 0 || seenAt >= dueAtEpochMs - EARLY_MS) return [];
    const times = Math.max(1, Math.floor((dueAtEpochMs - seenAt + EARLY_MS + MINUTE_MS / 2) / intervalMs));
    return [{ scheduleId: id, workers, dueAtEpochMs, times }];
  });
}
