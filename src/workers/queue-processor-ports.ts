/** What the queue processor needs of the world, and how it may be set. */
import type { EmailFunction } from '../data/email-function.ts';
import type { Overview } from '../data/overview.ts';
import type { ProviderGateway } from '../data/providers.ts';
import type { Queue } from '../data/queue.ts';
import type { QueueLock } from '../data/queue-lock.ts';
import type { RunRecorder } from '../data/run-recorder.ts';
import type { Provider } from '../domain/email.ts';
import type { Fault } from '../domain/loaded.ts';
import { safeReason } from '../domain/send-failure.ts';
import type { Clock } from '../domain/time.ts';
import type { Logger, RunResult } from './worker.ts';

export interface QueueProcessorPorts {
  readonly queue: Pick<Queue, 'claim' | 'heldBy' | 'renew' | 'finish' | 'release'>;
  readonly overview: Pick<Overview, 'read'>;
  readonly lock: Pick<QueueLock, 'acquire' | 'renew' | 'release'>;
  readonly mail: Pick<EmailFunction, 'send' | 'route'>;
  readonly providers: Pick<ProviderGateway, 'read'>;
  readonly recorder: RunRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface QueueProcessorOptions {
  /** Emails claimed at a time, 1–500. */
  readonly batchSize: number;
  /** Emails in flight at a time, 1–20. */
  readonly concurrency: number;
  /** After this no send is started. */
  readonly runBudgetMs: number;
  readonly lockTtlSeconds: number;
  /** How long a row stays ours without renewal, and so how long after a crash it waits. 25 s unless told. */
  readonly leaseSeconds?: number;
  /** The longest a send can take: no email is started whose lease is shorter. 15,000 ms unless told. */
  readonly sendTimeoutMs?: number;
  /** Sends a second that a provider takes, where that is not what is known of it (`RATE_PER_SECOND`). */
  readonly ratesPerSecond?: Partial<Record<Provider, number>>;
  /** How often it looks for an announced pause. 5,000 ms unless told. */
  readonly listenEveryMs?: number;
}

/** `[email-worker]` begins every line (WIRE.md). */
export const LOG_PREFIX = '[email-worker]';

/** A run without its duration, which is not over yet. */
export type UntimedResult = Omit<RunResult, 'durationMs'>;

export const NOTHING_DONE = { processed: 0, successful: 0, failed: 0 } as const;

/** What went wrong, in one line with its remedy. */
export function describe(error: unknown): string {
  const fault = (error as { fault?: Fault } | null)?.fault;
  if (fault === undefined) return safeReason(error instanceof Error ? error.message : String(error));
  return safeReason(fault.remedy === undefined ? fault.message : `${fault.message} ${fault.remedy}`);
}
