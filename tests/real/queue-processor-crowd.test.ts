/** Several queue processors at once, in processes of their own, and what happens when one is killed or falls asleep. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDeliveries } from '../../src/data/deliveries.ts';
import { createDueTimes } from '../../src/data/due-times.ts';
import { systemClock } from '../../src/domain/time.ts';
import { createWorkerRoutes, pathOf } from '../../src/workers/routes.ts';
import { createTick } from '../../src/workers/tick.ts';
import {
  type Child,
  isMailStackMissing,
  type MailStack,
  type ProcessorChild,
  startChild,
  startMailStack,
} from '../support/mail-stack.ts';
import { serve } from '../support/serve.ts';

describe.skipIf(isMailStackMissing())('many queue processors', () => {
  let stack: MailStack;
  let children: Child[] = [];
  beforeAll(async () => {
    stack = await startMailStack();
  });
  afterAll(() => stack?.stop());
  beforeEach(() => stack.reset());
  afterEach(async () => {
    for (const { process } of children) process.kill('SIGKILL');
    await Promise.all(children.map(({ ended }) => ended));
    children = [];
  });

  const start = (options: ProcessorChild['options'], more: Partial<ProcessorChild> = {}): Child => {
    const child = startChild({ stack, options: { batchSize: 100, concurrency: 10, ...options }, ...more });
    children.push(child);
    return child;
  };
  const expectEachSentOnce = async (ids: readonly string[]) => {
    const delivered = stack.delivered(ids);
    expect(delivered.size).toBe(ids.length);
    expect([...delivered.values()].filter((times) => times !== 1)).toEqual([]);
    expect(await stack.counts()).toEqual({ completed: ids.length });
    const [counted] = await stack.sql`
      select (select count(*)::int from email_logs where status = 'sent') as logged,
        (select sum(emails_sent)::int from email_provider_quota) as quota`;
    expect(counted).toEqual({ logged: ids.length, quota: ids.length });
  };
  /** The endpoint that QStash calls, here by the GET that development allows. */
  const serveEndpoint = async (slots: number) => {
    const { ports, run } = stack.processor({}, slots === 1 ? {} : { lock: stack.lockOf(slots) });
    const workers = { 'queue-processor': { run }, 'health-monitor': { run }, 'quota-sync': { run } };
    const routes = createWorkerRoutes({
      workers,
      tick: createTick(workers, { dueTimes: createDueTimes(stack.redis.client), clock: systemClock }),
      deliveries: createDeliveries(stack.redis.client),
      log: ports.logger,
      signal: new AbortController().signal,
      signingKeys: null,
      baseUrl: null,
      cronSecret: null,
      isDevelopment: true,
    });
    return serve((request) => routes['queue-processor'](request));
  };

  test.each([3, 1])(
    'two processes and an HTTP-triggered run send 10,000 emails: none twice, none left (%i slots)',
    async (slots) => {
      const ids: string[] = [];
      for (let batch = 0; batch < 10; batch += 1) ids.push(...(await stack.enqueue(1_000)));
      const endpoint = await serveEndpoint(slots);
      try {
        const first = start({ slots, concurrency: 20 });
        const second = start({ slots, concurrency: 20 });
        const overHttp = fetch(`${endpoint.url}${pathOf('queue-processor')}`).then(
          (response) => response.json() as Promise<{ success: boolean; processed?: number; skipped?: boolean }>,
        );
        const [answer] = await Promise.all([overHttp, first.ended, second.ended]);
        expect(answer.success).toBe(true);
        const busy = [first, second].filter(({ lines }) => lines.some(({ result }) => (result?.processed ?? 0) > 0));
        if (slots > 1) {
          expect(busy).toHaveLength(2);
          expect(answer.processed).toBeGreaterThan(0);
        }
        await expectEachSentOnce(ids);
      } finally {
        await endpoint.stop();
      }
    },
  );

  test('a worker killed in the middle of a run: another finishes its emails when the leases end', async () => {
    await stack.reset({ medianMs: 20, p99Ms: 40 });
    const ids = await stack.enqueue(400);
    const options = { leaseSeconds: 4, lockTtlSeconds: 10 };
    const victim = start(options);
    await victim.line(({ progress }) => (progress?.processed ?? 0) >= 100);
    victim.process.kill('SIGKILL');
    await victim.ended;
    const [held] = await stack.sql`select count(*)::int as n from email_queue where status = 'processing'`;
    expect(held?.n).toBeGreaterThan(0);
    const heir = start(options, { isForever: true });
    await expect.poll(() => stack.counts(), { timeout: 30_000, interval: 200 }).toEqual({ completed: 400 });
    heir.process.kill('SIGTERM');
    expect(await heir.ended).toBe(0);
    await expectEachSentOnce(ids);
  });

  test('a worker that slept beyond its lease sends nothing it had not started, and cannot undo the heir’s work', async () => {
    await stack.reset({ medianMs: 20, p99Ms: 40 });
    const ids = await stack.enqueue(400);
    const options = { leaseSeconds: 3, lockTtlSeconds: 10, sendTimeoutMs: 1_000 };
    const sleeper = start(options);
    await sleeper.line(({ progress }) => (progress?.processed ?? 0) >= 100);
    sleeper.process.kill('SIGSTOP');
    const heir = start(options, { isForever: true });
    await expect.poll(() => stack.counts(), { timeout: 30_000, interval: 200 }).toEqual({ completed: 400 });
    const before = stack.delivered(ids).size;
    sleeper.process.kill('SIGCONT');
    await sleeper.line(({ result }) => result !== undefined);
    expect(before).toBe(400);
    heir.process.kill('SIGTERM');
    await heir.ended;
    await expectEachSentOnce(ids);
  });

  test('SIGTERM drains: what is in flight is recorded, the rest is queued again at no cost', async () => {
    await stack.reset({ medianMs: 200, p99Ms: 300 });
    const ids = await stack.enqueue(200);
    const child = start({});
    await child.line(({ progress }) => (progress?.processed ?? 0) >= 25);
    child.process.kill('SIGTERM');
    expect(await child.ended).toBe(0);
    const { completed = 0, queued = 0, ...others } = await stack.counts();
    expect(others).toEqual({});
    expect(completed + queued).toBe(200);
    expect(stack.delivered(ids).size).toBe(completed);
    const [left] =
      await stack.sql`select coalesce(sum(attempts), 0)::int as n from email_queue where status = 'queued'`;
    expect(left?.n).toBe(0);
    expect(await stack.redis.client.get('email:queue:lock')).toBeNull();
  });

  describe('pausing', () => {
    test('during a run: the worker drains and gives way, nobody begins, and resume lets them go on', async () => {
      await stack.reset({ medianMs: 100, p99Ms: 150 });
      const ids = await stack.enqueue(300);
      const child = start({ listenEveryMs: 200 }, { isForever: true });
      await child.line(({ progress }) => (progress?.processed ?? 0) >= 25);
      const pause = { operator: 'anna', host: 'desk', startedAtEpochMs: Date.now(), reason: 'resend outage' };
      const first = await stack.lock.pause(pause, { forMs: 60_000 });
      expect(first).toMatchObject({ kind: 'waiting', holder: { kind: 'worker', pid: child.process.pid } });
      await expect.poll(async () => (await stack.lock.state()).held[0]?.lock.kind, { timeout: 5_000 }).toBe('paused');
      const aborted = await child.line(({ result }) => result?.outcome === 'aborted');
      expect(aborted.result?.message).toContain('Paused by anna@desk: resend outage');
      await child.line(({ result }) => result?.outcome === 'skipped');
      const { processing = 0 } = await stack.counts();
      expect(processing).toBe(0);
      const sent = stack.delivered(ids).size;
      expect(sent).toBeLessThan(300);
      // A worker as the document has it: plain SET NX EX.
      expect(await stack.redis.client.set('email:queue:lock', 'legacy', { nx: true, ex: 300 })).toBeNull();

      const { pause: standing } = await stack.lock.state();
      expect(await stack.lock.resume(standing?.value ?? '')).toBe(true);
      await expect.poll(() => stack.counts(), { timeout: 30_000 }).toEqual({ completed: 300 });
      child.process.kill('SIGTERM');
      await child.ended;
      await expectEachSentOnce(ids);
    });
  });
});
