import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAlerts } from '../../src/data/alerts.ts';
import { createMetrics } from '../../src/data/metrics.ts';
import { createMonitorStore } from '../../src/data/monitor-store.ts';
import { createOverview } from '../../src/data/overview.ts';
import { connectRedis } from '../../src/data/redis.ts';
import { createRuns } from '../../src/data/runs.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { DEFAULT_ALERT_THRESHOLDS } from '../../src/domain/alert-rules.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { createHealthMonitor } from '../../src/workers/health-monitor.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { type HealthFunction, startHealthFunction } from '../support/health-function.ts';
import { isMailStackMissing, type MailStack, startMailStack } from '../support/mail-stack.ts';

describe.skipIf(isMailStackMissing())('the health monitor', () => {
  let stack: MailStack;
  let health: HealthFunction;
  let supabase: SupabaseConnection;
  let clock: ManualClock;
  let log: string[] = [];

  beforeAll(async () => {
    stack = await startMailStack();
    health = await startHealthFunction();
    supabase = connectSupabase({ url: stack.rest.url, serviceRoleKey: stack.rest.key });
  });
  afterAll(async () => {
    await supabase?.close();
    await health?.stop();
    await stack?.stop();
  });
  beforeEach(async () => {
    await stack.reset();
    health.answer = {};
    health.reports = {};
    clock = manualClock(Date.now());
    log = [];
  });

  function monitor(redis = stack.redis) {
    const write = (line: string) => log.push(line);
    const worker = createHealthMonitor(
      {
        checkHealth: (signal) => health.client.health('full', signal),
        readOverview: async (signal) => (await createOverview(supabase.client, clock).read(signal)).overview,
        store: createMonitorStore(redis.client),
      },
      {
        clock,
        log: { info: write, warn: write, error: write },
        host: 'web-1',
        thresholds: DEFAULT_ALERT_THRESHOLDS,
      },
    );
    return (signal = new AbortController().signal) => worker.run({ trigger: 'schedule', signal });
  }

  const raw = () => stack.redis.client;
  const alerts = async () => (await raw().lrange('email:alerts:critical', 0, -1)) as string[];

  it('stores the report as it came for five minutes, and one metric with the queue in it', async () => {
    await stack.enqueue(3);
    health.reports = { brevo: { day: 40, month: 300 } };
    health.answer = { down: ['resend'] };
    expect(await monitor()()).toMatchObject({ outcome: 'ok', processed: 4, successful: 3, failed: 1 });

    expect(JSON.parse(String(await raw().get('email:health:latest')))).toMatchObject({
      success: true,
      novelty: 'kept',
    });
    expect(await raw().ttl('email:health:latest')).toBeGreaterThan(295);
    const [member, score] = (await raw().zrange('email:metrics:timeseries', 0, -1, { withScores: true })) as string[];
    expect(JSON.parse(member ?? '')).toMatchObject({
      timestamp: Number(score),
      healthy_providers: 3,
      total_providers: 4,
      daily_quota_used: 10,
      monthly_quota_used: 2.5,
      best_provider: 'brevo',
      queue_depth: 3,
    });
    expect((await createMetrics(raw(), clock).read()).points[0]?.queueDepth).toBe(3);
  });

  it('reads and writes Redis in one pipeline each, and Postgres in one call', async () => {
    const redis = connectRedis({ kind: 'tcp', url: stack.redisUrl });
    const before = supabase.usage().requests;
    health.answer = { alerts: ['CRITICAL: all providers down'] };
    await monitor(redis)();
    expect(redis.usage().roundTrips).toBe(2);
    expect(redis.usage().commands).toBeLessThanOrEqual(16);
    expect(supabase.usage().requests - before).toBe(1);
    await redis.close();
  });

  it('pushes critical alerts with their time, and says how many', async () => {
    health.answer = { alerts: ['WARNING: slow', 'ERROR: brevo fails', 'CRITICAL: all providers down'] };
    await monitor()();
    const at = new Date(clock.nowEpochMs()).toISOString();
    expect(await alerts()).toEqual([`ERROR: brevo fails [${at}]`, `CRITICAL: all providers down [${at}]`]);
    expect(log).toContain('[health-monitor] Critical alerts: 2');
    expect((await createAlerts(raw(), clock).read()).skipped).toBe(0);
  });

  it('counts the same alert within an hour instead of pushing it', async () => {
    const run = monitor();
    for (const percent of [91, 92, 93]) {
      health.answer = { alerts: [`ERROR: quota of brevo at ${percent} %`] };
      await run();
      clock.advance(5 * MINUTE_MS);
    }
    expect(await alerts()).toHaveLength(1);
    const seen = Object.values(fieldsOf(await raw().hgetall('email:alerts:seen')));
    expect(seen.map((value) => JSON.parse(value).count)).toEqual([3]);
    clock.advance(HOUR_MS);
    await run();
    expect(await alerts()).toHaveLength(2);
  });

  it('keeps a hundred alerts and a day of metrics', async () => {
    const old = clock.nowEpochMs() - DAY_MS - MINUTE_MS;
    await raw().lpush('email:alerts:critical', ...Array.from({ length: 150 }, (_, index) => `ERROR: old ${index}`));
    await raw().zadd('email:metrics:timeseries', { score: old, member: 'old' });
    health.answer = { alerts: ['CRITICAL: all providers down'] };
    await monitor()();
    expect(await alerts()).toHaveLength(100);
    expect((await alerts())[0]).toContain('all providers down');
    expect(await raw().zcard('email:metrics:timeseries')).toBe(1);
  });

  it('leaves the last good data alone when the check fails, and raises an alert at the third time', async () => {
    const run = monitor();
    await run();
    const good = await raw().get('email:health:latest');
    health.answer = { error: 'The function is out of order' };
    for (let time = 1; time <= 3; time += 1) {
      expect(await alerts()).toEqual([]);
      clock.advance(MINUTE_MS);
      expect(await run()).toMatchObject({ outcome: 'failed' });
    }
    expect(await raw().get('email:health:latest')).toBe(good);
    const error = JSON.parse(String(await raw().get('email:health:error')));
    expect(error.error).toContain('The function is out of order');
    expect(Date.parse(error.timestamp)).toBe(clock.nowEpochMs());
    expect(await raw().ttl('email:health:error')).toBeGreaterThan(55);
    expect((await alerts())[0]).toContain('The health check has failed 3 times in a row');
    expect(await raw().zcard('email:metrics:timeseries')).toBe(1);

    health.answer = {};
    await run();
    expect(await raw().exists('email:health:error')).toBe(0);
  });

  it('watches the queue also while the function is out of order', async () => {
    await stack.enqueue(1);
    await stack.sql`update email_queue set created_at = now() - interval '20 minutes'`;
    health.answer = { error: 'The function is out of order' };
    await monitor()();
    expect((await alerts())[0]).toContain('The oldest ready email has waited 20 min.');
  });

  it('sees dead letters arrive, but not those that an operator makes by discarding', async () => {
    const run = monitor();
    await run();
    const ids = await stack.enqueue(2);
    await stack.sql`select discard_emails(${ids as string[]}::uuid[], 'for a test')`;
    await run();
    expect((await alerts()).filter((alert) => alert.includes('dead letter'))).toEqual([]);
    await stack.sql`update email_dead_letter_queue set reviewed_at = null`;
    await run();
    expect((await alerts())[0]).toContain('2 new dead letters');
    clock.advance(2 * HOUR_MS);
    await run();
    expect((await alerts()).filter((alert) => alert.includes('dead letters'))).toHaveLength(1);
  });

  it('sees a lock that a legacy worker holds without end, in any slot', async () => {
    await raw().set('email:queue:lock:2', 'b5f1c9ce-52cf-4b8a-9be0-3a9f54bd1f2f');
    await monitor()();
    expect((await alerts())[0]).toMatch(/^CRITICAL: The queue lock, held by an unknown worker, never expires/);
  });

  it('sees a lock that is renewed and renewed, and forgets it when it is gone', async () => {
    const run = monitor();
    const holding = async () => raw().set('email:queue:lock', 'worker/web-1/7/abc', { ex: 300 });
    for (let minute = 0; minute <= 15; minute += 5) {
      await holding();
      await run();
      clock.advance(5 * MINUTE_MS);
    }
    expect((await alerts())[0]).toContain('The queue lock has been held by worker web-1/7 for 15 min.');
    await raw().del('email:queue:lock');
    await run();
    expect(JSON.parse(String(await raw().get('email:monitor:state'))).holders).toEqual({});
  });

  it('notices that no processor runs, also when its last record was pushed out of the list', async () => {
    const run = monitor();
    const record = {
      id: 'r',
      trigger: 'schedule',
      host: 'web-1',
      durationMs: 0,
      outcome: 'ok',
      processed: 0,
      successful: 0,
      failed: 0,
    };
    await createRuns(raw()).append({
      ...record,
      worker: 'queue-processor',
      startedAtEpochMs: clock.nowEpochMs(),
      error: null,
    });
    await run();
    await raw().del('email:runs');
    clock.advance(7 * MINUTE_MS);
    await run();
    expect((await alerts())[0]).toMatch(/^CRITICAL: The queue processor has not run for 7 min\./);
  });

  it('leaves a record of every run', async () => {
    await monitor()();
    expect((await createRuns(raw()).read()).runs[0]).toMatchObject({
      worker: 'health-monitor',
      trigger: 'schedule',
      host: 'web-1',
      outcome: 'ok',
      processed: 4,
      error: null,
    });
  });

  it('bears what other programs left in its keys', async () => {
    await raw().set('email:monitor:state', '{"holders": 7, "healthFailures": "many"}');
    await raw().hset('email:alerts:seen', { broken: 'not json' });
    await raw().lpush('email:runs', 'not json');
    await raw().zadd('email:metrics:timeseries', { score: clock.nowEpochMs(), member: 'not json' });
    expect(await monitor()()).toMatchObject({ outcome: 'ok' });
  });

  it('fails in one sentence when Redis is away', async () => {
    const away = connectRedis({ kind: 'tcp', url: 'redis://127.0.0.1:1' });
    expect(await monitor(away)()).toMatchObject({
      outcome: 'failed',
      message: expect.stringMatching(/^Redis is not reachable/),
    });
    await away.close();
  });

  it('stores nothing when it is stopped', async () => {
    expect(await monitor()(AbortSignal.abort())).toMatchObject({ outcome: 'aborted' });
    expect(await raw().exists('email:health:error', 'email:health:latest', 'email:runs')).toBe(0);
  });
});

function fieldsOf(flat: unknown): Record<string, string> {
  const words = flat as string[];
  return Object.fromEntries(words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? '']] : [])));
}
