/** What `claim_emails`, `renew_leases` and `release_emails` promise, on any Postgres. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { QueueDatabase } from '../support/queue-database.ts';

export function describeClaiming(open: () => QueueDatabase): void {
  let db: QueueDatabase;
  beforeEach(async () => {
    db = open();
    await db.clear();
  });

  describe('claiming', () => {
    test('hands out ready rows, oldest first, whether fresh, retried or abandoned, and no others', async () => {
      const fresh = await db.insert({}, 10);
      const retried = await db.insert({ attempts: '1', next_retry_at: `now() - interval '1 minute'` }, 60);
      const abandoned = await db.insert(
        { status: `'processing'`, attempts: '1', locked_by: `'dead'`, locked_until: `now() - interval '1 second'` },
        30,
      );
      await db.insert({ next_retry_at: `now() + interval '1 minute'` }, 90);
      await db.insert({ status: `'completed'` }, 90);
      await db.insert({ status: `'failed'` }, 90);
      await db.insert({ status: `'processing'`, locked_by: `'busy'`, locked_until: `now() + interval '1 minute'` }, 90);

      const claimed = await db.claim('worker');
      expect(claimed.map((row) => row.id)).toEqual([retried, abandoned, fresh]);
      expect(claimed.map((row) => row.attempts)).toEqual([2, 2, 1]);
    });

    test('leases what it hands out and counts the attempt', async () => {
      const id = await db.insert();
      const [claimed] = await db.claim('worker', 1, 120);
      expect(claimed).toMatchObject({
        id,
        status: 'processing',
        attempts: 1,
        locked_by: 'worker',
        next_retry_at: null,
      });
      expect(claimed).toHaveProperty('template_data.subject', 'Welcome');
      const seconds = `(select round(extract(epoch from locked_until - now()))::int from email_queue)`;
      expect(await db.call<number>(seconds)).toBeGreaterThanOrEqual(118);
      expect(await db.claim('other')).toEqual([]);
    });

    test('leaves rows that a legacy worker marked processing alone', async () => {
      const id = await db.insert({ status: `'processing'` }, 600);
      expect(await db.claim('worker')).toEqual([]);
      expect(await db.row(id)).toMatchObject({ status: 'processing', attempts: 0 });
    });

    test('buries a row that took its worker down alone after its last attempt, so that it takes no further one down', async () => {
      const id = await db.insert();
      for (const worker of ['first', 'second', 'third', 'alone']) {
        expect(await db.claim(worker)).toHaveLength(1);
        await db.expireLease(id);
      }
      expect(await db.claim('fifth')).toEqual([]);
      expect(await db.row(id)).toMatchObject({ status: 'failed', attempts: 4, locked_by: null });
      expect(await db.deadLetters()).toMatchObject([
        {
          original_queue_id: id,
          total_attempts: 4,
          failure_reason: 'lease expired at the last attempt',
          reviewed_at: null,
        },
      ]);
    });

    test('hands out rows whose leases ran out at their last attempt one by one, to workers that hold nothing else', async () => {
      const suspects = [await db.insert({ max_attempts: '1' }, 3), await db.insert({ max_attempts: '1' }, 2)];
      expect(await db.claim('killed')).toHaveLength(2);
      for (const id of suspects) await db.expireLease(id);
      const fresh = await db.insert();

      const alone = await db.claim('worker');
      expect(alone).toMatchObject([{ id: suspects[0], attempts: 2, max_attempts: 1 }]);
      expect(await db.claim('worker')).toMatchObject([{ id: fresh }]);
      expect(await db.claim('worker')).toEqual([]);
      expect(await db.claim('other')).toMatchObject([{ id: suspects[1], attempts: 2 }]);
      expect(await db.deadLetters()).toEqual([]);

      await db.finish('worker', [{ id: suspects[0] ?? '', attempt: 2, outcome: 'sent', provider: 'brevo' }]);
      expect(await db.row(suspects[0] ?? '')).toMatchObject({ status: 'completed' });
    });

    test('a suspect that was given back stays one', async () => {
      const id = await db.insert({ max_attempts: '1' }, 2);
      await db.claim('killed');
      await db.expireLease(id);
      await db.claim('worker');
      expect(await db.release('worker', [id])).toEqual([id]);
      const fresh = await db.insert();
      expect(await db.claim('other')).toMatchObject([{ id, attempts: 2 }]);
      expect(await db.claim('other')).toMatchObject([{ id: fresh }]);
    });

    test('keeps its limits whatever it is asked for', async () => {
      await db.query(
        `insert into email_queue (recipient_email, email_type) select 'a@example.org', 'auth' from generate_series(1, 620)`,
      );
      expect(await db.claim('worker', -5)).toHaveLength(1);
      expect(await db.claim('worker', 100_000)).toHaveLength(500);
      expect(await db.claim('worker', null)).toHaveLength(100);
      expect(await db.claim('worker', 100, null)).toHaveLength(19);
    });

    test('does not choke on a row whose attempts are at the end of the numbers', async () => {
      await db.insert({ attempts: '2147483647', max_attempts: '2147483647' });
      expect(await db.claim('worker')).toMatchObject([{ attempts: 2_147_483_647 }]);
    });

    test('refuses a worker without a name', async () => {
      await expect(db.claim('')).rejects.toThrow('p_worker is empty');
    });

    test('takes a hostile worker name as mere text', async () => {
      const id = await db.insert();
      const worker = `x'; drop table email_queue; --`;
      expect(await db.claim(worker)).toMatchObject([{ id, locked_by: worker }]);
      expect(await db.renew(worker, [id])).toEqual([id]);
    });
  });

  describe('renewing leases', () => {
    test('extends those still held and leaves out the others', async () => {
      const [held, lost] = [await db.insert({}, 2), await db.insert({}, 1)];
      await db.claim('worker', 2, 10);
      await db.expireLease(lost);
      await db.claim('other', 1);
      expect(await db.renew('worker', [held, lost], 600)).toEqual([held]);
      const isLonger = `(select locked_until > now() + interval '500 seconds' from email_queue where id = $1::text::uuid)`;
      expect(await db.call(isLonger, held)).toBe(true);
      expect(await db.row(lost)).toMatchObject({ locked_by: 'other' });
    });
  });

  describe('releasing', () => {
    test('gives rows back without costing an attempt', async () => {
      const id = await db.insert({ attempts: '1', last_error: `'greylisted'` });
      await db.claim('worker');
      expect(await db.release('worker', [id])).toEqual([id]);
      expect(await db.row(id)).toMatchObject({
        status: 'queued',
        attempts: 1,
        locked_by: null,
        locked_until: null,
        next_retry_at: null,
        last_error: 'greylisted',
      });
      expect(await db.claim('next')).toMatchObject([{ id, attempts: 2 }]);
    });

    test('can say when to try again and why', async () => {
      const id = await db.insert();
      await db.claim('worker');
      await db.release('worker', [id], '2999-01-01T00:00:00Z', 'no quota left');
      expect(await db.row(id)).toMatchObject({
        next_retry_at: '2999-01-01T00:00:00+00:00',
        last_error: 'no quota left',
      });
      expect(await db.claim('next')).toEqual([]);
    });

    test('gives back nothing that another worker holds', async () => {
      const id = await db.insert();
      await db.claim('owner');
      expect(await db.release('other', [id])).toEqual([]);
      expect(await db.row(id)).toMatchObject({ status: 'processing', locked_by: 'owner', attempts: 1 });
    });
  });
}
