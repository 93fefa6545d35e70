/** The Redis gateways on a real redis-server, filled by plain commands in the formats of WIRE.md, legacy and broken included. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAlerts } from '../../src/data/alerts.ts';
import { createAudit } from '../../src/data/audit.ts';
import { createHealthCache } from '../../src/data/health-cache.ts';
import { lockKeys } from '../../src/data/keys.ts';
import { createLock } from '../../src/data/lock.ts';
import { createMetrics } from '../../src/data/metrics.ts';
import { createQueueLock } from '../../src/data/queue-lock.ts';
import { connectRedis, type RedisConnection, type RedisTarget } from '../../src/data/redis.ts';
import { readAll } from '../../src/data/redis-read.ts';
import { createRuns } from '../../src/data/runs.ts';
import { createStats } from '../../src/data/stats.ts';
import { lockWords } from '../../src/domain/state-words.ts';
import { systemClock } from '../../src/domain/time.ts';
import { openRedis } from '../../src/sandbox/redis/redis.ts';
import { manualClock } from '../support/clock.ts';
import { isRedisServerMissing, startRedisServer } from '../support/redis.ts';
import { serve } from '../support/serve.ts';
import { aRun } from '../support/snapshot.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;
const health = {
  success: true,
  timestamp: '2026-11-23T11:58:00.000Z',
  providers: [
    {
      provider: 'resend',
      status: 'ok',
      healthScore: 98,
      latencyMs: 120,
      message: 'fine',
      configured: true,
      lastChecked: 'x',
    },
    { provider: 'brevo', status: 'error', healthScore: 0, latencyMs: null, message: null, configured: true },
    { provider: 'mailersend' },
  ],
  quotas: [
    {
      provider: 'resend',
      daily: { sent: 5, limit: 100, remaining: 95, percentUsed: 5 },
      monthly: { sent: 50, limit: 3000, remaining: 2950, percentUsed: 1.7 },
      source: 'api',
    },
  ],
  summary: { totalProviders: 4, healthyProviders: 3, configuredProviders: 4, bestProvider: 'resend' },
  healthMetrics: [
    {
      provider: 'resend',
      healthScore: 98,
      successRate: 99.5,
      avgLatencyMs: 120,
      totalRequests: 400,
      consecutiveFailures: 0,
      circuitState: 'closed',
    },
  ],
  alerts: ['WARNING: brevo slow'],
  snapshotsTaken: 4,
  durationMs: 2100,
};
const metric = (timestamp: number, more: object = {}) =>
  JSON.stringify({
    timestamp,
    healthy_providers: 4,
    total_providers: 4,
    daily_quota_used: 12.5,
    monthly_quota_used: 3,
    best_provider: 'resend',
    ...more,
  });

/** What the program meets: a self-hosted Redis, Upstash's REST API before a real one, and the sandbox's own engine. */
const KINDS: Record<string, (stop: AsyncDisposableStack) => Promise<RedisTarget>> = {
  'redis-server by TCP': async (later) => {
    const server = await startRedisServer();
    later.defer(server.stop);
    return { kind: 'tcp', url: server.url };
  },
  'redis-server by REST': (later) => restTo('server', later),
  "the sandbox's engine by REST": (later) => restTo('engine', later),
};

async function restTo(prefer: 'server' | 'engine', later: AsyncDisposableStack): Promise<RedisTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'data-redis-'));
  later.defer(() => rmSync(folder, { recursive: true, force: true }));
  const opened = await openRedis({ folder, token: 'secret', clock: systemClock, prefer });
  later.defer(opened.stop);
  const served = await serve(opened.fetch);
  later.defer(served.stop);
  return { kind: 'rest', url: served.url, token: 'secret' };
}

describe.skipIf(isRedisServerMissing()).each(Object.entries(KINDS))('gateways on %s', (_kind, start) => {
  const later = new AsyncDisposableStack();
  let redis: RedisConnection;
  const clock = manualClock();
  const now = clock.nowEpochMs();

  beforeAll(async () => {
    redis = connectRedis(await start(later));
    later.defer(redis.close);
  });
  afterAll(() => later.disposeAsync());
  beforeEach(async () => {
    clock.set(now);
    await redis.client.flushall();
  });

  describe('lock', () => {
    const read = () => createLock(redis.client, clock).read();

    test('nothing there is free', async () => {
      expect(await read()).toEqual({ lock: { kind: 'free' }, announcedPause: null });
    });

    test.each([
      ['worker/web-1/42/abc', { kind: 'worker', host: 'web-1', pid: 42, token: 'abc' }],
      [
        'pause/anna@web-1/1790000000000/resend%20outage',
        {
          kind: 'paused',
          operator: 'anna',
          host: 'web-1',
          startedAtEpochMs: 1_790_000_000_000,
          reason: 'resend outage',
        },
      ],
      [
        '7d9c7f0e-1111-4222-8333-444455556666',
        { kind: 'unknown-holder', value: '7d9c7f0e-1111-4222-8333-444455556666' },
      ],
    ])('%s is understood, with its time left', async (value, expected) => {
      await redis.client.set('email:queue:lock', value, { px: 300_000 });
      const { lock } = await read();
      expect(lock).toMatchObject(expected);
      const left = lock.kind === 'free' ? null : (lock.expiresAtEpochMs ?? 0) - now;
      expect(left).toBeGreaterThan(290_000);
      expect(left).toBeLessThanOrEqual(300_000);
    });

    test('a lock without end says so, and a pause can be announced beside it', async () => {
      await redis.client.set('email:queue:lock', 'worker/web-1/42/abc');
      await redis.client.set('email:queue:pause', 'pause/anna@web-1/1790000000000/', { ex: 1800 });
      const state = await read();
      expect(state.lock).toMatchObject({ kind: 'worker', expiresAtEpochMs: null });
      expect(state.announcedPause).toMatchObject({ operator: 'anna', reason: '' });
    });

    describe('with three slots', () => {
      const state = () => createLock(redis.client, clock, 3).read();
      const worker = (slot: number, px = 200_000) =>
        redis.client.set(lockKeys(3)[slot - 1] ?? '', `worker/web-${slot}/4711/t${slot}`, { px });

      test('is free when all are', async () => {
        expect(await state()).toEqual({
          lock: { kind: 'free' },
          otherSlotsHeld: 0,
          freeSlots: 3,
          announcedPause: null,
        });
      });

      test('tells of a worker in any of them, and how many more there are', async () => {
        await worker(2);
        const second = await state();
        expect(second).toMatchObject({ lock: { kind: 'worker', host: 'web-2' }, otherSlotsHeld: 0, freeSlots: 2 });
        expect(lockWords(second, null, now).text).toMatch(/^lock held by worker web-2\/4711, 3:(19|20) left$/);
        await worker(3, 250_000);
        const both = await state();
        expect(both).toMatchObject({ lock: { host: 'web-2' }, otherSlotsHeld: 1, freeSlots: 1 });
        expect(lockWords(both, null, now).text).toMatch(
          /^lock held by worker web-2\/4711, 3:(19|20) left, 1 more slot$/,
        );
        await worker(1);
        expect(await state()).toMatchObject({ lock: { host: 'web-1' }, otherSlotsHeld: 2, freeSlots: 0 });
      });

      test('waits with a pause for a worker in whichever slot, and is paused when it gave way', async () => {
        const lock = createQueueLock(redis.client, clock, 3);
        await worker(1);
        await worker(3);
        const pause = { operator: 'anna', host: 'ops-1', startedAtEpochMs: now, reason: '' };
        await lock.pause(pause, { forMs: 1_800_000 });
        expect(await state()).toMatchObject({
          lock: { kind: 'worker', host: 'web-1' },
          otherSlotsHeld: 1,
          freeSlots: 0,
          announcedPause: { operator: 'anna' },
        });
        await lock.release('worker/web-1/4711/t1');
        const waiting = await state();
        expect(waiting).toMatchObject({
          lock: { kind: 'worker', host: 'web-3' },
          otherSlotsHeld: 0,
          announcedPause: { operator: 'anna' },
        });
        expect(lockWords(waiting, 4, now).text).toMatch(
          /^PAUSING for anna: held by worker web-3\/4711, 3:(19|20) left, 4 in flight$/,
        );
        await lock.release('worker/web-3/4711/t3');
        expect(await state()).toMatchObject({
          lock: { kind: 'paused', operator: 'anna' },
          otherSlotsHeld: 0,
          freeSlots: 0,
          announcedPause: null,
        });
      });
    });
  });

  describe('health cache', () => {
    const read = () => createHealthCache(redis.client).read();

    test('the report is read, what is broken in it skipped', async () => {
      await redis.client.set('email:health:latest', JSON.stringify(health), { ex: 300 });
      const { report, lastError, skipped } = await read();
      expect([lastError, skipped]).toEqual([null, 1]);
      expect(report).toMatchObject({
        checkedAtEpochMs: now - 2 * MIN,
        healthyProviders: 3,
        totalProviders: 4,
        bestProvider: 'resend',
        alerts: ['WARNING: brevo slow'],
      });
      expect(report?.providers.map(({ provider, status, latencyMs }) => [provider, status, latencyMs])).toEqual([
        ['resend', 'ok', 120],
        ['brevo', 'error', null],
      ]);
      expect(report?.metrics[0]).toMatchObject({ successRatePercent: 99.5, averageLatencyMs: 120 });
    });

    test('a `ping` without metrics and alerts is a report too', async () => {
      const { healthMetrics: _, alerts: __, ...ping } = health;
      await redis.client.set('email:health:latest', JSON.stringify(ping));
      expect((await read()).report).toMatchObject({ metrics: [], alerts: [] });
    });

    test('nonsense is counted; the last failure stands beside', async () => {
      await redis.client.set('email:health:latest', '{"providers":');
      await redis.client.set(
        'email:health:error',
        JSON.stringify({ error: 'HTTP 502', timestamp: '2026-11-23T11:59:00Z' }),
      );
      expect(await read()).toEqual({
        report: null,
        lastError: { message: 'HTTP 502', atEpochMs: now - MIN },
        skipped: 1,
      });
    });
  });

  describe('alerts', () => {
    test('ours, legacy and malformed entries, acknowledged by hand', async () => {
      const alerts = createAlerts(redis.client, clock);
      await redis.client.rpush(
        'email:alerts:critical',
        'CRITICAL: brevo quota at 96% [2026-11-23T11:50:00.000Z]',
        'ERROR: resend circuit open',
        'CRITICAL: brevo quota at 91% [2026-11-23T10:50:00.000Z]',
        'what is this',
      );
      const before = await alerts.read();
      expect(before.alerts.map(({ text, repeats }) => [text, repeats])).toEqual([
        ['brevo quota at 96%', 2],
        ['resend circuit open', 1],
      ]);
      expect(before.skipped).toBe(1);

      await alerts.acknowledge([before.alerts[0]?.fingerprint ?? ''], 'anna');
      const after = await alerts.read();
      expect(after.alerts.map(({ acknowledged }) => acknowledged)).toEqual([{ by: 'anna', atEpochMs: now }, null]);
    });

    test('a hundred days of acknowledgements leave no more behind than the list and the last day need', async () => {
      const day = manualClock(now);
      const alerts = createAlerts(redis.client, day);
      const marked = new Set<string>();
      for (let each = 0; each < 100; each += 1) {
        await redis.client.lpush('email:alerts:critical', `ERROR: ${'x'.repeat(each + 1)} fails`);
        await redis.client.ltrim('email:alerts:critical', 0, 4);
        const [newest] = (await alerts.read()).alerts;
        await alerts.acknowledge([newest?.fingerprint ?? ''], 'anna');
        marked.add(newest?.fingerprint ?? '');
        day.advance(13 * 3_600_000);
      }
      expect(marked.size).toBe(100);
      expect(await redis.client.hlen('email:alerts:acked')).toBeLessThanOrEqual(5 + 2);
      expect((await alerts.read()).alerts.every(({ acknowledged }) => acknowledged !== null)).toBe(true);
    });

    test('acknowledging nothing asks nothing', async () => {
      const { commands } = redis.usage();
      await createAlerts(redis.client, clock).acknowledge([], 'anna');
      expect(redis.usage().commands).toBe(commands);
    });
  });

  describe('time series', () => {
    const add = (...points: [number, string][]) =>
      Promise.all(points.map(([score, member]) => redis.client.zadd('email:metrics:timeseries', { score, member })));

    test('the first read takes a day, later ones only what is new', async () => {
      const metrics = createMetrics(redis.client, clock);
      await add(
        [now - 25 * HOUR, metric(now - 25 * HOUR)],
        [now - 10 * MIN, metric(now - 10 * MIN)],
        [
          now - 5 * MIN,
          metric(now - 5 * MIN, { queue_depth: 7, oldest_queued_s: 30, sent: 5, failed: 1, p95_ms: 800, new_field: 1 }),
        ],
        [now - 4 * MIN, '{"timestamp":'],
      );
      const first = await metrics.read();
      expect(first.points.map(({ atEpochMs, queueDepth }) => [atEpochMs - now, queueDepth])).toEqual([
        [-10 * MIN, null],
        [-5 * MIN, 7],
      ]);
      expect(first.skipped).toBe(1);
      expect(first.points[0]).toMatchObject({ dailyQuotaUsedPercent: 12.5, bestProvider: 'resend', p95Ms: null });

      expect(await metrics.read()).toBe(first);

      await redis.client.zremrangebyscore('email:metrics:timeseries', 0, now - 9 * MIN);
      clock.advance(MIN);
      await add([now + 1, metric(now + 1)]);
      const next = await metrics.read();
      expect(next.points.map(({ atEpochMs }) => atEpochMs - now)).toEqual([-10 * MIN, -5 * MIN, 1]);
      expect(next.skipped).toBe(1);
    });

    test('what is a day old leaves, with nothing new as well', async () => {
      const metrics = createMetrics(redis.client, clock);
      await add([now - HOUR, metric(now - HOUR)], [now, metric(now)]);
      expect((await metrics.read()).points).toHaveLength(2);
      clock.advance(23.5 * HOUR);
      expect((await metrics.read()).points).toHaveLength(1);
    });

    test('a score from the far future hides nothing that comes after it', async () => {
      const metrics = createMetrics(redis.client, clock);
      await add([now * 1_000, metric(now)], [now - MIN, metric(now - MIN)]);
      expect((await metrics.read()).points).toHaveLength(1);
      await add([now, metric(now, { sent: 1 })]);
      expect((await metrics.read()).points).toHaveLength(2);
    });
  });

  test('daily counts, and zero without the key', async () => {
    const stats = createStats(redis.client);
    expect(await stats.read()).toEqual({ processed: 0, successful: 0, failed: 0 });
    await redis.client.hincrby('email:stats:daily', 'processed', 12);
    await redis.client.hset('email:stats:daily', { successful: 'many', other: '1' });
    expect(await stats.read()).toEqual({ processed: 12, successful: 0, failed: 0, skipped: 1 });
    await redis.client.hset('email:stats:daily', { successful: '7', failed: '-5' });
    expect(await stats.read()).toEqual({ processed: 12, successful: 7, failed: 0, skipped: 1 });
  });

  test('run records come back as they were written; broken ones are counted', async () => {
    const runs = createRuns(redis.client);
    await redis.client.lpush('email:runs', 'nonsense', '{"id":1}');
    const failed = aRun({ id: 'run-2', outcome: 'failed', error: 'timeout', startedAtEpochMs: now });
    await runs.append(aRun());
    await runs.append(failed);
    expect(await runs.read()).toEqual({ runs: [failed, aRun()], skipped: 2 });
  });

  test('the list of runs stays at its length', async () => {
    const runs = createRuns(redis.client);
    await redis.client.lpush('email:runs', ...Array.from({ length: 250 }, () => 'x'));
    await runs.append(aRun());
    expect(await redis.client.llen('email:runs')).toBe(200);
    expect(await runs.all()).toEqual({ runs: [aRun()], skipped: 199 });
  });

  test('the audit list keeps what was done', async () => {
    const audit = createAudit(redis.client);
    const entry = { atEpochMs: now, by: 'anna', host: 'web-1', action: 'pause', target: 'queue', outcome: 'ok' };
    await audit.append(entry);
    await redis.client.rpush('email:ops:audit', '{}');
    expect(await audit.read()).toEqual({ entries: [entry], skipped: 1 });
  });

  describe('readAll', () => {
    const reads = () => ({
      lock: createLock(redis.client, clock).state,
      health: createHealthCache(redis.client).state,
      alerts: createAlerts(redis.client, clock).feed,
      metrics: createMetrics(redis.client, clock).series,
      stats: createStats(redis.client).daily,
      runs: createRuns(redis.client).feed,
    });

    test('everything is one round trip of eight commands', async () => {
      const before = redis.usage();
      const results = await readAll(redis.client, reads());
      const after = redis.usage();
      expect([after.roundTrips - before.roundTrips, after.commands - before.commands]).toEqual([1, 8]);
      expect(Object.values(results).every(({ ok }) => ok)).toBe(true);
    });

    test('a foreign key of another type fails only its own part', async () => {
      await redis.client.set('email:alerts:critical', 'a string');
      await redis.client.lpush('email:stats:daily', 'a list');
      const { alerts, stats, ...others } = await readAll(redis.client, reads());
      expect(alerts).toMatchObject({
        ok: false,
        fault: { code: 'protocol', message: expect.stringContaining('WRONGTYPE') },
      });
      expect(stats.ok).toBe(false);
      expect(Object.values(others).every(({ ok }) => ok)).toBe(true);
    });

    test('a lock of another type is a lock all the same', async () => {
      await redis.client.lpush('email:queue:lock', 'a list');
      const { lock } = await readAll(redis.client, reads());
      expect(lock).toMatchObject({ ok: true, value: { lock: { kind: 'unknown-holder' } } });
    });

    test('cancelled before it begins, it sends nothing', async () => {
      const { commands } = redis.usage();
      const { lock } = await readAll(redis.client, reads(), AbortSignal.abort());
      expect(lock).toMatchObject({ ok: false, fault: { code: 'cancelled' } });
      expect(redis.usage().commands).toBe(commands);
    });
  });
});
