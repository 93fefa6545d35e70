/** What operators' and enqueuers' functions promise, ours and those deployed before, on any Postgres. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { QueueDatabase } from '../support/queue-database.ts';

export function describeOperating(open: () => QueueDatabase): void {
  let db: QueueDatabase;
  beforeEach(async () => {
    db = open();
    await db.clear();
  });

  const deadLetter = async () => {
    const id = await db.insert();
    await db.claim('worker');
    await db.finish('worker', [{ id, attempt: 1, outcome: 'discard', provider: 'brevo', reason: 'bad address' }]);
    const letter = (await db.deadLetters()).find((found) => found.original_queue_id === id);
    if (letter === undefined) throw new Error('It was not buried');
    return { id, letterId: letter.id };
  };

  describe('retrying', () => {
    test('makes waiting rows due and gives failed ones all their attempts again', async () => {
      const waiting = await db.insert({ attempts: '2', next_retry_at: `now() + interval '1 hour'` });
      const { id: failed, letterId } = await deadLetter();
      const { retried, skipped } = await db.retry([waiting, failed]);
      expect({ retried: retried.sort(), skipped }).toEqual({ retried: [waiting, failed].sort(), skipped: [] });
      expect(await db.row(waiting)).toMatchObject({ status: 'queued', attempts: 2, next_retry_at: null });
      expect(await db.row(failed)).toMatchObject({ status: 'queued', attempts: 0, next_retry_at: null });
      expect(await db.deadLetters()).toMatchObject([{ id: letterId, reviewed_at: expect.any(String) }]);
      expect(await db.claim('worker')).toHaveLength(2);
    });

    test('skips, with the reason, what is sent, being sent or unknown', async () => {
      const completed = await db.insert({ status: `'completed'` });
      const busy = await db.insert();
      await db.claim('worker');
      const legacy = await db.insert({ status: `'processing'` });
      const unknown = randomUUID();
      const { retried, skipped } = await db.retry([completed, busy, legacy, unknown]);
      expect(retried).toEqual([]);
      expect(Object.fromEntries(skipped.map(({ id, reason }) => [id, reason]))).toEqual({
        [completed]: 'already sent',
        [busy]: 'being sent by worker',
        [legacy]: 'being sent by a legacy worker',
        [unknown]: 'not found',
      });
    });

    test('rescues what a legacy worker abandoned', async () => {
      const id = await db.insert({ status: `'processing'`, updated_at: `now() - interval '1 hour'` });
      expect(await db.retry([id])).toEqual({ retried: [id], skipped: [] });
      expect(await db.claim('worker')).toHaveLength(1);
    });

    test('does not queue again what went out before its second holder crashed', async () => {
      const id = await db.insert();
      await db.claim('zombie');
      await db.expireLease(id);
      await db.claim('owner');
      await db.finish('zombie', [{ id, attempt: 1, outcome: 'sent', provider: 'brevo' }]);
      await db.expireLease(id);
      expect(await db.retry([id])).toEqual({ retried: [], skipped: [{ id, reason: 'already sent' }] });
      expect(await db.discard([id])).toEqual({ discarded: [], skipped: [{ id, reason: 'already sent' }] });
    });

    test('answers an empty list to nobody', async () => {
      expect(await db.retry([])).toEqual({ retried: [], skipped: [] });
    });
  });

  describe('discarding', () => {
    test('takes a row out of the queue and leaves a reviewed dead letter', async () => {
      const id = await db.insert({ attempts: '1' });
      expect(await db.discard([id], 'sent by mistake')).toEqual({ discarded: [id], skipped: [] });
      expect(await db.row(id)).toMatchObject({ status: 'failed' });
      expect(await db.deadLetters()).toMatchObject([
        {
          original_queue_id: id,
          failure_reason: 'sent by mistake',
          total_attempts: 1,
          reviewed_at: expect.any(String),
        },
      ]);
      expect(await db.claim('worker')).toEqual([]);
    });

    test('reviews the dead letter of a failed row instead of writing a second one', async () => {
      const { id } = await deadLetter();
      await db.discard([id]);
      expect(await db.deadLetters()).toMatchObject([
        { failure_reason: 'bad address', reviewed_at: expect.any(String) },
      ]);
    });

    test('skips what is being sent', async () => {
      const id = await db.insert();
      await db.claim('worker');
      expect(await db.discard([id])).toEqual({ discarded: [], skipped: [{ id, reason: 'being sent by worker' }] });
    });
  });

  describe('redriving dead letters', () => {
    test('queues the row anew, once', async () => {
      const { id, letterId } = await deadLetter();
      expect(await db.redrive([letterId])).toEqual({ redriven: [id], skipped: [] });
      expect(await db.row(id)).toMatchObject({ status: 'queued', attempts: 0 });
      expect(await db.redrive([letterId])).toEqual({
        redriven: [],
        skipped: [{ id: letterId, reason: 'already reviewed' }],
      });
    });

    test('makes a new row where the old one is gone', async () => {
      const { id, letterId } = await deadLetter();
      await db.query('delete from email_queue where id = $1::text::uuid', [id]);
      const { redriven } = await db.redrive([letterId]);
      expect(redriven).toHaveLength(1);
      expect(redriven).not.toContain(id);
      expect(await db.claim('worker')).toMatchObject([{ id: redriven[0], recipient_email: 'reader@example.org' }]);
    });

    test('skips a letter that the queue would refuse, and redrives the others', async () => {
      const { id, letterId } = await deadLetter();
      const odd = randomUUID();
      await db.query(
        `insert into email_dead_letter_queue (id, recipient_email, email_type, failure_reason)
         values ($1::text::uuid, 'reader@example.org', 'telegram', 'x')`,
        [odd],
      );
      const { redriven, skipped } = await db.redrive([letterId, odd, randomUUID()]);
      expect(redriven).toEqual([id]);
      expect(skipped.map(({ reason }) => reason).sort()).toEqual([
        'not found',
        expect.stringContaining('the queue refuses it'),
      ]);
    });
  });

  describe('enqueuing', () => {
    const email = (n: number, more = {}) => ({
      recipientEmail: `reader${n}@example.org`,
      emailType: 'newsletter',
      templateData: { subject: `No ${n}`, html: '<p>Hello</p>' },
      ...more,
    });

    test('enqueues a key once, within a call and between calls, and answers the row of each element', async () => {
      const first = await db.enqueue([email(1, { key: 'a' }), email(2), email(3, { key: 'a' })]);
      expect(first).toMatchObject({ enqueued: 2, duplicates: 1 });
      expect(first.ids[2]).toBe(first.ids[0]);
      const second = await db.enqueue([email(4, { key: 'b' }), email(5, { key: 'a' })]);
      expect(second).toMatchObject({ enqueued: 1, duplicates: 1 });
      expect(second.ids[1]).toBe(first.ids[0]);
      expect((await db.claim('worker')).map((row) => row.recipient_email)).toEqual(
        [1, 2, 4].map((n) => email(n).recipientEmail),
      );
    });

    test('keeps the order of the call', async () => {
      const { ids } = await db.enqueue(Array.from({ length: 50 }, (_, n) => email(n, { key: `${(n * 7919) % 50}` })));
      expect((await db.claim('worker')).map((row) => row.id)).toEqual(ids);
    });

    test('takes all optional fields', async () => {
      const recipientId = randomUUID();
      const { ids } = await db.enqueue([email(1, { recipientId, templateName: 'issue', maxAttempts: 7 })]);
      expect(await db.row(ids[0] ?? '')).toMatchObject({
        recipient_id: recipientId,
        template_name: 'issue',
        max_attempts: 7,
      });
    });

    test.each([
      [{ emailType: 'auth', templateData: {} }, 'email 2: recipientEmail is missing'],
      [email(1, { emailType: null }), 'email 2: emailType is missing'],
      [email(1, { templateData: 'x' }), 'email 2: templateData is not an object'],
      [email(1, { recipientId: 'me' }), 'email 2: recipientId is not a UUID'],
      [email(1, { maxAttempts: 0 }), 'email 2: maxAttempts is not between 1 and 999'],
      [email(1, { maxAttempts: 2.5 }), 'email 2: maxAttempts is not between 1 and 999'],
      [email(1, { key: 'k'.repeat(3000) }), 'email 2: key is longer than 200 characters'],
      [7, 'email 2: not an object'],
      [email(1, { emailType: 'telegram' }), 'email_type'],
    ])('enqueues nothing when an element is unusable, and names it: %j', async (bad, message) => {
      await expect(db.enqueue([email(0), bad])).rejects.toThrow(message);
      expect(await db.claim('worker')).toEqual([]);
    });

    test('refuses what is no list', async () => {
      await expect(db.enqueue({})).rejects.toThrow('p_emails is not an array');
      expect(await db.enqueue([])).toEqual({ enqueued: 0, duplicates: 0, ids: [] });
    });
  });

  describe('the functions deployed before', () => {
    test('still enqueue, read and retry', async () => {
      const id = await db.call<string>(
        `queue_email(null, 'reader@example.org', 'auth', 'otp', '{"subject": "Code"}'::jsonb)`,
      );
      expect(await db.call(`(select count(*)::int from get_ready_emails(10))`)).toBe(1);
      const delays = [];
      for (let attempt = 1; attempt <= 3; attempt++) {
        expect(await db.call(`retry_queued_email($1::text::uuid, 'down')`, id)).toBe(true);
        delays.push(await db.minutesUntilDue(id));
      }
      expect(delays).toEqual([15, 30, null]);
      expect(await db.row(id)).toMatchObject({ status: 'failed', attempts: 3, last_error: 'down' });
      expect(await db.call(`retry_queued_email($1::text::uuid, 'down')`, randomUUID())).toBe(false);
    });

    test('do not see what ours hold', async () => {
      await db.insert();
      await db.claim('worker');
      expect(await db.call(`(select count(*)::int from get_ready_emails(10))`)).toBe(0);
    });

    test('leave no lease behind on a row of ours, so that a legacy worker can hold it next', async () => {
      const id = await db.insert();
      await db.claim('worker');
      await db.expireLease(id);
      await db.call(`retry_queued_email($1::text::uuid, 'down')`, id);
      expect(await db.row(id)).toMatchObject({ status: 'queued', locked_by: null, locked_until: null });
      await db.change(id, `status = 'processing'`);
      expect(await db.claim('worker')).toEqual([]);
    });

    test('count and check quotas and close circuits', async () => {
      for (let n = 1; n <= 100; n++) expect(await db.call(`increment_provider_quota('resend', '2026-11-23')`)).toBe(n);
      expect(await db.call(`check_provider_quota('resend', '2026-11-23')`)).toBe(false);
      expect(await db.call(`check_provider_quota('resend', '2026-11-24')`)).toBe(true);
      await db.query(`insert into email_circuit_breaker_state (provider, state, failures) values ('brevo', 'open', 5)`);
      await db.query(`select reset_circuit_breaker('brevo')`);
      expect(await db.call(`(select state from email_circuit_breaker_state where failures = 0)`)).toBe('closed');
    });
  });
}
