/**
 * Answers of the systems as arbitraries: of the right shape, with anything in them that JSON can carry and that somebody has
 * written or could write. What the gateways make of them is an odd snapshot.
 */
import type { Redis } from '@upstash/redis';
import fc from 'fast-check';
import { createAlerts } from '../../src/data/alerts.ts';
import { createHealthCache } from '../../src/data/health-cache.ts';
import { createLock } from '../../src/data/lock.ts';
import { createMetrics } from '../../src/data/metrics.ts';
import { parseOverview } from '../../src/data/overview.ts';
import { createRuns } from '../../src/data/runs.ts';
import { createStats } from '../../src/data/stats.ts';
import { PROVIDERS } from '../../src/domain/email.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { EXPECTED_SCHEDULES } from '../../src/domain/schedule.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { manualClock } from './clock.ts';
import { CORPUS } from './hostile-text.ts';
import { aSnapshot, NOON } from './snapshot.ts';

export const oddText = fc.oneof(fc.constantFrom(...CORPUS), fc.string({ unit: 'binary', maxLength: 60 }), fc.string());

/** Numbers at every edge, and texts of numbers. */
export const oddNumber = fc.oneof(
  fc.integer({ min: 0, max: 1_000 }),
  fc.constantFrom<number | string>(0, -0, -1, 0.5, 1e-300, 1e300, -1e300, 2 ** 53, 8.64e15, 8.64e15 + 1, '12', '-1.50'),
);

export const oddTime = fc.oneof(
  fc.integer({ min: -100_000_000, max: 100_000_000 }).map((ms) => new Date(NOON + ms).toISOString()),
  fc.constantFrom<number | string>(
    NOON,
    0,
    -1,
    1e300,
    8.64e15,
    '9999-12-31T23:59:59Z',
    '0001-01-01',
    '+275760-09-13T00:00:00Z',
  ),
);

const validTime = oddTime.filter((time) => time !== 1e300);

const odd = fc.oneof(
  { weight: 6, arbitrary: oddText },
  oddNumber,
  oddTime,
  fc.constantFrom(null, true, [], {}),
  fc.jsonValue(),
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.oneof({ weight: 9, arbitrary: value as fc.Arbitrary<unknown> }, odd);
const provider = fc.oneof({ weight: 4, arbitrary: fc.constantFrom<string>(...PROVIDERS) }, oddText);
const record = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
  fc.record(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, maybe(value)])));
const json = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 9, arbitrary: value.map((each) => JSON.stringify(each)) }, oddText);

const lockValue = fc.oneof(
  fc.constant(null),
  oddText,
  fc
    .tuple(oddText, oddText, oddNumber, oddText)
    .map(([name, host, at, reason]) => `pause/${name}@${host}/${at}/${reason}`),
  fc.tuple(oddText, oddNumber, oddText).map((parts) => `worker/${parts.join('/')}`),
);
const ttl = fc.oneof(fc.constantFrom<unknown>(-2, -1, 0, 1, 1e300, '5000', null, 'x'), fc.nat(300_000));

const run = record({
  id: oddText,
  worker: fc.constantFrom('queue-processor', 'health-monitor', 'quota-sync'),
  trigger: oddText,
  host: oddText,
  startedAt: oddTime,
  durationMs: oddNumber,
  outcome: fc.constantFrom('ok', 'failed', 'skipped', 'aborted'),
  processed: oddNumber,
  successful: oddNumber,
  failed: oddNumber,
  error: oddText,
});

const point = record({
  healthy_providers: oddNumber,
  total_providers: oddNumber,
  daily_quota_used: oddNumber,
  monthly_quota_used: oddNumber,
  best_provider: provider,
  queue_depth: oddNumber,
  oldest_queued_s: oddNumber,
  sent: oddNumber,
  failed: oddNumber,
  p95_ms: oddNumber,
});

const health = record({
  timestamp: oddTime,
  providers: fc.array(
    record({
      provider,
      status: fc.constantFrom('ok', 'degraded', 'error', 'unconfigured'),
      healthScore: oddNumber,
      latencyMs: oddNumber,
      message: oddText,
      configured: fc.boolean(),
    }),
    { maxLength: 6 },
  ),
  healthMetrics: fc.array(
    record({
      provider,
      healthScore: oddNumber,
      successRate: oddNumber,
      avgLatencyMs: oddNumber,
      totalRequests: oddNumber,
      circuitState: oddText,
    }),
  ),
  summary: record({ totalProviders: oddNumber, healthyProviders: oddNumber, bestProvider: provider }),
  alerts: fc.array(oddText),
});

const alert = fc
  .tuple(fc.constantFrom('ERROR: ', 'CRITICAL:', 'WARNING: ', 'ALERT: ', ''), oddText, oddTime)
  .map(([prefix, text, at]) => `${prefix}${text} [${at}]`);

/** Its outer fields hold: what is none of them is refused as a whole, which other tests see to. */
const overview = fc.record({
  schemaVersion: oddNumber,
  now: validTime,
  counts: fc.record({ queued: oddNumber, processing: oddNumber, failed: oddNumber, completed: oddNumber }),
  ready: oddNumber,
  oldestReadyAt: fc.option(validTime),
  waitingRetry: oddNumber,
  nextRetryAt: fc.option(validTime),
  expiredLeases: oddNumber,
  oldestProcessingAt: fc.option(validTime),
  lastCompletedAt: fc.option(validTime),
  deadLetters: oddNumber,
  unreviewedDeadLetters: oddNumber,
  quotas: fc.array(
    record({
      provider,
      daySent: oddNumber,
      dayLimit: oddNumber,
      monthSent: oddNumber,
      monthLimit: oddNumber,
      countedAt: oddTime,
    }),
  ),
  deliveries24h: fc.array(record({ provider, sent: oddNumber, failed: oddNumber, p95Ms: oddNumber })),
  throughput: fc.array(record({ at: oddTime, sent: oddNumber, failed: oddNumber, enqueued: oddNumber }), {
    maxLength: 24,
  }),
});

const schedule = fc.record({
  id: fc.oneof(fc.constantFrom(...EXPECTED_SCHEDULES.map(({ id }) => id)), oddText),
  cron: fc.oneof(fc.constantFrom('*/2 * * * *', '@daily', '61 25 * * *', '*/0 * * * *'), oddText),
  destination: oddText,
  isPaused: fc.boolean(),
  lastRunAtEpochMs: fc.constantFrom(null, NOON, 0, -8.64e15),
  nextRunAtEpochMs: fc.constantFrom(null, NOON, 0, 8.64e15),
  lastState: fc.constantFrom('in-progress', 'success', 'fail', 'unknown' as const),
});

/** Parsing needs no connection. */
const NOBODY = {} as Redis;

/** What the gateways make of odd answers. That making it does not throw is part of what is tested. */
export const anOddSnapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    lock: fc.tuple(lockValue, lockValue, ttl, ttl),
    health: fc.tuple(json(health), fc.option(json(record({ error: oddText, timestamp: oddTime })))),
    alerts: fc.tuple(fc.oneof(fc.array(maybe(alert)), odd), fc.oneof(fc.array(oddText), odd)),
    metrics: fc.oneof(
      fc
        .array(fc.tuple(json(point), fc.integer({ min: NOON - 86_400_000, max: NOON + 4_000_000 }).map(String)), {
          maxLength: 30,
        })
        .map((pairs) => pairs.flat()),
      odd,
    ),
    runs: fc.oneof(fc.array(json(run)), odd),
    stats: fc.oneof(fc.array(maybe(oddNumber), { maxLength: 3 }), odd),
    overview,
    schedules: fc.array(schedule, { maxLength: 5 }),
    name: oddText,
  })
  .map(({ lock, health: cache, alerts, metrics, runs, stats, overview: queue, schedules, name }) => {
    const clock = manualClock(NOON);
    const [value, announced, valueTtl, announcedTtl] = lock;
    return aSnapshot({
      environment: { name, isSandbox: false },
      lock: loaded(createLock(NOBODY, clock).state.parse([value, announced], [valueTtl, announcedTtl]), NOON),
      health: loaded(createHealthCache(NOBODY).state.parse([cache[0], cache[1]], []), NOON),
      alerts: loaded(createAlerts(NOBODY, clock).feed.parse([], alerts), NOON),
      metrics: loaded(createMetrics(NOBODY, clock).series.parse([], [metrics]), NOON),
      runs: loaded(createRuns(NOBODY).feed.parse([], [runs]), NOON),
      stats: loaded(createStats(NOBODY).daily.parse([], [stats]), NOON),
      queue: loaded(parseOverview(queue), NOON),
      schedules: loaded({ schedules, deadLetters: 3, deadLettersTruncated: true, skipped: 1 }, NOON),
    });
  });
