/** What `finish_emails` promises, on any Postgres: fencing, the retry ladder, dead letters, and that repeating changes nothing. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { QueueDatabase, Result } from '../support/queue-database.ts';

const sent = (id: string, attempt = 1, more: Partial<Result> = {}): Result => ({
  id,
  attempt,
  outcome: 'sent',
  provider: 'brevo',
  messageId: `message-${attempt}`,
  latencyMs: 120.4,
  ...more,
});
const retry = (id: string, attempt: number): Result => ({
  id,
  attempt,
  outcome: 'retry',
  provider: 'resend',
  error: '421 try later',
});

export function describeFinishing(open: () => QueueDatabase): void {
  let db: QueueDatabase;
  beforeEach(async () => {
    db = open();
    await db.clear();
  });

  const everything = async () =>
    JSON.stringify(
      await Promise.all([
        db.query('select * from email_queue order by id'),
        db.query('select * from email_logs order by id'),
        db.query('select * from email_dead_letter_queue order by id'),
        db.query('select * from email_provider_quota order by id'),
        db.overview().then(({ now: _, ...rest }) => rest),
      ]),
    );

  describe('finishing', () => {
    test('completes a sent email, logs it and counts it', async () => {
      const id = await db.insert();
      await db.claim('worker');
      expect(await db.finish('worker', [sent(id)])).toEqual({
        applied: [id],
        notOurs: [],
        deadLettered: [],
        rejected: [],
      });
      expect(await db.row(id)).toMatchObject({ status: 'completed', attempts: 1, locked_by: null, locked_until: null });
      expect(await db.logs()).toMatchObject([
        {
          queue_id: id,
          provider: 'brevo',
          status: 'sent',
          provider_message_id: 'message-1',
          latency_ms: 120,
          subject: 'Welcome',
        },
      ]);
      expect(await db.sentToday('brevo')).toBe(1);
    });

    test('tries again after 15 minutes, 30 minutes, then hourly, and buries at the last attempt', async () => {
      const id = await db.insert({ max_attempts: '5' });
      const delays = [];
      for (let attempt = 1; attempt <= 5; attempt++) {
        await db.change(id, 'next_retry_at = null');
        expect(await db.claim('worker')).toMatchObject([{ attempts: attempt }]);
        const { deadLettered } = await db.finish('worker', [retry(id, attempt)]);
        expect(deadLettered).toEqual(attempt === 5 ? [id] : []);
        delays.push(await db.minutesUntilDue(id));
      }
      expect(delays).toEqual([15, 30, 60, 60, null]);
      expect(await db.row(id)).toMatchObject({ status: 'failed', attempts: 5, last_error: '421 try later' });
      expect(await db.deadLetters()).toMatchObject([
        {
          original_queue_id: id,
          total_attempts: 5,
          failure_reason: 'all attempts used',
          last_error: '421 try later',
          failed_providers: ['resend'],
          reviewed_at: null,
        },
      ]);
      expect(await db.logs()).toHaveLength(5);
      expect(await db.sentToday('resend')).toBe(0);
    });

    test('buries a permanent error at once, with the reason and every provider that failed', async () => {
      const id = await db.insert();
      await db.claim('worker');
      const permanent = {
        id,
        attempt: 1,
        outcome: 'discard',
        provider: 'brevo',
        reason: 'bad address',
        error: '550 no such user',
        failedProviders: ['resend', 'brevo'],
      };
      expect(await db.finish('worker', [permanent])).toMatchObject({ applied: [id], deadLettered: [id] });
      expect(await db.deadLetters()).toMatchObject([
        {
          failure_reason: 'bad address',
          last_error: '550 no such user',
          failed_providers: ['brevo', 'resend'],
          total_attempts: 1,
        },
      ]);
    });

    test('writes no log where no provider was involved', async () => {
      const id = await db.insert();
      await db.claim('worker');
      await db.finish('worker', [{ id, attempt: 1, outcome: 'discard', reason: 'no subject' }]);
      expect(await db.logs()).toEqual([]);
      expect(await db.row(id)).toMatchObject({ status: 'failed', last_error: 'no subject' });
    });

    test('changes nothing when the same call is made again because its answer was lost', async () => {
      const ids = [await db.insert(), await db.insert(), await db.insert(), await db.insert({ max_attempts: '1' })];
      const [a = '', b = '', c = '', d = ''] = ids;
      await db.claim('worker');
      const results = [
        sent(a),
        retry(b, 1),
        { id: c, attempt: 1, outcome: 'discard', provider: 'brevo', reason: 'bad' },
        retry(d, 1),
      ];
      await db.finish('worker', results);
      const before = await everything();
      expect(await db.finish('worker', results)).toMatchObject({ applied: [], deadLettered: [] });
      expect(await everything()).toBe(before);
    });

    test('lets a worker whose lease went to another change nothing but the log and the quota', async () => {
      const id = await db.insert();
      await db.claim('zombie');
      await db.expireLease(id);
      await db.claim('owner');
      const before = await db.row(id);
      expect(await db.finish('zombie', [sent(id, 1)])).toMatchObject({ applied: [], notOurs: [id] });
      expect(await db.row(id)).toEqual(before);
      expect(await db.logs()).toMatchObject([{ queue_id: id, status: 'sent' }]);
      expect(await db.sentToday('brevo')).toBe(1);
      expect(await db.finish('owner', [sent(id, 2)])).toMatchObject({ applied: [id] });
      expect(await db.sentToday('brevo')).toBe(2);
    });

    test('logs and counts a delivery once that two workers report, because the provider recognised the key', async () => {
      const id = await db.insert();
      await db.claim('zombie');
      await db.expireLease(id);
      await db.claim('owner');
      const same = { messageId: 'the-same' };
      expect(await db.finish('owner', [{ ...sent(id, 2), ...same }])).toMatchObject({ applied: [id] });
      expect(await db.finish('zombie', [{ ...sent(id, 1), ...same }])).toMatchObject({ notOurs: [id] });
      expect(await db.logs()).toHaveLength(1);
      expect(await db.sentToday('brevo')).toBe(1);
    });

    test('fences a worker from its own later attempt too', async () => {
      const id = await db.insert();
      await db.claim('worker');
      await db.expireLease(id);
      await db.claim('worker');
      expect(await db.finish('worker', [retry(id, 1)])).toMatchObject({ notOurs: [id] });
      expect(await db.row(id)).toMatchObject({ status: 'processing', locked_by: 'worker', attempts: 2 });
    });

    test('completes an email that went out although its lease had ended and nobody holds it, so that it is not sent twice', async () => {
      const id = await db.insert();
      await db.claim('zombie');
      await db.expireLease(id);
      await db.claim('other');
      await db.release('other', [id]);
      expect(await db.finish('zombie', [sent(id)])).toMatchObject({ notOurs: [id] });
      expect(await db.row(id)).toMatchObject({ status: 'completed' });
    });

    test.each(['retry', 'discard', 'release', 'crash'])(
      'completes an email that a zombie sent while another held it, when the other ends with %s',
      async (end) => {
        const id = await db.insert();
        await db.claim('zombie');
        await db.expireLease(id);
        await db.claim('owner');
        await db.finish('zombie', [sent(id, 1)]);
        if (end === 'release') await db.release('owner', [id]);
        else if (end === 'crash') await db.expireLease(id);
        else await db.finish('owner', [{ id, attempt: 2, outcome: end, reason: 'x' }]);
        expect(await db.claim('next')).toEqual([]);
        expect(await db.row(id)).toMatchObject({ status: 'completed', locked_by: null });
        expect(await db.deadLetters()).toEqual([]);
      },
    );

    test('believes the first report of an attempt', async () => {
      const id = await db.insert();
      await db.claim('worker');
      await db.finish('worker', [retry(id, 1)]);
      await db.finish('worker', [sent(id, 1)]);
      expect(await db.row(id)).toMatchObject({ status: 'queued' });
    });

    test('completes an email that went out although it was buried meanwhile, and reviews its dead letter', async () => {
      const id = await db.insert({ max_attempts: '1' });
      await db.claim('zombie');
      await db.expireLease(id);
      await db.claim('alone');
      await db.expireLease(id);
      await db.claim('other');
      expect(await db.row(id)).toMatchObject({ status: 'failed' });
      expect(await db.finish('zombie', [sent(id)])).toMatchObject({ applied: [], notOurs: [id] });
      expect(await db.row(id)).toMatchObject({ status: 'completed' });
      expect(await db.deadLetters()).toMatchObject([{ original_queue_id: id, reviewed_at: expect.any(String) }]);
    });

    test('does not let a late failure touch a row that is queued again', async () => {
      const id = await db.insert();
      await db.claim('zombie');
      await db.release('zombie', [id]);
      await db.finish('zombie', [retry(id, 1)]);
      expect(await db.row(id)).toMatchObject({ status: 'queued', attempts: 0, next_retry_at: null });
    });

    test('logs and counts a delivery of a second round as one of its own', async () => {
      const id = await db.insert({ max_attempts: '1' });
      await db.claim('worker');
      await db.finish('worker', [retry(id, 1)]);
      await db.retry([id]);
      await db.claim('worker');
      expect(await db.finish('worker', [sent(id, 1)])).toMatchObject({ applied: [id] });
      expect((await db.logs()).map((log) => log.status).sort()).toEqual(['failed', 'sent']);
      expect(await db.sentToday('brevo')).toBe(1);
    });

    test('keeps the limits that the quota already has', async () => {
      await db.query(
        `insert into email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
         values ('brevo', (now() at time zone 'utc')::date - 1, 7, 5000, 60000)`,
      );
      const id = await db.insert();
      await db.claim('worker');
      await db.finish('worker', [sent(id)]);
      expect(await db.overview()).toMatchObject({
        quotas: [{ provider: 'brevo', daySent: 1, dayLimit: 5000, monthLimit: 60_000 }],
      });
    });
  });

  describe('finishing with hostile results', () => {
    test('applies the sound ones and names the others', async () => {
      const id = await db.insert();
      await db.claim('worker');
      const results = [
        null,
        7,
        {},
        { id: `'; drop table email_queue; --`, attempt: 1, outcome: 'sent' },
        { id: randomUUID(), attempt: 'one', outcome: 'sent' },
        { id: randomUUID(), attempt: 1, outcome: 'exploded' },
        sent(id),
      ] as Result[];
      const { applied, notOurs, rejected } = await db.finish('worker', results);
      expect({ applied, notOurs }).toEqual({ applied: [id], notOurs: [] });
      expect(rejected.map(({ index }) => index).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    });

    test('survives numbers beyond all bounds, unknown providers and odd lists', async () => {
      const [a, b] = [await db.insert({}, 2), await db.insert({}, 1)];
      await db.claim('worker');
      await db.finish('worker', [
        sent(a, 1, { latencyMs: 1e300 }),
        {
          ...retry(b, 1),
          provider: 'carrier pigeon',
          failedProviders: [null, 1, 'resend'],
          error: 'x'.repeat(100_000),
        },
      ]);
      expect(await db.logs()).toMatchObject([{ queue_id: a, latency_ms: 2_147_483_647 }]);
      expect((await db.row(b)).last_error).toHaveLength(5000);
    });

    test('takes the first of two results for the same attempt', async () => {
      const id = await db.insert();
      await db.claim('worker');
      expect(await db.finish('worker', [sent(id), retry(id, 1)])).toMatchObject({ applied: [id], deadLettered: [] });
      expect(await db.row(id)).toMatchObject({ status: 'completed' });
      expect(await db.logs()).toHaveLength(1);
    });

    test('answers an unknown id as not ours', async () => {
      const stranger = randomUUID();
      expect(await db.finish('worker', [sent(stranger)])).toMatchObject({ applied: [], notOurs: [stranger] });
    });

    test.each([[{}], ['sent'], [null]])('refuses %j, which is no array', async (results) => {
      await expect(db.finish('worker', results as unknown as Result[])).rejects.toThrow('p_results is not an array');
    });
  });
}
