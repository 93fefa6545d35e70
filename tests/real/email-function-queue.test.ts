import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createQueueLock } from '../../src/data/queue-lock.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { createRuns } from '../../src/data/runs.ts';
import { systemClock } from '../../src/domain/time.ts';
import type { Handler } from '../../src/email-function/handler.ts';
import { openRedis, type SandboxRedis } from '../../src/sandbox/redis/redis.ts';
import { type Deployment, startDeployment } from '../support/deployed-function.ts';
import { isPostgresMissing } from '../support/postgres.ts';
import { type Served, serve } from '../support/serve.ts';

describe.skipIf(isPostgresMissing())('process-queue inside the email function', () => {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-function-queue-'));
  let deployment: Deployment;
  let server: SandboxRedis;
  let served: Served;
  let redis: RedisConnection;
  let handler: Handler;
  beforeAll(async () => {
    deployment = await startDeployment();
    server = await openRedis({ folder, token: 'token', clock: systemClock });
    served = await serve(server.fetch);
    redis = connectRedis({ kind: 'rest', url: served.url, token: 'token' });
    handler = deployment.instance({ KV_REST_API_URL: served.url, KV_REST_API_TOKEN: 'token' });
  });
  afterAll(async () => {
    await redis.close();
    await served.stop();
    await server.stop();
    await deployment.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await deployment.reset();
    await redis.client.flushall();
    await deployment.sql`delete from email_queue`;
    await deployment.sql`delete from email_logs`;
  });

  const enqueue = (count: number) => deployment.sql`
    select enqueue_emails(${deployment.sql.json(
      Array.from({ length: count }, (_, n) => ({
        recipientEmail: `reader+${n}@example.org`,
        emailType: 'chat',
        templateData: { subject: `Number ${n}`, html: '<p>Hello</p>' },
      })),
    )})`;
  const processQueue = (more: Record<string, unknown> = {}) =>
    deployment.call(handler, { action: 'process-queue', ...more });
  const delivered = () => Object.values(deployment.stubs).reduce((sum, stub) => sum + stub.delivered.length, 0);

  test('claims, sends through the providers, finishes, logs, counts, and records its run', async () => {
    const before = delivered();
    await enqueue(30);
    const { status, body } = await processQueue({ batchSize: 10, concurrency: 5 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, processed: 30, successful: 30, failed: 0 });
    expect(delivered() - before).toBe(30);
    const [counts] = await deployment.sql`
      select (select count(*)::int from email_queue where status = 'completed') as completed,
        (select count(*)::int from email_logs where status = 'sent') as logged,
        (select sum(emails_sent)::int from email_provider_quota) as counted,
        (select count(*)::int from email_idempotency where state = 'sent') as keys`;
    expect(counts).toEqual({ completed: 30, logged: 30, counted: 30, keys: 30 });
    const { runs } = await createRuns(redis.client).read();
    expect(runs).toMatchObject([{ worker: 'queue-processor', trigger: 'email-function', host: 'email-function' }]);
    expect(await redis.client.get('email:queue:lock')).toBeNull();
  });

  test('stands still while an operator has paused, and while another worker is at it', async () => {
    await enqueue(3);
    const lock = createQueueLock(redis.client, systemClock);
    const pause = { operator: 'ana', host: 'desk', startedAtEpochMs: Date.now(), reason: 'outage' };
    await lock.pause(pause, { forMs: 60_000 });
    const before = delivered();
    const paused = await processQueue();
    expect(paused).toMatchObject({ status: 200, body: { success: true, processed: 0 } });
    expect(paused.body.message).toContain('Paused by ana@desk');
    await redis.client.flushall();
    await redis.client.set('email:queue:lock', 'a-legacy-worker', { nx: true, ex: 300 });
    expect((await processQueue()).body).toMatchObject({ processed: 0, message: expect.stringContaining('locked') });
    expect(delivered()).toBe(before);
  });

  test('fails over when a provider is down, all by itself', async () => {
    await enqueue(10);
    deployment.stubs.brevo.answerNext(...Array(20).fill({ status: 503, body: '' }));
    deployment.stubs.mailersend.answerNext(...Array(20).fill({ status: 503, body: '' }));
    expect((await processQueue()).body).toMatchObject({ successful: 10 });
    const providers = await deployment.sql`select distinct provider from email_logs where status = 'sent' order by 1`;
    expect(
      providers.map(({ provider }) => provider).filter((name) => name === 'brevo' || name === 'mailersend'),
    ).toEqual([]);
  });

  test('without Redis there is no lock to keep to: it says so and touches nothing', async () => {
    await enqueue(2);
    const { status, body } = await deployment.call(deployment.instance(), { action: 'process-queue' });
    expect(status).toBe(501);
    expect(body).toMatchObject({ success: false, error: expect.stringContaining('KV_REST_API_URL') });
    const [row] = await deployment.sql`select count(*)::int as n from email_queue where status = 'queued'`;
    expect(row?.n).toBe(2);
  });

  test('a bad batch size is a bad request', async () => {
    expect(await processQueue({ batchSize: 0 })).toMatchObject({
      status: 400,
      body: { error: 'Invalid fields: batchSize' },
    });
  });
});
