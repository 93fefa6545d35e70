/** The whole picture from a real Redis and a real Postgres: what it costs, and what remains when a part fails. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compactLines } from '../../src/commands/render/compact.ts';
import { createAlerts } from '../../src/data/alerts.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { createRunRecorder } from '../../src/data/run-recorder.ts';
import { createSchedules } from '../../src/data/schedules.ts';
import {
  createSnapshotReader,
  FIRST_SCHEDULES_WAIT_MS,
  SCHEDULES_EVERY_MS,
  type SnapshotReader,
  type SnapshotSources,
} from '../../src/data/snapshot.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { lastValue } from '../../src/domain/loaded.ts';
import { nextUtcMidnightEpochMs } from '../../src/domain/time.ts';
import { verdictOf } from '../../src/domain/verdict.ts';
import { type AnsweringServer, hang, json, type Responder, startAnsweringServer } from '../support/answering-server.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { applyMigrations, isPostgresMissing, type PostgresCluster, startPostgres } from '../support/postgres.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';
import { type RestServer, serveRest } from '../support/rest.ts';

const PARTS = ['lock', 'health', 'alerts', 'metrics', 'stats', 'runs', 'queue', 'schedules'] as const;
const someSchedules: Responder = (response, path) => {
  const schedule = { scheduleId: 'email-queue-processor', cron: '*/2 * * * *', destination: 'https://example.org' };
  json(path.startsWith('/v2/dlq') ? { messages: [] } : [schedule])(response, path);
};

describe.skipIf(isRedisServerMissing() || isPostgresMissing())('the snapshot', () => {
  let cluster: PostgresCluster;
  let rest: RestServer;
  let redisServer: RedisServer;
  let qstash: AnsweringServer;
  let redis: RedisConnection;
  let supabase: SupabaseConnection;
  let clock: ManualClock;
  const readers: SnapshotReader[] = [];

  beforeAll(async () => {
    [cluster, redisServer, qstash] = await Promise.all([
      startPostgres(),
      startRedisServer(),
      startAnsweringServer(hang),
    ]);
    await applyMigrations(cluster.sql);
    rest = await serveRest(cluster.url);
  });
  afterAll(async () => {
    await rest?.stop();
    await Promise.all([cluster?.stop(), redisServer?.stop(), qstash?.[Symbol.asyncDispose]()]);
  });
  beforeEach(async () => {
    clock = manualClock(Date.now());
    redis = connectRedis({ kind: 'tcp', url: redisServer.url });
    supabase = connectSupabase({ url: rest.url, serviceRoleKey: rest.key });
    qstash.answer = someSchedules;
    await redis.client.flushall();
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await Promise.all([redis.close(), supabase.close()]);
  });

  function open(changes: Partial<SnapshotSources> = {}): SnapshotReader {
    const reader = createSnapshotReader({
      redis,
      supabase,
      qstash: createSchedules({ url: qstash.url, token: 't' }),
      clock,
      environment: { name: 'local', isSandbox: false },
      ...changes,
    });
    readers.push(reader);
    return reader;
  }

  test('costs one round trip to Redis and one to Postgres, and asks QStash once a minute', async () => {
    const before = redis.usage();
    const reader = open();
    const first = await reader.read();
    expect(PARTS.map((part) => first[part].state)).toEqual(PARTS.map(() => 'ok'));
    expect([first.cost.redisRoundTrips - before.roundTrips, first.cost.redisCommands - before.commands]).toEqual([
      1, 8,
    ]);
    expect([first.cost.postgresRoundTrips, first.cost.qstashRequests]).toEqual([1, 2]);

    clock.advance(5_000);
    const second = await reader.read();
    expect([second.cost.redisRoundTrips - before.roundTrips, second.cost.postgresRoundTrips]).toEqual([2, 2]);
    expect(second.cost.qstashRequests).toBe(2);
    expect(second.schedules).toBe(first.schedules);

    clock.advance(SCHEDULES_EVERY_MS);
    await reader.read();
    await expect.poll(() => reader.cost().qstashRequests).toBe(4);
  });

  test('asks QStash again, once, when a schedule was due since', async () => {
    const gateway = createSchedules({ url: qstash.url, token: 't' });
    const nextRunAtEpochMs = clock.nowEpochMs() + 10_000;
    let reads = 0;
    const read = async () => {
      reads += 1;
      const known = await gateway.read();
      const schedule = { id: 'tick', cron: '*/2 * * * *', destination: 'https://example.org', isPaused: false };
      const state = { lastRunAtEpochMs: null, nextRunAtEpochMs, lastState: 'unknown' } as const;
      return { ...known, schedules: [{ ...schedule, ...state }] };
    };
    const reader = open({ qstash: { ...gateway, read } });
    await reader.read();
    for (const [passedMs, asked] of [
      [11_000, 1],
      [5_000, 2],
      [5_000, 2],
    ] as const) {
      clock.advance(passedMs);
      await reader.read();
      await expect.poll(() => reads).toBe(asked);
    }
  });

  describe('that may be a little old', () => {
    const PATIENT = { goodForMs: 60_000 };
    /** Commands and round trips of one read. */
    async function costOf(reader: SnapshotReader) {
      const before = redis.usage();
      clock.advance(5_000);
      const snapshot = await reader.read(undefined, PATIENT);
      const { commands, roundTrips } = redis.usage();
      return { snapshot, commands: commands - before.commands, roundTrips: roundTrips - before.roundTrips };
    }

    test('costs one command where nothing has happened, and says that everything was found to be so still', async () => {
      const reader = open();
      await reader.read();
      const { snapshot, ...cost } = await costOf(reader);
      expect(cost).toEqual({ commands: 1, roundTrips: 1 });
      for (const part of ['lock', 'health', 'alerts', 'metrics', 'stats', 'runs'] as const)
        expect(snapshot[part]).toMatchObject({ state: 'ok', atEpochMs: clock.nowEpochMs() });
    });

    test('sees at once who takes any of three slots, with one command where nobody does', async () => {
      const reader = open({ lockSlots: 3 });
      const before = redis.usage();
      await reader.read();
      const { commands, roundTrips } = redis.usage();
      expect([roundTrips - before.roundTrips, commands - before.commands]).toEqual([1, 10]);
      expect((await costOf(reader)).commands).toBe(1);
      await redis.client.set('email:queue:lock:2', 'worker/web-1/4711/t', { px: 240_000 });
      const { snapshot, ...cost } = await costOf(reader);
      // Who holds it since when, and for how long still: a second look, as for a lock with one slot.
      expect(cost).toEqual({ commands: 6, roundTrips: 2 });
      expect(snapshot.lock).toMatchObject({ value: { lock: { kind: 'worker', host: 'web-1' }, otherSlotsHeld: 0 } });
      expect(
        compactLines(snapshot, verdictOf(snapshot), { columns: 200, colour: false, unicode: true }).join(' '),
      ).toContain('lock held by a worker on web-1 (pid 4711)');
      await redis.client.set('email:queue:lock:3', 'worker/web-2/4711/t', { px: 240_000 });
      expect((await costOf(reader)).snapshot.lock).toMatchObject({
        value: { lock: { host: 'web-1' }, otherSlotsHeld: 1 },
      });
    });

    test('has the records and counts of a run at once, and costs more only then', async () => {
      const reader = open();
      await reader.read();
      const run = {
        id: 'r1',
        worker: 'queue-processor',
        trigger: 'schedule',
        host: 'web-1',
        startedAtEpochMs: clock.nowEpochMs(),
        durationMs: 10,
        outcome: 'ok' as const,
        processed: 3,
        successful: 3,
        failed: 0,
        error: null,
      };
      await createRunRecorder(redis.client, clock).record(run);
      const { snapshot, ...cost } = await costOf(reader);
      expect(cost).toEqual({ commands: 3, roundTrips: 2 });
      expect(snapshot).toMatchObject({ runs: { value: { runs: [{ id: 'r1' }] } }, stats: { value: { processed: 3 } } });
      expect((await costOf(reader)).commands).toBe(1);
    });

    test('has what a monitor wrote at once: health, alerts, metrics', async () => {
      const reader = open();
      await reader.read();
      const point = { timestamp: clock.nowEpochMs(), healthy_providers: 4, total_providers: 4 };
      const used = { daily_quota_used: 1, monthly_quota_used: 1, best_provider: null };
      await redis.client
        .pipeline()
        .set(
          'email:health:latest',
          JSON.stringify({ success: true, timestamp: new Date().toISOString(), providers: [] }),
        )
        .lpush('email:alerts:critical', 'CRITICAL: brevo is down')
        .zadd('email:metrics:timeseries', { score: clock.nowEpochMs(), member: JSON.stringify({ ...point, ...used }) })
        .exec();
      const { snapshot } = await costOf(reader);
      expect(lastValue(snapshot.alerts)?.alerts).toHaveLength(1);
      expect(lastValue(snapshot.metrics)?.points).toHaveLength(1);
    });

    test('has an acknowledgement from elsewhere at once', async () => {
      await redis.client.lpush('email:alerts:critical', 'CRITICAL: brevo is down');
      const reader = open();
      const [alert] = lastValue((await reader.read()).alerts)?.alerts ?? [];
      await createAlerts(redis.client, clock).acknowledge([alert?.fingerprint ?? ''], 'grace');
      const { snapshot } = await costOf(reader);
      expect(lastValue(snapshot.alerts)?.alerts[0]?.acknowledged).toMatchObject({ by: 'grace' });
    });

    test('sees the lock taken and given back at once, and asks for its end only now and then', async () => {
      const reader = open();
      await reader.read();
      await redis.client.set('email:queue:lock', 'worker/web-1/42/abc', { ex: 300 });
      const taken = await costOf(reader);
      expect(taken).toMatchObject({ commands: 4, snapshot: { lock: { value: { lock: { kind: 'worker' } } } } });
      expect((await costOf(reader)).commands).toBe(1);
      await redis.client.del('email:queue:lock');
      expect((await costOf(reader)).snapshot.lock).toMatchObject({ value: { lock: { kind: 'free' } } });
    });

    test('finds what nobody marks, a legacy worker’s counts, when its time is over', async () => {
      const reader = open();
      await reader.read();
      await redis.client.hset('email:stats:daily', { processed: 7, successful: 7 });
      expect(lastValue((await costOf(reader)).snapshot.stats)?.processed).toBe(0);
      clock.advance(PATIENT.goodForMs);
      expect(lastValue((await costOf(reader)).snapshot.stats)?.processed).toBe(7);
    });

    test('does not take yesterday’s counts for today’s', async () => {
      await redis.client.hset('email:stats:daily', { processed: 7 });
      const reader = open();
      await reader.read(undefined, { goodForMs: 1e12 });
      await redis.client.del('email:stats:daily');
      clock.advance(nextUtcMidnightEpochMs(clock.nowEpochMs()) - clock.nowEpochMs());
      expect(lastValue((await reader.read(undefined, { goodForMs: 1e12 })).stats)?.processed).toBe(0);
    });

    test('marks everything stale when Redis goes away, and reads all of it when it is back', async () => {
      const own = await startRedisServer();
      await using _stop = { [Symbol.asyncDispose]: () => own.stop() };
      const connection = connectRedis({ kind: 'tcp', url: own.url });
      const reader = open({ redis: connection });
      await reader.read();
      await connection.close();
      const gone = await reader.read(undefined, PATIENT);
      for (const part of ['lock', 'health', 'alerts', 'metrics', 'stats', 'runs'] as const)
        expect(gone[part]).toMatchObject({ state: 'stale', failingSinceEpochMs: clock.nowEpochMs() });
    });
  });

  test('asks QStash at once where something was changed there, and once', async () => {
    const reader = open();
    await reader.read();
    reader.expireSchedules();
    clock.advance(1_000);
    await reader.read();
    await expect.poll(() => reader.cost().qstashRequests).toBe(4);
    clock.advance(1_000);
    await reader.read();
    expect(reader.cost().qstashRequests).toBe(4);
  });

  test('is frozen to the bottom', async () => {
    await redis.client.lpush('email:alerts:critical', 'ERROR: brevo fails');
    const snapshot = await open().read();
    const unfrozen: string[] = [];
    const walk = (value: unknown, path: string) => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) unfrozen.push(path);
      for (const [name, child] of Object.entries(value)) walk(child, `${path}.${name}`);
    };
    walk(snapshot, 'snapshot');
    expect(unfrozen).toEqual([]);
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
  });

  test('tells of each part as it arrives, before the whole is there', async () => {
    qstash.answer = hang;
    const arrived: string[] = [];
    const reader = open({ onPart: (name) => arrived.push(name) });
    let isWhole = false;
    const reading = reader.read().then(() => {
      isWhole = true;
    });
    await expect.poll(() => arrived.length, { timeout: 1_000 }).toBe(7);
    expect(isWhole).toBe(false);
    await reading;
    expect(arrived).not.toContain('schedules');
  });

  test('a slow QStash delays the first snapshot a little, and no other', async () => {
    qstash.answer = hang;
    const reader = open();
    let started = performance.now();
    const first = await reader.read();
    expect(performance.now() - started).toBeLessThan(FIRST_SCHEDULES_WAIT_MS + 1_000);
    expect(first.schedules).toMatchObject({ state: 'failed', error: { code: 'cancelled' } });
    expect(verdictOf(first).reasons.filter(({ code }) => code.startsWith('qstash'))).toEqual([]);
    started = performance.now();
    await reader.read();
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test('a Redis that goes away leaves its last values, marked stale; Postgres goes on', async () => {
    const own = await startRedisServer();
    await using _stop = { [Symbol.asyncDispose]: () => own.stop() };
    const connection = connectRedis({ kind: 'tcp', url: own.url });
    await connection.client.set('email:queue:lock', 'worker/web-1/42/abc', { ex: 300 });
    const reader = open({ redis: connection });
    const before = await reader.read();
    await own.stop();
    clock.advance(30_000);
    const after = await reader.read();
    expect(after.lock).toMatchObject({
      state: 'stale',
      atEpochMs: before.takenAtEpochMs,
      value: { lock: { kind: 'worker', host: 'web-1' } },
      error: { code: 'unreachable' },
    });
    expect(after.queue).toMatchObject({ state: 'ok', atEpochMs: clock.nowEpochMs() });
    expect(verdictOf(after).reasons[0]).toMatchObject({ code: 'redis-unreachable', level: 'warning' });
    await connection.close();
  });

  test('what was never there fails, what is not configured says which variables are missing', async () => {
    const gone = connectRedis({ kind: 'tcp', url: 'redis://127.0.0.1:1' });
    const snapshot = await open({ redis: gone, supabase: null, qstash: null }).read();
    expect(snapshot.alerts).toMatchObject({ state: 'failed', error: { code: 'unreachable' } });
    expect(snapshot.queue).toMatchObject({
      state: 'failed',
      error: { code: 'not-configured', remedy: expect.stringContaining('SUPABASE_SERVICE_ROLE_KEY') },
    });
    expect(snapshot.schedules).toMatchObject({
      state: 'failed',
      error: { code: 'not-configured', remedy: expect.stringContaining('QSTASH_TOKEN') },
    });
    expect(verdictOf(snapshot).level).toBe('unreachable');
    await gone.close();
  });

  test('with nothing configured it says so without asking anybody', async () => {
    const snapshot = await open({ redis: null, supabase: null, qstash: null }).read();
    expect(verdictOf(snapshot).reasons[0]?.code).toBe('nothing-configured');
    expect(snapshot.cost).toEqual({ redisCommands: 0, redisRoundTrips: 0, postgresRoundTrips: 0, qstashRequests: 0 });
  });

  test('a cancelled read ends at once and changes nothing', async () => {
    const reader = open();
    const first = await reader.read();
    const controller = new AbortController();
    const reading = reader.read(controller.signal);
    controller.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    clock.advance(1_000);
    expect((await reader.read()).queue.state).toBe('ok');
    expect(first.queue.state).toBe('ok');
  });

  test('closing ends what is in flight, also twice', async () => {
    qstash.answer = hang;
    const reader = open();
    const started = performance.now();
    const reading = reader.read();
    reader.close();
    reader.close();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    expect(performance.now() - started).toBeLessThan(500);
    await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
  });
});
