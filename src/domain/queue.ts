/** The queue as one value: what `email_ops_overview()` answers in one round trip. */
import type { ProviderQuota } from './quota.ts';

export interface QueueCounts {
  readonly queued: number;
  readonly processing: number;
  readonly failed: number;
  readonly completed: number;
}

/** Deliveries of the last 24 h by provider. */
export interface ProviderDeliveries {
  readonly provider: string;
  readonly sent: number;
  readonly failed: number;
  readonly p95Ms: number | null;
}

/** Sent and failed in the five minutes that begin at `atEpochMs`. */
export interface ThroughputBucket {
  readonly atEpochMs: number;
  readonly sent: number;
  readonly failed: number;
  readonly enqueued: number;
}

export interface QueueOverview {
  readonly counts: QueueCounts;
  /** Queued and due: `next_retry_at` null or past. */
  readonly ready: number;
  /** Since when the first of the ready ones has been due: when it was created, or when its retry fell due. */
  readonly oldestReadyAtEpochMs: number | null;
  /** Queued, tried before, and not yet due. */
  readonly waitingRetry: number;
  readonly nextRetryAtEpochMs: number | null;
  readonly expiredLeases: number;
  /** Since when the longest-held row is in `processing`; absent where nobody can tell. */
  readonly oldestProcessingAtEpochMs?: number | null;
  readonly lastCompletedAtEpochMs: number | null;
  readonly deadLetters: number;
  readonly unreviewedDeadLetters: number;
  readonly quotas: readonly ProviderQuota[];
  readonly deliveries24h: readonly ProviderDeliveries[];
  /** Ascending, the last two hours, every bucket present. */
  readonly throughput: readonly ThroughputBucket[];
  /** Version of our migration, or null where the plain tables had to be read one by one. */
  readonly schemaVersion: number | null;
  /** Database time when it answered; for the clock-skew check. */
  readonly databaseAtEpochMs: number | null;
  readonly skipped: number;
}
