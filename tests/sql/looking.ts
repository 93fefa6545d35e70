/** What `email_ops_overview` promises, on any Postgres, and the counters behind it. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { QueueDatabase } from '../support/queue-database.ts';

export function describeLooking(open: () => QueueDatabase): void {
  let db: QueueDatabase;
  beforeEach(async () => {
    db = open();
    await db.clear();
  });

  const counted = async () =>
    Object.fromEntries(
      (
        await db.query<{ status: string; n: number }>(
          'select status, count(*)::int as n from email_queue group by status',
        )
      ).map(({ status, n }) => [status, n]),
    );

  describe('the overview', () => {
    test('is complete on an empty database', async () => {
      const { now, throughput, ...rest } = await db.overview();
      expect(Math.abs(Date.parse(String(now)) - Date.now())).toBeLessThan(60_000);
      expect(rest).toEqual({
        schemaVersion: 1,
        counts: { queued: 0, processing: 0, failed: 0, completed: 0 },
        ready: 0,
        oldestReadyAt: null,
        waitingRetry: 0,
        nextRetryAt: null,
        expiredLeases: 0,
        oldestProcessingAt: null,
        lastCompletedAt: null,
        deadLetters: 0,
        unreviewedDeadLetters: 0,
        quotas: [],
        deliveries24h: [],
      });
      expect(throughput).toHaveLength(24);
      const times = throughput.map(({ at }) => Date.parse(at));
      expect(
        times.every((time, n) => time % 300_000 === 0 && (n === 0 || time - (times[n - 1] ?? 0) === 300_000)),
      ).toBe(true);
      expect(Date.parse(String(now)) - (times.at(-1) ?? 0)).toBeLessThan(300_000);
    });

    test('tells ready from waiting and the oldest from the next', async () => {
      await db.insert({ created_at: `'2026-01-02T00:00:00Z'` });
      await db.insert({ created_at: `'2026-01-01T00:00:00Z'`, next_retry_at: `'2026-01-03T00:00:00Z'`, attempts: '1' });
      await db.insert({ next_retry_at: `'2999-01-02T00:00:00Z'`, attempts: '1' });
      await db.insert({ next_retry_at: `'2999-01-01T00:00:00Z'`, attempts: '1' });
      await db.insert({
        status: `'processing'`,
        locked_by: `'x'`,
        locked_until: `now() - interval '1 minute'`,
        updated_at: `'2026-01-04T00:00:00Z'`,
      });
      await db.insert({ status: `'processing'`, locked_by: `'x'`, locked_until: `now() + interval '1 minute'` });
      await db.insert({ status: `'completed'`, updated_at: `'2026-01-05T00:00:00Z'` });
      await db.insert({ status: `'completed'`, updated_at: `'2026-01-04T00:00:00Z'` });
      await db.insert({ status: `'failed'` });
      expect(await db.overview()).toMatchObject({
        counts: { queued: 4, processing: 2, failed: 1, completed: 2 },
        ready: 2,
        oldestReadyAt: '2026-01-02T00:00:00+00:00',
        waitingRetry: 2,
        nextRetryAt: '2999-01-01T00:00:00+00:00',
        expiredLeases: 1,
        oldestProcessingAt: '2026-01-04T00:00:00+00:00',
        lastCompletedAt: '2026-01-05T00:00:00+00:00',
      });
    });

    test('sums quotas by UTC day and month, and leaves tomorrow out', async () => {
      await db.query(
        `insert into email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
         select 'brevo', day, sent, 300, 9000 from (
           select (now() at time zone 'utc')::date as today
         ) as clock, lateral (values
           (today, 5), (today + 1, 7), ((date_trunc('month', today) - interval '1 day')::date, 11)
         ) as use (day, sent)`,
      );
      expect(await db.overview()).toMatchObject({
        quotas: [{ provider: 'brevo', daySent: 5, dayLimit: 300, monthSent: 5, monthLimit: 9000 }],
      });
    });

    test('tells when a quota was counted last, but not of a row that was only ever inserted', async () => {
      await db.query(
        `insert into email_provider_quota (provider, date, emails_sent, daily_limit, created_at, updated_at) values
           ('brevo', (now() at time zone 'utc')::date, 300, 300, '2026-01-01T00:00:00Z', '2026-01-01T21:40:00Z'),
           ('resend', (now() at time zone 'utc')::date, 100, 100, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')`,
      );
      expect(await db.overview()).toMatchObject({
        quotas: [
          { provider: 'brevo', countedAt: '2026-01-01T21:40:00+00:00' },
          { provider: 'resend', countedAt: null },
        ],
      });
    });

    test('counts deliveries of 24 hours by provider and of two hours by five minutes', async () => {
      await db.query(
        `insert into email_logs (recipient_email, email_type, provider, status, latency_ms, created_at)
         select 'a@example.org', 'auth', provider, status, latency_ms, now() - age from (values
           ('brevo', 'sent', 100, interval '1 second'), ('brevo', 'delivered', 200, interval '23 hours'),
           ('brevo', 'failed', 900, interval '3 hours'), ('brevo', 'sent', 1, interval '25 hours'),
           ('brevo', 'pending', null, interval '1 second'), ('resend', 'bounced', null, interval '1 hour')
         ) as log (provider, status, latency_ms, age)`,
      );
      await db.insert({}, 0);
      const { deliveries24h, throughput } = await db.overview();
      expect(deliveries24h).toEqual([
        { provider: 'brevo', sent: 2, failed: 1, p95Ms: 900 },
        { provider: 'resend', sent: 0, failed: 1, p95Ms: null },
      ]);
      const sum = (key: 'sent' | 'enqueued') => throughput.reduce((total, bucket) => total + bucket[key], 0);
      expect({ sent: sum('sent'), enqueued: sum('enqueued') }).toEqual({ sent: 1, enqueued: 1 });
    });

    test('counts deliveries as their logs are changed, moved and deleted by anybody', async () => {
      await db.query(
        `insert into email_logs (recipient_email, email_type, provider, status, created_at)
         select 'a@example.org', 'auth', 'brevo', 'sent', now() - n * interval '1 minute' from generate_series(1, 40) as n`,
      );
      await db.query(`update email_logs set status = 'bounced' where created_at > now() - interval '630 seconds'`);
      await db.query(`update email_logs set provider = 'resend' where status = 'bounced'`);
      await db.query(`delete from email_logs where created_at < now() - interval '1830 seconds'`);
      const deliveries = [
        { provider: 'brevo', sent: 20, failed: 0, p95Ms: null },
        { provider: 'resend', sent: 0, failed: 10, p95Ms: null },
      ];
      const before = await db.overview();
      expect(before.deliveries24h).toEqual(deliveries);
      expect(before.throughput.reduce((total, { sent }) => total + sent, 0)).toBe(20);
      await db.query('select email_ops_recount()');
      const { deliveries24h, throughput } = await db.overview();
      expect({ deliveries24h, throughput }).toEqual({ deliveries24h: deliveries, throughput: before.throughput });
      await db.query('truncate email_logs');
      expect((await db.overview()).deliveries24h).toEqual([]);
    });

    test('counts dead letters, reviewed or not', async () => {
      const ids = [await db.insert(), await db.insert()];
      await db.claim('worker');
      await db.finish(
        'worker',
        ids.map((id) => ({ id, attempt: 1, outcome: 'discard', reason: 'x' })),
      );
      await db.discard(ids.slice(0, 1));
      expect(await db.overview()).toMatchObject({ deadLetters: 2, unreviewedDeadLetters: 1 });
    });
  });

  describe('the counters', () => {
    test('follow changes made by hand', async () => {
      await db.query(
        `insert into email_queue (recipient_email, email_type) select 'a@example.org', 'auth' from generate_series(1, 100)`,
      );
      await db.query(
        `update email_queue set status = 'completed' where ctid in (select ctid from email_queue limit 30)`,
      );
      await db.query(
        `delete from email_queue where ctid in (select ctid from email_queue where status = 'completed' limit 10)`,
      );
      await db.query(`update email_queue set next_retry_at = now() + interval '1 hour' where status = 'queued'`);
      await db.query(`update email_queue set last_error = 'x' where false`);
      expect(await counted()).toEqual({ queued: 70, completed: 20 });
      expect(await db.overview()).toMatchObject({ counts: { queued: 70, completed: 20 }, ready: 0, waitingRetry: 70 });
      await db.query('truncate email_queue');
      expect(await db.overview()).toMatchObject({ counts: { queued: 0, completed: 0 }, waitingRetry: 0 });
    });

    test('do not get in the way of rows with impossible dates', async () => {
      for (const date of ['infinity', '-infinity', '294000-01-01', '4000-01-01 BC']) {
        await db.insert({ created_at: `'${date}'` });
      }
      expect(await db.overview()).toMatchObject({ counts: { queued: 4 }, ready: 4 });
      expect(await db.claim('worker')).toHaveLength(4);
    });

    test('forget what was rolled back', async () => {
      await db.insert();
      await db.query(`do $$ begin
        delete from email_queue; raise exception 'no';
        exception when others then null; end $$`);
      expect(await db.overview()).toMatchObject({ counts: { queued: 1 } });
    });

    test('stay few however many statements there are', async () => {
      await db.query(`do $$ begin
        for n in 1..1500 loop insert into public.email_queue (recipient_email, email_type) values ('a@example.org', 'auth'); end loop;
      end $$`);
      expect(await db.call<number>('(select count(*)::int from email_ops_counters)')).toBeLessThan(600);
      expect(await db.overview()).toMatchObject({ counts: { queued: 1500 } });
    });

    test('can be counted anew', async () => {
      await db.insert();
      await db.query(`insert into email_ops_counters (name, delta) values ('completed', 5)`);
      expect(await db.call('email_ops_recount()')).toEqual({ undelayed: 1 });
      expect(await db.overview()).toMatchObject({ counts: { queued: 1, completed: 0 } });
    });
  });
}
