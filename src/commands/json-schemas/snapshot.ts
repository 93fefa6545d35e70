/** The schema of a snapshot: `status --json`, and each line of `watch --json`. */
import { z } from 'zod';
import {
  alert,
  count,
  milliseconds,
  part,
  percent,
  provider,
  quota,
  scheduleOverview,
  skipped,
  time,
} from './parts.ts';

const pause = { operator: z.string(), host: z.string(), startedAt: time, reason: z.string() };

const lock = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('free') }),
  z.strictObject({
    kind: z.literal('worker'),
    host: z.string(),
    pid: count,
    token: z.string(),
    expiresAt: time.nullable(),
  }),
  z.strictObject({ kind: z.literal('paused'), ...pause, expiresAt: time.nullable() }),
  z.strictObject({ kind: z.literal('unknown-holder'), value: z.string(), expiresAt: time.nullable() }),
]);

const health = z.strictObject({
  checkedAt: time,
  healthyProviders: count,
  totalProviders: count,
  bestProvider: z.string().nullable(),
  providers: z.array(
    z.strictObject({
      provider: z.string(),
      status: z.enum(['ok', 'degraded', 'error', 'unconfigured']),
      healthScore: z.number(),
      latencyMs: milliseconds.nullable(),
      message: z.string().nullable(),
      configured: z.boolean(),
    }),
  ),
  metrics: z.array(
    z.strictObject({
      provider: z.string(),
      healthScore: z.number(),
      successRatePercent: percent,
      averageLatencyMs: milliseconds,
      totalRequests: count,
      consecutiveFailures: count,
      circuitState: z.string(),
    }),
  ),
  alerts: z.array(z.string()).describe('as the email function words them'),
});

const point = z.strictObject({
  at: time,
  healthyProviders: z.number(),
  totalProviders: z.number(),
  dailyQuotaUsedPercent: z.number(),
  monthlyQuotaUsedPercent: z.number(),
  bestProvider: z.string().nullable(),
  queueDepth: z.number().nullable().describe('null, as the next four, where a legacy monitor wrote the point'),
  oldestQueuedSeconds: z.number().nullable(),
  sent: z.number().nullable(),
  failed: z.number().nullable(),
  p95Ms: z.number().nullable(),
});

const run = z.strictObject({
  id: z.string(),
  worker: z.string(),
  trigger: z.string().describe('`cli`, `schedule`, `qstash`, `vercel-cron`, `admin`, `console`'),
  host: z.string(),
  startedAt: time,
  durationMs: milliseconds,
  outcome: z.string().describe('`ok`, `failed`, `skipped`, `aborted`'),
  processed: count,
  successful: count,
  failed: count,
  error: z.string().nullable(),
});

const queue = z.strictObject({
  counts: z.strictObject({ queued: count, processing: count, failed: count, completed: count }),
  ready: count.describe('queued and due'),
  oldestReadyAt: time.nullable().describe('since when the first of those has been due'),
  waitingRetry: count.describe('tried before, and not yet due'),
  nextRetryAt: time.nullable(),
  expiredLeases: count.describe('held by a worker that is gone; they are claimed again'),
  oldestProcessingAt: time.nullable().optional().describe('since when the longest-held email has been in processing'),
  lastCompletedAt: time.nullable(),
  deadLetters: count,
  unreviewedDeadLetters: count,
  quotas: z.array(
    quota.extend({ countedAt: time.optional().describe('when the count last changed, where the database tells') }),
  ),
  deliveries24h: z.array(
    z.strictObject({ provider: z.string(), sent: count, failed: count, p95Ms: z.number().nullable() }),
  ),
  throughput: z
    .array(z.strictObject({ at: time, sent: count, failed: count, enqueued: count }))
    .describe('24 buckets of five minutes, ascending'),
  schemaVersion: count.nullable().describe('null: our migration is not applied'),
  databaseAt: time.nullable().describe('its clock'),
  skipped,
});

/** All but `version`. */
export const snapshot = {
  verdict: z.strictObject({
    level: z.enum(['ok', 'warning', 'critical', 'unreachable']),
    reasons: z
      .array(
        z.strictObject({
          level: z.enum(['ok', 'warning', 'critical', 'unreachable']),
          code: z.string().describe('stable, for programs; [runbook.md](runbook.md) has them'),
          text: z.string(),
          action: z.string().optional().describe('what to do about it'),
        }),
      )
      .describe('worst first'),
    exitCode: z.int().min(0).max(3).describe('what `status` exits with'),
  }),
  takenAt: time.describe('when the picture was whole'),
  environment: z.strictObject({ name: z.string(), isSandbox: z.boolean() }),
  lock: part(
    z.strictObject({
      lock: lock.describe('of several slots the first that a worker holds, else a pause'),
      otherSlotsHeld: count
        .optional()
        .describe('workers that hold a slot besides that one; only where `EMAIL_WORKER_SLOTS` is more than 1'),
      freeSlots: count.optional().describe('that nobody holds; likewise'),
      announcedPause: z
        .strictObject({ ...pause, expiresAt: time.nullable() })
        .nullable()
        .describe('a pause that waits for a worker to give way'),
    }),
    'who holds the queue',
  ),
  health: part(
    z.strictObject({
      report: health.nullable().describe('null: no check in the last five minutes'),
      lastError: z
        .strictObject({ message: z.string(), at: time.nullable() })
        .nullable()
        .describe('of the last check that failed'),
      skipped,
    }),
    'the last health check',
  ),
  alerts: part(
    z.strictObject({
      alerts: z.array(alert).describe('newest first, repetitions merged'),
      skipped,
    }),
    'the critical alerts',
  ),
  metrics: part(
    z.strictObject({ points: z.array(point).describe('ascending, at most 24 hours'), skipped }),
    'the time series',
  ),
  stats: part(
    z.strictObject({ processed: count, successful: count, failed: count, skipped: skipped.optional() }),
    'since midnight UTC',
  ),
  runs: part(z.strictObject({ runs: z.array(run).describe('newest first'), skipped }), 'the last runs of the workers'),
  queue: part(queue, 'the queue in Postgres, quotas and deliveries'),
  schedules: part(z.strictObject(scheduleOverview), 'what QStash calls'),
  cost: z
    .strictObject({
      redisCommands: count,
      redisRoundTrips: count,
      postgresRoundTrips: count,
      qstashRequests: count,
    })
    .describe('what looking has cost so far'),
};

/** Of one provider, beside a snapshot. */
export const providerState = z.strictObject({
  provider,
  standing: z.strictObject({
    circuitState: z.enum(['closed', 'open', 'half-open']),
    healthScore: percent,
    successRatePercent: percent,
    averageLatencyMs: milliseconds,
  }),
  record: z.strictObject({
    totalRequests: count,
    successfulRequests: count,
    consecutiveFailures: count,
    lastError: z.string().nullable(),
    nextProbeAt: time.nullable().describe('while its circuit is open'),
  }),
  quota,
  disabled: z.strictObject({ until: time, by: z.string(), reason: z.string() }).nullable().describe('may be over'),
  usedUpUntil: time.nullable().describe('the provider itself says that its quota is used up'),
  check: z
    .strictObject({
      status: z.enum(['ok', 'degraded', 'error']),
      message: z.string(),
      latencyMs: milliseconds,
      checkedAt: time,
      quota: z
        .strictObject({
          daily: z.strictObject({ sent: count, limit: count }).nullable(),
          monthly: z.strictObject({ sent: count, limit: count }).nullable(),
        })
        .nullable()
        .describe('what the provider itself says'),
    })
    .nullable(),
});
