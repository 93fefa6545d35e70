/** The queue processor against real servers: what it sends, what it writes, and what that costs. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunResult } from '../../src/workers/worker.ts';
import { isMailStackMissing, type MailStack, type Processor, startMailStack } from '../support/mail-stack.ts';
import { freePort } from '../support/redis.ts';

describe.skipIf(isMailStackMissing())('a run of the queue processor', () => {
  let stack: MailStack;
  beforeAll(async () => {
    stack = await startMailStack();
  });
  afterAll(() => stack?.stop());
  beforeEach(() => stack.reset());
  afterEach(async () => expect(await stack.redis.client.get('email:queue:lock')).toBeNull());

  const run = (processor: Processor, signal = new AbortController().signal): Promise<RunResult> =>
    processor.run({ trigger: 'test', signal });
  const row = async (id: string) => {
    const [found] = await stack.sql`
      select status, attempts, last_error, locked_by, next_retry_at,
        round(extract(epoch from next_retry_at - now()) / 60)::int as minutes
      from email_queue where id = ${id}`;
    if (found === undefined) throw new Error('The row is gone.');
    return found;
  };
  const logs = () => stack.sql`select provider, status, error_message from email_logs order by created_at`;
  const onlyOne = async (change: Parameters<MailStack['enqueue']>[1] = {}): Promise<string> => {
    const [id = ''] = await stack.enqueue(1, change);
    return id;
  };
  /** The provider that this email tries first when all are equal. */
  const favourite = async (id: string): Promise<'resend' | 'brevo' | 'mailersend' | 'aws_ses'> => {
    const { rankProviders } = await import('../../src/domain/provider-rank.ts');
    const [first] = rankProviders({ id, emailType: 'chat' }, null, () => 1_000_000);
    if (first === undefined) throw new Error('No provider.');
    return first;
  };

  describe('what it sends', () => {
    test('sends every email once, completes its row, and agrees with every count', async () => {
      const ids = await stack.enqueue(250);
      const processor = stack.processor();
      const result = await run(processor);
      expect(result).toMatchObject({ outcome: 'ok', processed: 250, successful: 250, failed: 0 });
      expect(await stack.counts()).toEqual({ completed: 250 });
      expect(stack.delivered()).toEqual(new Map(ids.map((id) => [id, 1])));
      const [counted] = await stack.sql`
        select (select count(*)::int from email_logs where status = 'sent') as logged,
          (select sum(emails_sent)::int from email_provider_quota) as quota`;
      expect(counted).toEqual({ logged: 250, quota: 250 });
      const statistics = await stack.redis.client.hmget('email:stats:daily', 'processed', 'successful', 'failed');
      expect(statistics).toEqual(['250', '250', '0']);
      const ttlMs = await stack.redis.client.pttl('email:stats:daily');
      expect(ttlMs).toBeGreaterThan(0);
      expect(ttlMs).toBeLessThanOrEqual(86_400_000);
      const [record] = (await stack.redis.client.lrange('email:runs', 0, -1)).map((text) => JSON.parse(String(text)));
      expect(record).toMatchObject({ worker: 'queue-processor', trigger: 'test', outcome: 'ok', processed: 250 });
      expect(processor.log[0]).toBe('[email-worker] Processing 100 emails...');
      expect(processor.log.at(-1)).toMatch(/^\[email-worker\] 250 emails processed: 250 sent, 0 failed\. Took /);
    });

    test('has nothing to do on an empty queue, and that costs one round trip', async () => {
      const processor = stack.processor();
      expect(await run(processor)).toMatchObject({ outcome: 'ok', processed: 0 });
      expect(processor.usage().postgres).toBe(1);
    });

    test('moves a bad address, missing content and a bounce to the dead letters at once', async () => {
      const [bad = '', empty = '', bounced = ''] = [
        ...(await stack.enqueue(1, { local: 'two at@once' })),
        await onlyOne(),
        await onlyOne({ local: 'bounce' }),
      ];
      await stack.sql`update email_queue set template_data = '{"subject": "Hi"}' where id = ${empty}`;
      expect(await run(stack.processor())).toMatchObject({ outcome: 'ok', processed: 3, successful: 0, failed: 3 });
      expect((await row(bad)).last_error).toContain("recipient's address");
      expect((await row(empty)).last_error).toContain('html');
      expect((await row(bounced)).last_error).toMatch(/suppression|blocklisted|hard bounce/);
      expect(await stack.counts()).toEqual({ failed: 3 });
      const [letters] = await stack.sql`select count(*)::int as n from email_dead_letter_queue`;
      expect(letters?.n).toBe(3);
      expect(await logs()).toHaveLength(1);
    });

    test('passes a provider that is down over, and tries the next in the same attempt', async () => {
      const id = await onlyOne();
      const down = await favourite(id);
      stack.function.providers.set(down, { mode: 'outage' });
      const result = await run(stack.processor({}, routeless(stack)));
      expect(result).toMatchObject({ successful: 1 });
      expect(await logs()).toMatchObject([{ status: 'sent' }]);
      expect((await logs())[0]?.provider).not.toBe(down);
      const failed = stack.function.outbox.list({ outcome: 'failed', idempotencyKey: id });
      expect(failed.map(({ provider }) => provider)).toEqual([down]);
    });

    test('tries at most three providers in an attempt, then the email waits 15 minutes', async () => {
      const id = await onlyOne();
      for (const provider of ['resend', 'brevo', 'mailersend', 'aws_ses'] as const) {
        stack.function.providers.set(provider, { mode: 'outage' });
      }
      expect(await run(stack.processor({}, routeless(stack)))).toMatchObject({ processed: 1, failed: 1 });
      expect(stack.function.outbox.list({ idempotencyKey: id })).toHaveLength(3);
      expect(await row(id)).toMatchObject({ status: 'queued', attempts: 1, minutes: 15, locked_by: null });
    });

    test('sends an email that nobody answered for only through the same provider again', async () => {
      const id = await onlyOne();
      const mute = await favourite(id);
      stack.function.providers.set(mute, { mode: 'hang' });
      const quick = { mail: mailWithTimeout(stack, 300) };
      expect(await run(stack.processor({}, quick))).toMatchObject({ processed: 1, failed: 1 });
      expect(await row(id)).toMatchObject({ status: 'queued', attempts: 1, minutes: 15 });
      expect((await row(id)).last_error).toMatch(new RegExp(`\\[unanswered: ${mute}\\]$`));

      // It comes back while the provider is down: the email waits for it, though three others would take it.
      stack.function.providers.set(mute, { mode: 'outage' });
      await stack.sql`update email_queue set next_retry_at = null`;
      await run(stack.processor({}, quick));
      expect(await row(id)).toMatchObject({ status: 'queued', attempts: 2, minutes: 30 });
      expect((await row(id)).last_error).toMatch(new RegExp(`\\[unanswered: ${mute}\\]$`));

      stack.function.providers.set(mute, { mode: 'ok' });
      await stack.sql`update email_queue set next_retry_at = null`;
      expect(await run(stack.processor({}, quick))).toMatchObject({ successful: 1 });
      expect(stack.delivered()).toEqual(new Map([[id, 1]]));
      expect(await stack.counts()).toEqual({ completed: 1 });
    });

    test('recognises by its key an email that had gone out before nobody answered', async () => {
      const id = await onlyOne();
      const mute = await favourite(id);
      stack.function.providers.set(mute, { mode: 'mute' });
      const quick = { mail: mailWithTimeout(stack, 300) };
      expect(await run(stack.processor({}, quick))).toMatchObject({ processed: 1, failed: 1 });
      stack.function.providers.set(mute, { mode: 'ok' });
      await stack.sql`update email_queue set next_retry_at = null`;
      expect(await run(stack.processor({}, quick))).toMatchObject({ successful: 1 });
      expect(stack.delivered()).toEqual(new Map([[id, 1]]));
      expect(await stack.counts()).toEqual({ completed: 1 });
    });

    test('gives emails back without costing an attempt when the function cannot be reached', async () => {
      await stack.enqueue(20);
      const { createEmailFunction } = await import('../../src/data/email-function.ts');
      const nowhere = createEmailFunction({
        url: `http://127.0.0.1:${await freePort()}`,
        serviceRoleKey: stack.rest.key,
      });
      const result = await run(stack.processor({}, { mail: nowhere }));
      expect(result).toMatchObject({ outcome: 'failed', processed: 0 });
      expect(result.message).toContain('ECONNREFUSED');
      const [after] =
        await stack.sql`select sum(attempts)::int as attempts, count(*)::int as n from email_queue where status = 'queued'`;
      expect(after).toEqual({ attempts: 0, n: 20 });
    });

    test('refuses to go on when the function does not accept the key', async () => {
      await stack.enqueue(20);
      const { createEmailFunction } = await import('../../src/data/email-function.ts');
      const wrong = createEmailFunction({ url: stack.mailUrl, serviceRoleKey: 'sb_secret_wrong' });
      const result = await run(stack.processor({}, { mail: wrong }));
      expect(result).toMatchObject({ outcome: 'failed', processed: 0 });
      expect(result.message).toContain('SUPABASE_SERVICE_ROLE_KEY');
      expect(await stack.counts()).toEqual({ queued: 20 });
    });
  });

  describe('quotas', () => {
    test('never goes over what is left, stops when nothing is, and gives the rest back until midnight', async () => {
      await stack.setLimits({
        resend: { daily: 10, sent: 3 },
        brevo: { daily: 20, sent: 0 },
        mailersend: { daily: 5, sent: 5 },
        aws_ses: { daily: 300, sent: 297 },
      });
      const ids = await stack.enqueue(80);
      const result = await run(stack.processor());
      expect(result).toMatchObject({ outcome: 'ok', processed: 30, successful: 30 });
      expect(result.message).toMatch(/quota is used up until \d{4}-\d\d-\d\d 00:00 UTC/);
      const sent = await stack.sql`select provider, emails_sent, daily_limit from email_provider_quota order by 1`;
      expect(sent.map((each) => ({ ...each }))).toEqual([
        { provider: 'aws_ses', emails_sent: 300, daily_limit: 300 },
        { provider: 'brevo', emails_sent: 20, daily_limit: 20 },
        { provider: 'mailersend', emails_sent: 5, daily_limit: 5 },
        { provider: 'resend', emails_sent: 10, daily_limit: 10 },
      ]);
      const left = await stack.sql`
        select attempts, next_retry_at = ((now() at time zone 'utc')::date + 1) at time zone 'utc' as at_midnight,
          last_error from email_queue where status = 'queued'`;
      expect(left).toHaveLength(ids.length - 30);
      for (const each of left) {
        expect(each).toMatchObject({ attempts: 0, at_midnight: true });
        expect(each.last_error).toContain("Every provider's quota is used up");
      }
    });

    test('claims nothing when everything is used up from the start', async () => {
      await stack.setLimits({
        resend: { daily: 1, sent: 1 },
        brevo: { daily: 1, sent: 1 },
        mailersend: { daily: 1, sent: 1 },
        aws_ses: { daily: 1, sent: 1 },
      });
      await stack.enqueue(5);
      const result = await run(stack.processor());
      expect(result).toMatchObject({ outcome: 'ok', processed: 0 });
      expect(result.message).toContain('quota is used up until');
      expect(await stack.counts()).toEqual({ queued: 5 });
    });

    test('believes a provider that says its quota is used up, and sends through the others', async () => {
      stack.function.providers.set('brevo', { dailyLimit: 0 });
      stack.function.providers.set('resend', { monthlyLimit: 0 });
      await stack.enqueue(40);
      expect(await run(stack.processor({}, routeless(stack)))).toMatchObject({ successful: 40, failed: 0 });
      const through = new Set((await logs()).map(({ provider }) => provider));
      expect(through).toEqual(new Set(['mailersend', 'aws_ses']));
    });
  });

  test('lets a provider rest that wants a pause, and no email pays for it', async () => {
    for (const provider of ['resend', 'brevo', 'mailersend', 'aws_ses'] as const) {
      stack.function.providers.set(provider, { ratePerSecond: 20 });
    }
    await stack.enqueue(100);
    expect(await run(stack.processor({}, routeless(stack)))).toMatchObject({ successful: 100, failed: 0 });
    const [attempts] = await stack.sql`select max(attempts)::int as n from email_queue`;
    expect(attempts?.n).toBe(1);
  });

  describe('what it costs', () => {
    // A machine that is busy elsewhere takes longer for the first results, and so a write more: then it is tried again.
    test.each([100, 1_000])(
      'at most 0.06 round trips an email at latency 0 (%d emails)',
      { retry: 3 },
      async (count) => {
        await stack.enqueue(count);
        const processor = stack.processor();
        expect(await run(processor)).toMatchObject({ successful: count });
        const { postgres, redis } = processor.usage();
        expect(postgres / count).toBeLessThanOrEqual(0.06);
        expect(redis / count).toBeLessThanOrEqual(0.06);
      },
    );

    test('at most 0.15 round trips an email at 300 ms; the pool stays full from batch to batch', async () => {
      await stack.reset({ medianMs: 300, p99Ms: 300 });
      await stack.enqueue(300);
      const processor = stack.processor();
      const { durationMs } = await run(processor);
      const { postgres, redis } = processor.usage();
      expect(postgres / 300).toBeLessThanOrEqual(0.15);
      expect(redis / 300).toBeLessThanOrEqual(0.15);
      expect(durationMs).toBeLessThan(Math.ceil(300 / 10) * 300 * 1.1);
    });

    test('a slow email does not hold the others up', async () => {
      await stack.reset({ medianMs: 100, p99Ms: 2_000 });
      await stack.enqueue(100);
      const { durationMs } = await run(stack.processor());
      expect(durationMs).toBeLessThan(8_000);
    });
  });

  describe('when writing goes wrong', () => {
    test('repeats results whose answer was lost, and nothing is counted twice', async () => {
      const ids = await stack.enqueue(60);
      const processor = stack.processor();
      const { queue } = processor.ports;
      let calls = 0;
      const forgetful = stack.processor(
        {},
        {
          queue: {
            ...queue,
            finish: async (worker, results) => {
              const answer = await queue.finish(worker, results);
              calls += 1;
              if (calls % 2 === 1) throw new Error('The answer was lost.');
              return answer;
            },
          },
        },
      );
      expect(await run(forgetful)).toMatchObject({ outcome: 'ok', successful: 60 });
      expect(await stack.counts()).toEqual({ completed: 60 });
      expect(stack.delivered().size).toBe(ids.length);
      const [counted] = await stack.sql`
        select (select count(*)::int from email_logs) as logged, (select sum(emails_sent)::int from email_provider_quota) as quota`;
      expect(counted).toEqual({ logged: 60, quota: 60 });
    });

    test('starts nothing more while results do not get through', async () => {
      await stack.enqueue(200);
      const { queue } = stack.processor().ports;
      let isBroken = true;
      let sentWhileBroken = 0;
      const processor = stack.processor(
        {},
        {
          queue: {
            ...queue,
            finish: async (worker, results) => {
              if (!isBroken) return queue.finish(worker, results);
              sentWhileBroken = stack.delivered().size;
              setTimeout(() => {
                isBroken = false;
              }, 1_000);
              throw new Error('The database is away.');
            },
          },
        },
      );
      expect(await run(processor)).toMatchObject({ outcome: 'ok', successful: 200 });
      expect(sentWhileBroken).toBeLessThanOrEqual(60);
      expect(await stack.counts()).toEqual({ completed: 200 });
    });

    test('gives back what a claim leased whose answer was lost', async () => {
      await stack.enqueue(30);
      const { queue } = stack.processor().ports;
      const processor = stack.processor(
        {},
        {
          queue: {
            ...queue,
            claim: async (request, signal) => {
              await queue.claim(request, signal);
              throw new Error('The answer was lost.');
            },
          },
        },
      );
      expect(await run(processor)).toMatchObject({ outcome: 'failed', processed: 0 });
      const [after] =
        await stack.sql`select count(*)::int as n, sum(attempts)::int as attempts from email_queue where status = 'queued'`;
      expect(after).toEqual({ n: 30, attempts: 0 });
    });

    test('says what is missing on a database without our migration', async () => {
      const { overview } = stack.processor().ports;
      const processor = stack.processor(
        {},
        {
          overview: {
            read: async (signal) => {
              const reading = await overview.read(signal);
              return { ...reading, overview: { ...reading.overview, schemaVersion: null } };
            },
          },
        },
      );
      const result = await run(processor);
      expect(result).toMatchObject({ outcome: 'failed', processed: 0 });
      expect(result.message).toContain('supabase/migrations');
    });
  });

  describe('how it ends early', () => {
    test('at its time budget it starts nothing more and gives the rest back', async () => {
      await stack.reset({ medianMs: 200, p99Ms: 200 });
      const ids = await stack.enqueue(100);
      const result = await run(stack.processor({ runBudgetMs: 500 }));
      expect(result.outcome).toBe('ok');
      expect(result.message).toContain('time budget');
      expect(result.processed).toBeGreaterThanOrEqual(20);
      expect(result.processed).toBeLessThanOrEqual(40);
      expect(await stack.counts()).toEqual({ completed: result.processed, queued: 100 - result.processed });
      expect(stack.delivered(ids).size).toBe(result.processed);
      const [left] = await stack.sql`select sum(attempts)::int as attempts from email_queue where status = 'queued'`;
      expect(left?.attempts).toBe(0);
    });

    test('told to stop, it waits for what is in flight and gives the rest back', async () => {
      await stack.reset({ medianMs: 300, p99Ms: 300 });
      await stack.enqueue(100);
      const told = new AbortController();
      const running = stack.processor().run({
        trigger: 'test',
        signal: told.signal,
        onProgress: () => told.abort(),
      });
      const result = await running;
      expect(result.outcome).toBe('aborted');
      expect(result.processed).toBeGreaterThanOrEqual(10);
      expect(result.processed).toBeLessThanOrEqual(20);
      expect(await stack.counts()).toEqual({ completed: result.processed, queued: 100 - result.processed });
    });

    test('when the lock is lost, it aborts what has not started', async () => {
      await stack.reset({ medianMs: 200, p99Ms: 200 });
      await stack.enqueue(100);
      let isTaken = false;
      const result = await stack.processor({ listenEveryMs: 50 }).run({
        trigger: 'test',
        signal: new AbortController().signal,
        onProgress: () => {
          if (!isTaken) void stack.redis.client.set('email:queue:lock', 'somebody-else', { px: 500 });
          isTaken = true;
        },
      });
      expect(result.outcome).toBe('aborted');
      expect(result.message).toContain('Another worker has the lock now');
      expect(await stack.counts()).toEqual({ completed: result.processed, queued: 100 - result.processed });
      await expect.poll(() => stack.redis.client.get('email:queue:lock')).toBeNull();
    });

    test('does not begin while another worker or a pause holds the lock', async () => {
      await stack.enqueue(5);
      await stack.redis.client.set('email:queue:lock', '6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b', { ex: 300 });
      expect(await run(stack.processor())).toMatchObject({
        outcome: 'skipped',
        message: expect.stringContaining('unknown worker'),
      });
      await stack.redis.client.set('email:queue:lock', 'pause/anna@desk/1795000000000/resend%20outage', { ex: 300 });
      expect(await run(stack.processor())).toMatchObject({
        outcome: 'skipped',
        message: expect.stringContaining('Paused by anna@desk (resend outage), until'),
      });
      expect(await stack.counts()).toEqual({ queued: 5 });
      await stack.redis.client.del('email:queue:lock');
    });
  });
});

/** The mail client without advice, so that the order is known to the test. */
function routeless(stack: MailStack) {
  const { mail } = stack.processor().ports;
  return { mail: { ...mail, route: () => Promise.reject(new Error('No advice.')) } };
}

function mailWithTimeout(stack: MailStack, timeoutMs: number) {
  const { mail } = stack.processor().ports;
  return {
    route: () => Promise.reject(new Error('No advice.')),
    send: (email: Parameters<typeof mail.send>[0]) => mail.send(email, AbortSignal.timeout(timeoutMs)),
  };
}
