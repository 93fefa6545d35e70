/** What every worker is: one bounded run at a time, started by whoever has a reason, answered with a value. */
import type { RunOutcome, RunRecord, WorkerName } from '../domain/run.ts';

export interface Worker {
  /**
   * One run. Never throws for what can go wrong outside: that is a result with the outcome `failed`. When `signal` aborts,
   * what has not started is given back and what is in flight is waited for.
   */
  run(request: RunRequest): Promise<RunResult>;
}

/** Asks for a run because another worker may have died. Where that worker lives, nothing is left of having asked. */
export const FOLLOW_UP = 'follow-up';

export interface RunRequest {
  /** Who asked: `cli`, `schedule`, `follow-up`, `qstash`, `vercel-cron`, `admin`, `console`. Goes into the run record. */
  readonly trigger: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: LiveProgress) => void;
  /** Told when another worker has the lock: in how many ms it is known whether that worker lives. */
  readonly onBusy?: (askAgainInMs: number) => void;
}

export interface RunProgress {
  readonly processed: number;
  readonly successful: number;
  readonly failed: number;
}

/** While it runs, a queue processor tells as well what is still before it. */
export interface LiveProgress extends RunProgress {
  /** Emails that the run has claimed so far. */
  readonly claimed?: number;
  /** Of those, the ones being sent at the moment. */
  readonly inFlight?: number;
}

/** What HTTP answers, run records and the command line show. */
export interface RunResult extends RunProgress {
  readonly outcome: RunOutcome;
  /** One line for a person: no secret, no full address. */
  readonly message: string;
  readonly durationMs: number;
}

/** Where log lines go; each begins with its worker's prefix, as `[email-worker]` (WIRE.md). */
export interface Logger {
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}

/** How the log lines of each begin (WIRE.md). */
export const LOG_PREFIX: Readonly<Record<WorkerName, string>> = {
  'queue-processor': '[email-worker]',
  'health-monitor': '[health-monitor]',
  'quota-sync': '[quota-sync]',
};

/** The element of `email:runs` that a run leaves behind. */
export function recordOfRun(
  result: RunResult,
  about: Pick<RunRecord, 'id' | 'worker' | 'trigger' | 'host' | 'startedAtEpochMs'>,
): RunRecord {
  const { durationMs, outcome, processed, successful, failed, message } = result;
  return { ...about, durationMs, outcome, processed, successful, failed, error: outcome === 'failed' ? message : null };
}
