/**
 * `status --json` against a deployment as WIRE.md describes it, filled by plain SQL and plain Redis commands: legacy
 * entries, malformed ones, and a database without our migration.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis } from '../../src/data/redis.ts';
import { runCliProcess } from '../support/cli.ts';
import {
  applyMigrations,
  isPostgresMissing,
  migrationFiles,
  type PostgresCluster,
  type Sql,
  startPostgres,
} from '../support/postgres.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';
import { type RestServer, serveRest } from '../support/rest.ts';

describe.skipIf(isRedisServerMissing() || isPostgresMissing())('status --json of a deployment', () => {
  let cluster: PostgresCluster;
  let redis: RedisServer;
  let rest: RestServer;

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startPostgres(), startRedisServer()]);
    const [tables = ''] = migrationFiles();
    await applyMigrations(cluster.sql, [tables]);
    await fillPostgres(cluster.sql);
    await fillRedis(redis.url);
    rest = await serveRest(cluster.url);
  });
  afterAll(async () => {
    await rest?.stop();
    await Promise.all([cluster?.stop(), redis?.stop()]);
  });

  async function status() {
    const env = { REDIS_URL: redis.url, NEXT_PUBLIC_SUPABASE_URL: rest.url, SUPABASE_SERVICE_ROLE_KEY: rest.key };
    const { exitCode, stdout, stderr } = await runCliProcess(['status', '--json'], { env });
    expect(stderr).toBe('');
    return { exitCode, snapshot: JSON.parse(stdout) };
  }

  test('shows everything that the plain tables and the legacy keys tell', async () => {
    const { exitCode, snapshot } = await status();
    expect(snapshot.queue).toMatchObject({ state: 'ok' });
    expect(exitCode).toBe(2);
    expect(snapshot.verdict).toMatchObject({ level: 'critical', exitCode: 2 });
    expect(snapshot.verdict.reasons.map(({ code }: { code: string }) => code)).toEqual(
      expect.arrayContaining(['unacknowledged-alerts', 'oldest-ready', 'migration-missing', 'qstash-not-configured']),
    );
    expect(snapshot.environment).toEqual({ name: 'local', isSandbox: false });
    expect(snapshot.lock.value.lock).toMatchObject({ kind: 'unknown-holder' });
    expect(snapshot.stats.value).toEqual({ processed: 12, successful: 10, failed: 2 });
    expect(
      snapshot.alerts.value.alerts.map(({ text, repeats }: { text: string; repeats: number }) => [text, repeats]),
    ).toEqual([
      ['brevo: quota exhausted', 2],
      ['resend is down', 1],
    ]);
    expect(snapshot.metrics.value.points).toHaveLength(1);
    expect(snapshot.metrics.value.points[0]).toMatchObject({ healthyProviders: 3, queueDepth: null });
    expect(snapshot.metrics.value.skipped).toBe(1);
    expect(snapshot.health.value.report).toMatchObject({ healthyProviders: 1, bestProvider: 'brevo' });
    expect(snapshot.queue.value).toMatchObject({
      counts: { queued: 2, processing: 0, failed: 1, completed: 1 },
      ready: 1,
      waitingRetry: 1,
      deadLetters: 1,
      schemaVersion: null,
    });
    const resend = snapshot.queue.value.quotas.find(({ provider }: { provider: string }) => provider === 'resend');
    expect(resend.day).toEqual({ sent: 55, limit: 100 });
    expect(snapshot.schedules).toMatchObject({ state: 'failed', error: { code: 'not-configured' } });
  });

  test('tells the same numbers once our migration is applied, and its version', async () => {
    await applyMigrations(cluster.sql);
    // It reads the schema once, as PostgREST does until it is told to look again.
    await rest.stop();
    rest = await serveRest(cluster.url);
    const { snapshot } = await status();
    expect(snapshot.queue.value).toMatchObject({
      counts: { queued: 2, processing: 0, failed: 1, completed: 1 },
      ready: 1,
      waitingRetry: 1,
      deadLetters: 1,
      schemaVersion: 1,
    });
  });
});

async function fillPostgres(sql: Sql): Promise<void> {
  const content = sql.json({ subject: 'Hi', html: '<p>Hi</p>' });
  await sql`
    insert into email_queue (recipient_email, email_type, template_name, template_data, attempts, status, last_error, next_retry_at, created_at)
    values ('a@example.org', 'chat', 't', ${content}, 0, 'queued', null, null, now() - interval '20 minutes'),
           ('b@example.org', 'auth', 't', ${content}, 1, 'queued', 'timeout', now() + interval '10 minutes', now()),
           ('c@example.org', 'feedback', 't', ${sql.json({})}, 3, 'failed', 'bad address', null, now()),
           ('d@example.org', 'food_listing', 't', ${content}, 1, 'completed', null, null, now())`;
  await sql`insert into email_provider_quota (provider, date, emails_sent, daily_limit)
    values ('resend', (now() at time zone 'utc')::date, 55, 100)`;
  await sql`insert into email_dead_letter_queue (recipient_email, email_type, template_name, template_data, total_attempts, failure_reason, first_attempt_at, last_attempt_at)
    values ('c@example.org', 'feedback', 't', ${content}, 3, 'bad address', now(), now())`;
}

async function fillRedis(url: string): Promise<void> {
  const { client, close } = connectRedis({ kind: 'tcp', url });
  const now = Date.now();
  const metric = {
    timestamp: new Date(now - 60_000).toISOString(),
    healthy_providers: 3,
    total_providers: 4,
    daily_quota_used: 12.5,
    monthly_quota_used: 3,
    best_provider: 'brevo',
  };
  const health = {
    success: true,
    timestamp: new Date(now - 30_000).toISOString(),
    providers: [
      {
        provider: 'brevo',
        status: 'ok',
        healthScore: 98,
        latencyMs: 200,
        message: 'ok',
        configured: true,
        lastChecked: new Date(now).toISOString(),
      },
      {
        provider: 'resend',
        status: 'error',
        healthScore: 0,
        latencyMs: 0,
        message: 'HTTP 503',
        configured: true,
        lastChecked: new Date(now).toISOString(),
      },
      'malformed',
    ],
    summary: { totalProviders: 4, healthyProviders: 1, configuredProviders: 2, bestProvider: 'brevo' },
  };
  await client
    .pipeline()
    .set('email:queue:lock', '5e3c1b1e-7f0f-4b0c-9a55-0d7a8c1f2e3d', { ex: 300 })
    .hset('email:stats:daily', { processed: 12, successful: 10, failed: 2 })
    // The newest is pushed last. One has our time, the others are legacy.
    .lpush('email:alerts:critical', '', 'ERROR: resend is down', 'CRITICAL: brevo: quota exhausted')
    .lpush('email:alerts:critical', `CRITICAL: brevo: quota exhausted [${new Date(now - 60_000).toISOString()}]`)
    .zadd(
      'email:metrics:timeseries',
      { score: now - 60_000, member: JSON.stringify(metric) },
      { score: now, member: '{"torn' },
    )
    .set('email:health:latest', JSON.stringify(health), { ex: 300 })
    .exec();
  await close();
}
