/** What only many connections at once can show: claims never overlap, nothing deadlocks, counts stay right. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  applyMigrations,
  connect,
  isPostgresMissing,
  type PostgresCluster,
  startPostgres,
} from '../support/postgres.ts';
import { type QueueDatabase, queueDatabase, type Result } from '../support/queue-database.ts';

const CLAIMERS = 8;

describe.skipIf(isPostgresMissing())('many workers on one queue', () => {
  let postgres: PostgresCluster;
  let sessions: { database: QueueDatabase; end(): Promise<void> }[];
  let db: QueueDatabase;

  beforeAll(async () => {
    postgres = await startPostgres();
    await applyMigrations(postgres.sql);
    sessions = Array.from({ length: CLAIMERS + 4 }, () => {
      const sql = connect(postgres.url, { max: 1 });
      const database = queueDatabase(
        async (statement, parameters = []) => [...(await sql.unsafe(statement, [...parameters]))] as never[],
      );
      return { database, end: () => sql.end() };
    });
    db = database(0);
  });
  afterAll(async () => {
    await Promise.all((sessions ?? []).map((session) => session.end()));
    await postgres?.stop();
  });
  beforeEach(() => db.clear());

  const database = (n: number): QueueDatabase => {
    const session = sessions[n];
    if (session === undefined) throw new Error(`There is no session ${n}`);
    return session.database;
  };
  const flood = (rows: number) =>
    db.query(
      `insert into email_queue (recipient_email, email_type, created_at, next_retry_at, attempts)
       select 'reader@example.org', 'newsletter', now() - n * interval '1 second',
         case when n % 5 = 0 then now() - interval '1 second' end, (n % 5 = 0)::int
       from generate_series(1, ${rows}) as n`,
    );
  const expectCountsToBeRight = async () => {
    const truth = await db.query<{ status: string; n: number }>(
      'select status, count(*)::int as n from email_queue group by status',
    );
    const none = { queued: 0, processing: 0, failed: 0, completed: 0 };
    const { counts } = await db.overview();
    expect(counts).toEqual({ ...none, ...Object.fromEntries(truth.map(({ status, n }) => [status, n])) });
  };

  test.each([2, CLAIMERS])('%i claimers share 10,000 rows without sharing one', async (claimers) => {
    await flood(10_000);
    const drain = async (n: number) => {
      const taken: string[] = [];
      for (;;) {
        const rows = await database(n).claim(`worker-${n}`, 100);
        if (rows.length === 0) return taken;
        taken.push(...rows.map((row) => row.id));
      }
    };
    const taken = await Promise.all(Array.from({ length: claimers }, (_, n) => drain(n)));
    expect(taken.flat()).toHaveLength(10_000);
    expect(new Set(taken.flat()).size).toBe(10_000);
    expect(taken.every((rows) => rows.length > 0)).toBe(true);
    expect(await db.overview()).toMatchObject({ ready: 0 });
    await expectCountsToBeRight();
  });

  test('rivals for one expired lease: exactly one gets it, with one attempt more', async () => {
    const id = await db.insert({ max_attempts: '1000' });
    for (let round = 1; round <= 20; round++) {
      await db.expireLease(id);
      const claims = await Promise.all(Array.from({ length: CLAIMERS }, (_, n) => database(n).claim(`worker-${n}`)));
      expect(claims.flat()).toMatchObject([{ id, attempts: round }]);
    }
  });

  test('rivals to bury a poisonous row: it gets one dead letter', async () => {
    for (let row = 0; row < 50; row++) {
      await db.insert({
        status: `'processing'`,
        attempts: '4',
        locked_by: `'dead'`,
        locked_until: `now() - interval '1 second'`,
      });
    }
    await Promise.all(Array.from({ length: CLAIMERS }, (_, n) => database(n).claim(`worker-${n}`)));
    expect(await db.deadLetters()).toHaveLength(50);
  });

  test('the same result reported by many at once is logged and counted once', async () => {
    await flood(200);
    const rows = await db.claim('worker', 200);
    const results = rows.map(
      (row): Result => ({ id: row.id, attempt: row.attempts, outcome: 'sent', provider: 'brevo' }),
    );
    const answers = await Promise.all(
      Array.from({ length: CLAIMERS }, (_, n) => database(n).finish('worker', n % 2 ? results : results.toReversed())),
    );
    expect(answers.flatMap((answer) => answer.applied)).toHaveLength(200);
    expect(await db.logs()).toHaveLength(200);
    expect(await db.sentToday('brevo')).toBe(200);
  });

  test('the same keys enqueued by many at once are enqueued once', async () => {
    const emails = Array.from({ length: 300 }, (_, n) => ({
      key: `digest:${n}`,
      recipientEmail: 'reader@example.org',
      emailType: 'newsletter',
      templateData: {},
    }));
    const answers = await Promise.all(
      Array.from({ length: CLAIMERS }, (_, n) => database(n).enqueue(n % 2 ? emails : emails.toReversed())),
    );
    expect(answers.reduce((total, answer) => total + answer.enqueued, 0)).toBe(300);
    expect(new Set(answers.flatMap((answer) => answer.ids)).size).toBe(300);
    await expectCountsToBeRight();
  });

  test('a claimer is not held up by another transaction that has not ended', async () => {
    await flood(300);
    const slow = connect(postgres.url, { max: 1 });
    try {
      await slow.begin(async (transaction) => {
        await transaction`select claim_emails('slow', 100, 60)`;
        await transaction`delete from email_queue where ctid in (select ctid from email_queue where status = 'queued' limit 50)`;
        const claim = database(1).claim('quick', 100);
        const deadline = new Promise((_, reject) => setTimeout(() => reject(new Error('held up')), 5_000).unref());
        expect(await Promise.race([claim, deadline])).toHaveLength(100);
      });
    } finally {
      await slow.end();
    }
    await expectCountsToBeRight();
  });

  test('workers, crashes, operators and enqueuers all at once neither deadlock nor lose count', async () => {
    await flood(3_000);
    const deadlineEpochMs = Date.now() + 8_000;
    const random = (below: number) => Math.floor(Math.random() * below);
    let sentReports = 0;

    const work = async (n: number) => {
      const session = database(n);
      while (Date.now() < deadlineEpochMs) {
        const worker = `worker-${n}`;
        const rows = await session.claim(worker, 1 + random(60), 1);
        if (random(5) === 0) continue;
        const [kept, returned] = [rows.slice(5), rows.slice(0, 5)];
        await session.renew(worker, kept.map((row) => row.id).toReversed(), 1 + random(2));
        const results = kept.map((row): Result => {
          const outcome = ['sent', 'sent', 'retry', 'discard'][random(4)] ?? 'sent';
          return { id: row.id, attempt: row.attempts, outcome, provider: ['brevo', 'resend'][random(2)], reason: 'x' };
        });
        sentReports += results.filter((result) => result.outcome === 'sent').length;
        await Promise.all([
          session.finish(worker, results),
          session.release(
            worker,
            returned.map((row) => row.id),
          ),
        ]);
        if (random(4) === 0) await session.finish(worker, results.toReversed());
      }
    };
    const sample = async (session: QueueDatabase, table: string) =>
      (await session.query<{ id: string }>(`select id from ${table} order by random() limit 40`)).map((row) => row.id);
    const operate = async (n: number) => {
      const session = database(n);
      while (Date.now() < deadlineEpochMs) {
        await session.retry(await sample(session, 'email_queue'));
        await session.redrive(await sample(session, 'email_dead_letter_queue'));
        await session.discard((await sample(session, 'email_queue')).slice(0, 3));
        // By hand, but in order of id as everybody: else it is the test that deadlocks.
        await session.query(
          `update email_queue set next_retry_at = null
           where id in (select id from email_queue where status = 'queued' and random() < 0.5 order by id for update)`,
        );
      }
    };
    const enqueue = async (n: number) => {
      const session = database(n);
      while (Date.now() < deadlineEpochMs) {
        const key = () => `k${random(500)}`;
        const email = () => ({ key: key(), recipientEmail: 'a@example.org', emailType: 'chat', templateData: {} });
        await session.enqueue(Array.from({ length: 20 }, email));
        await session.call(`queue_email(null, 'b@example.org', 'auth', 'otp', '{}'::jsonb)`);
        await session.query(
          `delete from email_queue where id in (select id from email_queue order by id limit 1 for update skip locked)`,
        );
        await session.overview();
      }
    };
    await Promise.all([
      ...Array.from({ length: CLAIMERS }, (_, n) => work(n)),
      operate(CLAIMERS),
      operate(CLAIMERS + 1),
      enqueue(CLAIMERS + 2),
      enqueue(CLAIMERS + 3),
    ]);

    expect(sentReports).toBeGreaterThan(100);
    await expectCountsToBeRight();
    const sentLogs = await db.call<number>(`(select count(*)::int from email_logs where status = 'sent')`);
    expect((await db.sentToday('brevo')) + (await db.sentToday('resend'))).toBe(sentLogs);
    expect(await db.call('(select count(*)::int from email_ops_counters)')).toBeLessThan(2_000);
  });
});
