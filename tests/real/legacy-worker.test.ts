/** Ours beside the worker that is deployed today, on the same queue, lock and keys (WIRE.md). */
import { Receiver } from '@upstash/qstash';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSnapshotReader } from '../../src/data/snapshot.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { lastValue } from '../../src/domain/loaded.ts';
import { systemClock } from '../../src/domain/time.ts';
import { signDelivery } from '../../src/sandbox/qstash/signature.ts';
import { createLegacyWorker } from '../support/legacy-worker.ts';
import { isMailStackMissing, type MailStack, startMailStack } from '../support/mail-stack.ts';

const BASE_URL = 'http://workers.example.org';
const KEYS = { currentSigningKey: 'sig_current', nextSigningKey: 'sig_next' };

describe.skipIf(isMailStackMissing())('a legacy worker beside ours', () => {
  let stack: MailStack;
  let supabase: SupabaseConnection;
  let legacy: (path: string) => Promise<Record<string, unknown>>;

  beforeAll(async () => {
    stack = await startMailStack();
    supabase = connectSupabase({ url: stack.rest.url, serviceRoleKey: stack.rest.key });
    const handle = createLegacyWorker({
      redis: stack.redis.client,
      supabase: supabase.client,
      receiver: new Receiver({ ...KEYS, devMode: false }),
      baseUrl: BASE_URL,
      callFunction: async (body) => {
        const response = await fetch(`${stack.mailUrl}/functions/v1/email`, {
          method: 'POST',
          headers: { authorization: `Bearer ${stack.rest.key}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
        return { status: response.status, answer: (await response.json()) as Record<string, never> };
      },
      log: () => undefined,
    });
    legacy = async (path) => {
      const url = `${BASE_URL}/api/email/worker/${path}`;
      const body = '{}';
      const delivery = { url, body: Buffer.from(body), nowEpochMs: Date.now() };
      const headers = { 'upstash-signature': signDelivery(KEYS.currentSigningKey, delivery) };
      const response = await handle(new Request(url, { method: 'POST', headers, body }));
      return (await response.json()) as Record<string, unknown>;
    };
  });
  afterAll(async () => {
    await supabase?.close();
    await stack?.stop();
  });

  test('sends nothing while we hold the lock or an operator pauses', async () => {
    await stack.reset();
    const ids = await stack.enqueue(5);
    const pause = { operator: 'anna', host: 'desk', startedAtEpochMs: Date.now(), reason: '' };
    await stack.lock.pause(pause, { forMs: 60_000 });
    expect(await legacy('queue-processor')).toMatchObject({ success: true, skipped: true });
    expect(stack.delivered(ids).size).toBe(0);
  });

  test('keeps ours out while it holds the lock, as an unknown worker', async () => {
    await stack.reset();
    await stack.enqueue(1);
    await stack.redis.client.set('email:queue:lock', '6d9a1c7e-0000-4000-8000-000000000000', { nx: true, ex: 300 });
    const result = await stack.processor().run({ trigger: 'test', signal: new AbortController().signal });
    expect(result).toMatchObject({ outcome: 'skipped', message: expect.stringContaining('unknown worker') });
  });

  test('does not see what ours have claimed, so nothing is sent by both', async () => {
    await stack.reset({ medianMs: 20, p99Ms: 40 });
    await stack.enqueue(60);
    // Without the lock, which would keep one of them out: the leases alone have to do it.
    const ours = stack.processor({ batchSize: 30 });
    const claimed = await ours.ports.queue.claim({ worker: 'ours', limit: 30, leaseSeconds: 60 });
    expect(await legacy('queue-processor')).toMatchObject({ processed: 30, successful: 30 });
    const mine = new Set(claimed.emails.map(({ id }) => id));
    expect(await stack.counts()).toEqual({ completed: 30, processing: 30 });
    const stillOurs = await stack.sql`select id from email_queue where status = 'processing'`;
    expect(new Set(stillOurs.map((row) => row.id))).toEqual(mine);
  });

  test('leaves health, alerts, metrics and statistics that we can read', async () => {
    await stack.reset();
    await stack.enqueue(3);
    await legacy('queue-processor');
    stack.function.providers.set('resend', { mode: 'outage' });
    await legacy('health-monitor');
    await stack.redis.client.lpush('email:alerts:critical', 'CRITICAL: resend: 12 consecutive failures');
    const environment = { name: 'test', isSandbox: false };
    const reader = createSnapshotReader({
      redis: stack.redis,
      supabase,
      qstash: null,
      clock: systemClock,
      environment,
    });
    const { health, alerts, metrics, stats } = await reader.read();
    reader.close();
    expect(lastValue(health)?.report?.totalProviders).toBe(4);
    expect(lastValue(alerts)?.alerts[0]).toMatchObject({ severity: 'critical', atEpochMs: null });
    expect(lastValue(metrics)).toMatchObject({ points: [{ totalProviders: 4, queueDepth: null }], skipped: 0 });
    expect(lastValue(stats)).toEqual({ processed: 3, successful: 3, failed: 0 });
  });
});
