/** What `email_provider_history` promises, on any Postgres. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { QueueDatabase } from '../support/queue-database.ts';

interface History {
  readonly now: string;
  readonly since: string;
  readonly bucketMinutes: number;
  readonly buckets: readonly {
    readonly provider: string;
    readonly at: string;
    readonly sent: number;
    readonly failed: number;
    readonly p95Ms: number | null;
  }[];
}

export function describeHistory(open: () => QueueDatabase): void {
  let db: QueueDatabase;
  beforeEach(async () => {
    db = open();
    await db.clear();
  });
  const history = (minutes: number | null, bucket: number | null) =>
    db.call<History>(
      'email_provider_history($1::text::int, $2::text::int)',
      minutes?.toString() ?? null,
      bucket?.toString() ?? null,
    );
  const log = (rows: string) =>
    db.query(
      `insert into email_logs (recipient_email, email_type, provider, status, latency_ms, created_at)
       select 'a@example.org', 'auth', provider, status, latency_ms, at from (values ${rows}) as log (provider, status, latency_ms, at)`,
    );

  describe('the history of the providers', () => {
    test('is empty where nothing was sent, and begins at a whole bucket', async () => {
      const { now, since, bucketMinutes, buckets } = await history(60, 5);
      expect([bucketMinutes, buckets]).toEqual([5, []]);
      expect(Date.parse(since) % 300_000).toBe(0);
      const age = Date.parse(now) - Date.parse(since);
      expect(age).toBeGreaterThanOrEqual(3_600_000);
      expect(age).toBeLessThan(3_600_000 + 301_000);
    });

    test('counts by provider and bucket, with the 95th percentile of the latencies', async () => {
      await log(`
        ('brevo', 'sent', 100, now() - interval '1 second'), ('brevo', 'delivered', 300, now() - interval '1 second'),
        ('brevo', 'bounced', null, now() - interval '1 second'), ('resend', 'failed', 40, now() - interval '1 second'),
        ('brevo', 'pending', null, now() - interval '1 second')`);
      const { buckets } = await history(1440, 60);
      const sum = (provider: string, of: 'sent' | 'failed') =>
        buckets.filter((each) => each.provider === provider).reduce((total, bucket) => total + bucket[of], 0);
      expect([sum('brevo', 'sent'), sum('brevo', 'failed'), sum('resend', 'sent'), sum('resend', 'failed')]).toEqual([
        2, 1, 0, 1,
      ]);
      expect(buckets.find(({ provider }) => provider === 'brevo')?.p95Ms).toBe(300);
      expect(buckets.every(({ at }) => Date.parse(at) % 3_600_000 === 0)).toBe(true);
    });

    test('leaves out what is older, what lies ahead, and impossible times', async () => {
      await log(`
        ('brevo', 'sent', 1, now() - interval '3 hours'), ('brevo', 'sent', 1, now() + interval '1 hour'),
        ('brevo', 'sent', 1, 'infinity'), ('brevo', 'sent', 1, '-infinity'), ('brevo', 'sent', 7, now() - interval '30 minutes')`);
      expect((await history(60, 15)).buckets).toMatchObject([{ provider: 'brevo', sent: 1, p95Ms: 7 }]);
    });

    test.each([
      [null, null, 15],
      [1440, 1, 5],
      [60, 1, 1],
      [0, 0, 1],
      [99_999, 15, 15],
      [60, 999, 60],
    ])('asked for %s minutes in buckets of %s it answers buckets of %s', async (minutes, bucket, expected) => {
      const { now, since, bucketMinutes } = await history(minutes, bucket);
      expect(bucketMinutes).toBe(expected);
      expect((Date.parse(now) - Date.parse(since)) / 60_000 / bucketMinutes).toBeLessThanOrEqual(302);
    });
  });
}
