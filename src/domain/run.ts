/** The three workers and the records they leave in `email:runs`. */

export const WORKERS = ['queue-processor', 'health-monitor', 'quota-sync'] as const;
export type WorkerName = (typeof WORKERS)[number];

export function isWorkerName(name: unknown): name is WorkerName {
  return WORKERS.includes(name as WorkerName);
}

export type RunOutcome = 'ok' | 'failed' | 'skipped' | 'aborted';

/** One element of `email:runs`. Its JSON field names are WIRE.md's. */
export interface RunRecord {
  readonly id: string;
  readonly worker: string;
  readonly trigger: string;
  readonly host: string;
  readonly startedAtEpochMs: number;
  readonly durationMs: number;
  readonly outcome: string;
  readonly processed: number;
  readonly successful: number;
  readonly failed: number;
  readonly error: string | null;
}

export interface RunFeed {
  /** Newest first. */
  readonly runs: readonly RunRecord[];
  readonly skipped: number;
}

/** `email:stats:daily`: since UTC midnight. All zero when the key is not there. */
export interface DailyStats {
  readonly processed: number;
  readonly successful: number;
  readonly failed: number;
  /** How many of the three were no counts and stand as zero; absent where all were. */
  readonly skipped?: number;
}
