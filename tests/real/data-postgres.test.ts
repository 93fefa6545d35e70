/** The Postgres gateways on a real PostgreSQL behind a PostgREST-compatible server, with and without our migration. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLogs } from '../../src/data/logs.ts';
import { createOverview } from '../../src/data/overview.ts';
import { createQueue, type Queue } from '../../src/data/queue.ts';
import { createQueueList, type QueueList } from '../../src/data/queue-list.ts';
import { createQuota } from '../../src/data/quota.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import type { QueueOverview } from '../../src/domain/queue.ts';
import { systemClock } from '../../src/domain/time.ts';
import { manualClock } from '../support/clock.ts';
import {
  applyMigrations,
  type Database,
  isPostgresMissing,
  migrationFiles,
  type PostgresCluster,
  startPostgres,
} from '../support/postgres.ts';
import { type RestServer, serveRest } from '../support/rest.ts';

interface Site {
  readonly database: Database;
  readonly rest: RestServer;
  readonly supabase: SupabaseConnection;
}

const MISSING = '00000000-0000-4000-8000-000000000000';
const anEmail = (name: string) => ({
  recipientEmail: `${name}@example.org`,
  emailType: 'chat',
  templateData: { subject: `Hello ${name}`, html: '<p>hi</p>' },
});

describe.skipIf(isPostgresMissing())('gateways on Postgres', () => {
  let cluster: PostgresCluster;
  let migrated: Site;
  let deployed: Site;

  beforeAll(async () => {
    cluster = await startPostgres();
    migrated = await open(migrationFiles());
    deployed = await open(migrationFiles().slice(0, 1));
  });
  afterAll(async () => {
    for (const site of [migrated, deployed]) {
      await site?.supabase.close();
      await site?.rest.stop();
    }
    await cluster?.stop();
  });
  beforeEach(async () => {
    for (const { database } of [migrated, deployed]) {
      await database.sql`truncate email_queue, email_logs, email_provider_quota, email_dead_letter_queue`;
    }
  });

  async function open(files: readonly string[]): Promise<Site> {
    const database = await cluster.createDatabase();
    await applyMigrations(database.sql, files);
    const rest = await serveRest(database.url);
    return { database, rest, supabase: connectSupabase({ url: rest.url, serviceRoleKey: rest.key }) };
  }

  /** The same state on both, by plain SQL: what legacy programs write. */
  async function fill({ database: { sql } }: Site): Promise<void> {
    await sql`
      insert into email_queue (recipient_email, email_type, template_data, status, attempts, next_retry_at, created_at, updated_at, last_error)
      select 'r' || n || '@example.org', 'chat', jsonb_build_object('subject', 'Subject ' || n, 'html', '<p/>'),
        case when n <= 10 then 'queued' when n <= 12 then 'processing' when n <= 15 then 'failed' else 'completed' end,
        case when n <= 3 then 1 else 0 end,
        case when n = 1 then now() - interval '1 minute' when n in (2, 3) then now() + interval '20 minutes' end,
        now() - interval '1 hour' - n * interval '1 second', now() - interval '7 minutes',
        case when n = 13 then '550 no such user' end
      from generate_series(1, 20) as n`;
    await sql`insert into email_queue (recipient_email, email_type, template_data) values ('new@example.org', 'auth', '"no object"')`;
    await sql`
      insert into email_logs (recipient_email, email_type, provider, status, latency_ms, created_at)
      select 'r@example.org', 'chat', 'brevo', case when n <= 8 then 'sent' when n = 9 then 'bounced' else 'pending' end,
        n * 100, now() - interval '6 minutes'
      from generate_series(1, 10) as n`;
    await sql`insert into email_logs (recipient_email, email_type, provider, status, created_at) values ('r@example.org', 'chat', 'resend', 'delivered', now() - interval '25 hours')`;
    await sql`
      insert into email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
      select 'brevo', day::date, 8, 300, 9000
      from generate_series(date_trunc('month', now() at time zone 'utc'), (now() at time zone 'utc')::date, interval '1 day') as day`;
    await sql`
      update email_provider_quota set created_at = now() - interval '2 hours', updated_at = now() - interval '20 minutes'
      where date = (now() at time zone 'utc')::date`;
    await sql`
      insert into email_dead_letter_queue (original_queue_id, recipient_email, email_type, total_attempts, failure_reason, reviewed_at)
      select id, recipient_email, email_type, 3, 'all attempts used', case when row_number() over (order by id) = 1 then now() end
      from email_queue where status = 'failed'`;
  }

  const dayOfMonth = new Date().getUTCDate();

  function expectFilled(overview: QueueOverview): void {
    const now = Date.now();
    expect(overview).toMatchObject({
      counts: { queued: 11, processing: 2, failed: 3, completed: 5 },
      ready: 9,
      waitingRetry: 2,
      expiredLeases: 0,
      deadLetters: 3,
      unreviewedDeadLetters: 2,
      skipped: 0,
      deliveries24h: [{ provider: 'brevo', sent: 8, failed: 1, p95Ms: 1_000 }],
    });
    expect(now - (overview.oldestReadyAtEpochMs ?? 0)).toBeGreaterThan(3_600_000);
    expect((overview.nextRetryAtEpochMs ?? 0) - now).toBeGreaterThan(15 * 60_000);
    expect(now - (overview.lastCompletedAtEpochMs ?? 0)).toBeGreaterThan(5 * 60_000);
    expect(now - (overview.oldestProcessingAtEpochMs ?? 0)).toBeGreaterThan(6 * 60_000);
    expect(overview.quotas.map(({ provider, day, month }) => [provider, day.sent, day.limit, month.sent])).toEqual([
      ['resend', 0, 100, 0],
      ['brevo', 8, 300, 8 * dayOfMonth],
      ['mailersend', 0, 400, 0],
      ['aws_ses', 0, 200, 0],
    ]);
    expect(now - (overview.quotas[1]?.countedAtEpochMs ?? 0)).toBeGreaterThan(19 * 60_000);
    expect(now - (overview.quotas[1]?.countedAtEpochMs ?? 0)).toBeLessThan(22 * 60_000);
    expect(overview.throughput).toHaveLength(24);
    const sum = (field: 'sent' | 'failed' | 'enqueued') =>
      overview.throughput.reduce((total, bucket) => total + bucket[field], 0);
    expect([sum('sent'), sum('failed'), sum('enqueued')]).toEqual([8, 1, 21]);
    for (const [index, { atEpochMs }] of overview.throughput.entries()) {
      expect(atEpochMs).toBe((overview.throughput[0]?.atEpochMs ?? 0) + index * 300_000);
    }
  }

  describe('overview', () => {
    test('is one request, and says what plain SQL put there', async () => {
      await fill(migrated);
      const before = migrated.supabase.usage().requests;
      const { overview } = await createOverview(migrated.supabase.client, systemClock).read();
      expect(migrated.supabase.usage().requests - before).toBe(1);
      expectFilled(overview);
      expect(overview.schemaVersion).toBe(1);
      expect(Math.abs((overview.databaseAtEpochMs ?? 0) - Date.now())).toBeLessThan(5_000);
    });

    test('without our migration the plain tables say the same', async () => {
      await fill(deployed);
      const { overview } = await createOverview(deployed.supabase.client, systemClock).read();
      expectFilled(overview);
      expect([overview.schemaVersion, overview.databaseAtEpochMs]).toEqual([null, null]);
    });

    test('plain tables are read once in half a minute, and the function is asked for again before each', async () => {
      const clock = manualClock(Date.now());
      const overview = createOverview(deployed.supabase.client, clock);
      const first = await overview.read();
      const requests = () => deployed.supabase.usage().requests;
      const afterFirst = requests();
      clock.advance(5_000);
      expect((await overview.read()).atEpochMs).toBe(first.atEpochMs);
      expect(requests()).toBe(afterFirst);
      clock.advance(30_000);
      await overview.read();
      const perReading = requests() - afterFirst;
      expect(perReading).toBeLessThanOrEqual(15);
      clock.advance(5 * 60_000);
      await overview.read();
      expect(requests() - afterFirst).toBe(2 * perReading);
    });

    test('an empty database is all zeros', async () => {
      for (const { supabase } of [migrated, deployed]) {
        const { overview } = await createOverview(supabase.client, systemClock).read();
        expect(overview).toMatchObject({
          counts: { queued: 0, processing: 0, failed: 0, completed: 0 },
          ready: 0,
          oldestReadyAtEpochMs: null,
          nextRetryAtEpochMs: null,
          lastCompletedAtEpochMs: null,
          deliveries24h: [],
        });
        expect(overview.quotas).toHaveLength(4);
      }
    });

    test('more deliveries than PostgREST answers at once are all counted', async () => {
      await deployed.database.sql`
        insert into email_logs (recipient_email, email_type, provider, status, latency_ms, created_at)
        select 'r@example.org', 'chat', 'aws_ses', 'sent', 10, now() - n * interval '10 seconds' from generate_series(1, 2345) as n`;
      const { overview } = await createOverview(deployed.supabase.client, systemClock).read();
      expect(overview.deliveries24h).toEqual([{ provider: 'aws_ses', sent: 2_345, failed: 0, p95Ms: 10 }]);
    });
  });

  test('quotas of the month, with limits of the newest row', async () => {
    await fill(deployed);
    const { quotas, skipped } = await createQuota(deployed.supabase.client, systemClock).read();
    expect(skipped).toBe(0);
    expect(quotas[1]).toEqual({
      provider: 'brevo',
      day: { sent: 8, limit: 300 },
      month: { sent: 8 * dayOfMonth, limit: 9_000 },
      countedAtEpochMs: expect.any(Number),
    });
  });

  describe('what workers do', () => {
    let queue: Queue;
    beforeEach(() => {
      queue = createQueue(migrated.supabase.client);
    });
    const claim = (worker: string, limit = 10) => queue.claim({ worker, limit, leaseSeconds: 60 });

    test('claim, renew, finish, release', async () => {
      const { ids } = await queue.enqueue(['a', 'b', 'c', 'd'].map(anEmail));
      const { emails, unreadable } = await claim('w1');
      expect(unreadable).toBe(0);
      expect(emails.map(({ id }) => id)).toEqual(ids);
      expect(emails[0]).toMatchObject({
        recipientEmail: 'a@example.org',
        status: 'processing',
        attempts: 1,
        lockedBy: 'w1',
        content: { subject: 'Hello a', html: '<p>hi</p>', text: null },
      });
      expect((await claim('w2')).emails).toEqual([]);
      expect(await queue.renew({ worker: 'w1', ids, leaseSeconds: 60 })).toHaveLength(4);
      expect(await queue.renew({ worker: 'w2', ids, leaseSeconds: 60 })).toEqual([]);

      const [a = '', b = '', c = '', d = ''] = ids;
      const results = [
        { id: a, attempt: 1, outcome: 'sent', provider: 'brevo', messageId: 'm-1', latencyMs: 240 },
        { id: b, attempt: 1, outcome: 'retry', provider: 'resend', error: 'HTTP 500' },
        { id: c, attempt: 1, outcome: 'discard', reason: 'no html' },
      ] as const;
      const finished = await queue.finish('w1', results);
      expect(finished).toEqual({ applied: expect.any(Array), notOurs: [], deadLettered: [c], rejected: [] });
      expect([...finished.applied].sort()).toEqual([a, b, c].sort());
      expect(await queue.finish('w1', results)).toMatchObject({ applied: [], deadLettered: [] });
      expect(
        await queue.release({ worker: 'w1', ids: [d], retryAtEpochMs: Date.now() + 60_000, note: 'quota' }),
      ).toEqual([d]);

      const { overview } = await createOverview(migrated.supabase.client, systemClock).read();
      expect(overview).toMatchObject({
        counts: { queued: 2, processing: 0, failed: 1, completed: 1 },
        waitingRetry: 2,
        unreviewedDeadLetters: 1,
      });
      expect(overview.quotas[1]?.day.sent).toBe(1);
    });

    test('an empty queue hands out nothing', async () => {
      expect(await claim('w1')).toEqual({ emails: [], unreadable: 0 });
    });

    test('whatever a legacy program put into a row, it can be read', async () => {
      await migrated.database
        .sql`insert into email_queue (recipient_email, email_type, template_data) values ('', 'chat', '[1]'), ('x', 'chat', '{"subject": 7}')`;
      const { emails, unreadable } = await claim('w1');
      expect([emails.length, unreadable]).toEqual([2, 0]);
      expect(emails.every(({ content }) => content.subject === null && content.html === null)).toBe(true);
    });
  });

  describe('what operators do', () => {
    let queue: Queue;
    let list: QueueList;
    beforeEach(() => {
      queue = createQueue(migrated.supabase.client);
      list = createQueueList(migrated.supabase.client);
    });

    test('retry, discard and redrive say what they did and what they left', async () => {
      await fill(migrated);
      const failed = await list.list({ status: 'failed' });
      const [one = '', two = '', three = ''] = failed.rows.map(({ id }) => id);
      expect(await queue.retry([one, MISSING])).toEqual({
        ids: [one],
        skipped: [{ id: MISSING, reason: 'not found' }],
      });
      expect((await queue.discard([two], 'wrong address')).ids).toEqual([two]);
      const letters = (await list.deadLetters({ isReviewed: false })).rows;
      const letter = letters.find(({ originalQueueId }) => originalQueueId === three);
      if (letter !== undefined) expect((await queue.redrive([letter.id])).ids).toEqual([three]);
      expect((await queue.redrive([MISSING])).skipped).toEqual([{ id: MISSING, reason: 'not found' }]);
    });

    test('the same key is enqueued once', async () => {
      const emails = [{ ...anEmail('a'), key: 'k1' }, anEmail('b')];
      const first = await queue.enqueue(emails);
      expect([first.enqueued, first.duplicates, first.ids.length]).toEqual([2, 0, 2]);
      const second = await queue.enqueue(emails);
      expect([second.enqueued, second.duplicates, second.ids[0]]).toEqual([1, 1, first.ids[0]]);
    });

    test('an unusable email is named, in words', async () => {
      await expect(queue.enqueue([{ ...anEmail('a'), recipientEmail: '' }])).rejects.toMatchObject({
        fault: { code: 'protocol', message: expect.stringContaining('email 1: recipientEmail is missing') },
      });
    });
  });

  describe('without our migration', () => {
    test('emails without a key go through queue_email', async () => {
      const queue = createQueue(deployed.supabase.client);
      const { enqueued, ids } = await queue.enqueue([anEmail('a'), anEmail('b')]);
      expect(enqueued).toBe(2);
      const { rows } = await createQueueList(deployed.supabase.client).list();
      expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect(rows[0]).toMatchObject({ lockedBy: null, lockedUntilEpochMs: null, subject: expect.any(String) });
    });

    test('everything else says that the migration is missing', async () => {
      const queue = createQueue(deployed.supabase.client);
      const missing = { fault: { code: 'missing-schema', remedy: expect.stringContaining('supabase/migrations') } };
      await expect(queue.enqueue([{ ...anEmail('a'), key: 'k' }])).rejects.toMatchObject(missing);
      await expect(queue.claim({ worker: 'w', limit: 1, leaseSeconds: 60 })).rejects.toMatchObject(missing);
      await expect(queue.retry([MISSING])).rejects.toMatchObject(missing);
    });

    test('a row is shown with the deliveries to the same recipient, as a guess', async () => {
      const { ids } = await createQueue(deployed.supabase.client).enqueue([anEmail('a')]);
      await deployed.database
        .sql`insert into email_logs (recipient_email, email_type, provider, status) values ('a@example.org', 'chat', 'brevo', 'sent')`;
      const story = await createQueueList(deployed.supabase.client).show(ids[0] ?? '');
      expect(story).toMatchObject({ isGuess: true, logs: [{ provider: 'brevo', status: 'sent' }], deadLetters: [] });
    });
  });

  describe('looking at the queue', () => {
    let list: QueueList;
    beforeEach(() => {
      list = createQueueList(migrated.supabase.client);
    });

    test('dead letters are found by type and words, page by page', async () => {
      await migrated.database.sql`
        insert into email_dead_letter_queue
          (recipient_email, email_type, template_data, total_attempts, failure_reason, last_error, moved_to_dlq_at)
        select 'r' || n || '@example.org', case when n % 2 = 0 then 'chat' else 'auth' end,
          jsonb_build_object('subject', 'Subject ' || n), 3, case when n = 3 then 'bad, (really) bad' else 'used up' end,
          case when n = 4 then '550 100% full' end, timestamptz '2026-11-20 10:00:00+00' + n * interval '1 second'
        from generate_series(1, 9) as n`;
      const found = async (filter: Parameters<QueueList['deadLetters']>[0]) =>
        (await list.deadLetters(filter)).rows.map(({ recipientEmail }) => recipientEmail.slice(1, 2)).join('');
      expect(await found({ emailType: 'chat' })).toBe('8642');
      expect(await found({ text: 'R7@EXAMPLE' })).toBe('7');
      expect(await found({ text: 'bad, (really)' })).toBe('3');
      expect(await found({ text: '100%' })).toBe('4');
      expect(await found({ text: 'subject 5', emailType: 'chat' })).toBe('');
      const filter = { text: 'used up', emailType: 'auth', isReviewed: false, limit: 2 };
      const first = await list.deadLetters(filter);
      expect(await found({ ...filter, cursor: first.nextCursor ?? '' })).toBe('51');
    });

    test('pages go on where the last one ended, also where many rows share a time', async () => {
      await migrated.database.sql`
        insert into email_queue (recipient_email, email_type, template_data, created_at, updated_at)
        select 'r' || n || '@example.org', 'chat', '{}', timestamptz '2026-11-20 10:00:00.123456+00' + (n / 7) * interval '1 microsecond', now()
        from generate_series(1, 53) as n`;
      for (const sort of ['oldest', 'newest', 'changed'] as const) {
        const seen: string[] = [];
        let cursor: string | null | undefined;
        let pages = 0;
        do {
          const page = await list.list({ sort, limit: 10, ...(cursor ? { cursor } : {}) });
          seen.push(...page.rows.map(({ id }) => id));
          cursor = page.nextCursor;
          pages += 1;
        } while (cursor !== null && pages < 20);
        expect([pages, seen.length, new Set(seen).size]).toEqual([6, 53, 53]);
      }
    });

    test('a cursor that is none of ours is refused before anything is asked', async () => {
      const bad = ['x', '2026-11-20|x', `2026-11-20,id.not.is.null|${MISSING}`];
      for (const cursor of bad) await expect(list.list({ cursor })).rejects.toThrow('The cursor is not one of ours.');
    });

    test('filters by status, type and text', async () => {
      await fill(migrated);
      const count = async (filter: Parameters<QueueList['list']>[0]) => (await list.list(filter)).rows.length;
      expect(await count({ status: 'failed' })).toBe(3);
      expect(await count({ emailType: 'auth' })).toBe(1);
      expect(await count({ text: 'NO SUCH user' })).toBe(1);
      expect(await count({ text: 'subject 1' })).toBe(11);
      expect(await count({ text: 'new@', status: 'queued' })).toBe(1);
      expect(await count({ text: 'r7@example' })).toBe(1);
    });

    test.each(['q%q', 'q_q', 'q\\q', 'q"q', 'q,q', 'q)q', 'q(q', "q'q", 'q{q}', 'q,b.eq.c', 'q"),id.not.is.null,('])(
      'the text %s is only text',
      async (text) => {
        await fill(migrated);
        expect((await list.list({ text })).rows).toEqual([]);
        await migrated.database.sql`
          update email_queue set last_error = ${`x${text}y`} where recipient_email = 'r1@example.org'`;
        const { rows } = await list.list({ text });
        expect(rows.map(({ recipientEmail }) => recipientEmail)).toEqual(['r1@example.org']);
      },
    );

    test('a row is shown with its content, deliveries and dead letters', async () => {
      const queue = createQueue(migrated.supabase.client);
      const { ids } = await queue.enqueue([{ ...anEmail('a'), maxAttempts: 1 }]);
      await queue.claim({ worker: 'w', limit: 1, leaseSeconds: 60 });
      await queue.finish('w', [
        { id: ids[0] ?? '', attempt: 1, outcome: 'retry', provider: 'brevo', error: 'HTTP 500' },
      ]);
      expect(await list.show(ids[0] ?? '')).toMatchObject({
        email: { status: 'failed', content: { html: '<p>hi</p>' }, lastError: 'HTTP 500' },
        logs: [{ provider: 'brevo', status: 'failed', errorMessage: 'HTTP 500' }],
        deadLetters: [{ originalQueueId: ids[0], totalAttempts: 1 }],
        isGuess: false,
      });
    });

    test('what is not there is null, what is no id as well', async () => {
      expect(await list.show(MISSING)).toBeNull();
      expect(await list.show('1; drop table email_queue')).toBeNull();
    });

    test('dead letters, reviewed and not', async () => {
      await fill(migrated);
      const all = await list.deadLetters();
      expect(all.rows).toHaveLength(3);
      expect((await list.deadLetters({ isReviewed: true })).rows).toHaveLength(1);
      const first = await list.deadLetters({ isReviewed: false, limit: 1 });
      const second = await list.deadLetters({ isReviewed: false, limit: 1, cursor: first.nextCursor ?? '' });
      expect([first.rows.length, second.rows.length, second.nextCursor]).toEqual([1, 1, null]);
      expect(first.rows[0]?.id).not.toBe(second.rows[0]?.id);
    });

    test('the delivery log, newest first', async () => {
      await fill(migrated);
      const logs = createLogs(migrated.supabase.client);
      expect((await logs.list()).values).toHaveLength(11);
      const bounced = await logs.list({ provider: 'brevo', status: 'bounced', sinceEpochMs: Date.now() - 3_600_000 });
      expect(bounced).toMatchObject({ values: [{ latencyMs: 900 }], skipped: 0 });
    });
  });
});
