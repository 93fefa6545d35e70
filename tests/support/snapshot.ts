/** Builders of snapshots: a healthy system at 2026-11-23 12:00 UTC, of which a test changes what it is about. */
import type { Fault, Loaded } from '../../src/domain/loaded.ts';
import { loaded } from '../../src/domain/loaded.ts';
import type { MetricPoint } from '../../src/domain/metric.ts';
import type { QueueOverview } from '../../src/domain/queue.ts';
import { completeQuotas, type ProviderQuota } from '../../src/domain/quota.ts';
import type { RunRecord } from '../../src/domain/run.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';

export const NOON = Date.parse('2026-11-23T12:00:00Z');

export function anOverview(changes: Partial<QueueOverview> = {}): QueueOverview {
  return {
    counts: { queued: 0, processing: 0, failed: 0, completed: 1_000 },
    ready: 0,
    oldestReadyAtEpochMs: null,
    waitingRetry: 0,
    nextRetryAtEpochMs: null,
    expiredLeases: 0,
    lastCompletedAtEpochMs: NOON - MINUTE_MS,
    deadLetters: 0,
    unreviewedDeadLetters: 0,
    quotas: completeQuotas([]),
    deliveries24h: [],
    throughput: aThroughput(0, 0),
    schemaVersion: 1,
    databaseAtEpochMs: NOON,
    skipped: 0,
    ...changes,
  };
}

/** The last two hours, the same in each bucket of five minutes, the newest of which began at noon. */
export function aThroughput(sent: number, enqueued: number, failed = 0): QueueOverview['throughput'] {
  return Array.from({ length: 24 }, (_, index) => ({
    atEpochMs: NOON - (23 - index) * 5 * MINUTE_MS,
    sent,
    failed,
    enqueued,
  }));
}

/** Quotas of all four providers of which `left` emails remain in sum, all of them with `resend`. */
export function quotasWithLeft(left: number): readonly ProviderQuota[] {
  return completeQuotas([]).map((quota) =>
    quota.provider === 'resend'
      ? { ...quota, day: { sent: 0, limit: left }, month: { sent: 0, limit: Math.max(left, 1) } }
      : { ...quota, day: { sent: quota.day.limit, limit: quota.day.limit } },
  );
}

export function aMetricPoint(changes: Partial<MetricPoint> = {}): MetricPoint {
  return {
    atEpochMs: NOON - MINUTE_MS,
    healthyProviders: 4,
    totalProviders: 4,
    dailyQuotaUsedPercent: 10,
    monthlyQuotaUsedPercent: 5,
    bestProvider: 'resend',
    queueDepth: 0,
    oldestQueuedSeconds: 0,
    sent: 10,
    failed: 0,
    p95Ms: 300,
    ...changes,
  };
}

export function aRun(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    id: 'run-1',
    worker: 'queue-processor',
    trigger: 'schedule',
    host: 'web-1',
    startedAtEpochMs: NOON - MINUTE_MS,
    durationMs: 4_000,
    outcome: 'ok',
    processed: 10,
    successful: 10,
    failed: 0,
    error: null,
    ...changes,
  };
}

export function aSnapshot(changes: Partial<Snapshot> = {}): Snapshot {
  const at = <T>(value: T): Loaded<T> => loaded(value, NOON);
  return {
    version: 1,
    takenAtEpochMs: NOON,
    environment: { name: 'local', isSandbox: false },
    lock: at({ lock: { kind: 'free' }, announcedPause: null }),
    health: at({ report: null, lastError: null, skipped: 0 }),
    alerts: at({ alerts: [], skipped: 0 }),
    metrics: at({ points: [aMetricPoint()], skipped: 0 }),
    stats: at({ processed: 0, successful: 0, failed: 0 }),
    runs: at({ runs: [aRun()], skipped: 0 }),
    queue: at(anOverview()),
    schedules: at({ schedules: [], deadLetters: 0, deadLettersTruncated: false, skipped: 0 }),
    cost: { redisCommands: 8, redisRoundTrips: 1, postgresRoundTrips: 1, qstashRequests: 2 },
    ...changes,
  };
}

/** A snapshot in which every part failed the same way. */
export function aBlindSnapshot(error: Fault): Snapshot {
  const part = { state: 'failed', error } as const;
  return aSnapshot({
    lock: part,
    health: part,
    alerts: part,
    metrics: part,
    stats: part,
    runs: part,
    queue: part,
    schedules: part,
  });
}
