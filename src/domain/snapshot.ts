/** The contract between data and everything that shows it (DESIGN §3): plain, frozen values, each part on its own. */
import type { AlertFeed } from './alert.ts';
import type { HealthCache } from './health.ts';
import type { Loaded } from './loaded.ts';
import type { LockState } from './lock.ts';
import type { MetricSeries } from './metric.ts';
import type { QueueOverview } from './queue.ts';
import type { DailyStats, RunFeed } from './run.ts';
import type { ScheduleOverview } from './schedule.ts';

export interface Environment {
  /** `EMAIL_OPS_ENV`, else `sandbox`, `local` (a loopback URL) or `production`. */
  readonly name: string;
  readonly isSandbox: boolean;
}

/** What looking at the system cost so far. */
export interface ReadCost {
  readonly redisCommands: number;
  readonly redisRoundTrips: number;
  readonly postgresRoundTrips: number;
  readonly qstashRequests: number;
}

export interface Snapshot {
  readonly version: 1;
  readonly takenAtEpochMs: number;
  readonly environment: Environment;
  readonly lock: Loaded<LockState>;
  readonly health: Loaded<HealthCache>;
  readonly alerts: Loaded<AlertFeed>;
  readonly metrics: Loaded<MetricSeries>;
  readonly stats: Loaded<DailyStats>;
  readonly runs: Loaded<RunFeed>;
  readonly queue: Loaded<QueueOverview>;
  readonly schedules: Loaded<ScheduleOverview>;
  readonly cost: ReadCost;
}
