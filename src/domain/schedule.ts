/** QStash schedules, ours by their fixed ids (WIRE.md, Worker endpoints) and whatever else is there. */
import type { WorkerName } from './run.ts';

export interface ExpectedSchedule {
  readonly id: string;
  readonly worker: WorkerName;
  readonly path: string;
  readonly cron: string;
  readonly intervalMs: number;
}

export const EXPECTED_SCHEDULES: readonly ExpectedSchedule[] = [
  {
    id: 'email-queue-processor',
    worker: 'queue-processor',
    path: '/api/email/worker/queue-processor',
    cron: '*/2 * * * *',
    intervalMs: 120_000,
  },
  {
    id: 'email-health-monitor',
    worker: 'health-monitor',
    path: '/api/email/worker/health-monitor',
    cron: '*/5 * * * *',
    intervalMs: 300_000,
  },
  {
    id: 'email-quota-sync',
    worker: 'quota-sync',
    path: '/api/email/worker/quota-sync',
    cron: '0 * * * *',
    intervalMs: 3_600_000,
  },
];

export function expectedScheduleOf(worker: WorkerName): ExpectedSchedule {
  const found = EXPECTED_SCHEDULES.find((schedule) => schedule.worker === worker);
  if (found === undefined) throw new Error(`There is no schedule for ${worker}.`);
  return found;
}

/** The single schedule that can stand in for all three: it runs whatever is due. */
export const TICK_SCHEDULE = {
  id: 'email-tick',
  path: '/api/email/worker/tick',
  cron: '*/2 * * * *',
  intervalMs: 120_000,
} as const;

export type DeliveryState = 'in-progress' | 'success' | 'fail' | 'unknown';

export interface Schedule {
  readonly id: string;
  readonly cron: string;
  readonly destination: string;
  readonly isPaused: boolean;
  /** Absent where QStash does not tell. */
  readonly method?: string;
  readonly retries?: number;
  readonly lastRunAtEpochMs: number | null;
  readonly nextRunAtEpochMs: number | null;
  readonly lastState: DeliveryState;
}

export interface ScheduleOverview {
  readonly schedules: readonly Schedule[];
  /** Messages that QStash gave up delivering and keeps. */
  readonly deadLetters: number;
  /** True when there are more than one page of them; `deadLetters` is then a lower bound. */
  readonly deadLettersTruncated: boolean;
  readonly skipped: number;
}
