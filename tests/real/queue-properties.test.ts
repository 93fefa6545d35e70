/** Laws of the queue that hold after any sequence of what workers, crashes, operators, legacy programs and enqueuers do. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyMigrations, isPostgresMissing, type PostgresCluster, startPostgres } from '../support/postgres.ts';
import { type QueueDatabase, type QueueRow, queueDatabase, type Result } from '../support/queue-database.ts';

interface Held {
  readonly worker: string;
  readonly row: QueueRow;
}

/** Everything that was ever claimed: zombies report it at any time after. */
type World = { readonly db: QueueDatabase; readonly claims: Held[] };
type Step = { readonly words: string; run(world: World): Promise<unknown> };

const worker = fc.constantFrom('ann', 'bob', 'cyd');
const someOf = fc.array(fc.nat(8), { minLength: 1, maxLength: 3 });

const steps: fc.Arbitrary<Step>[] = [
  fc.nat(4).map((n) => ({ words: `enqueue k${n}`, run: ({ db }) => db.enqueue([email(`k${n}`), email(null)]) })),
  fc.tuple(worker, fc.integer({ min: 1, max: 4 })).map(([name, limit]) => ({
    words: `${name} claims ${limit}`,
    run: async ({ db, claims }) => {
      claims.push(...(await db.claim(name, limit)).map((row) => ({ worker: name, row })));
    },
  })),
  fc.tuple(someOf, fc.constantFrom('sent', 'retry', 'discard'), fc.boolean()).map(([places, outcome, hasProvider]) => ({
    words: `${outcome} of claims ${places}`,
    run: async ({ db, claims }) => {
      for (const { worker: name, row } of pick(claims, places)) {
        const result: Result = { id: row.id, attempt: row.attempts, outcome, reason: 'x' };
        const results = [hasProvider || outcome === 'sent' ? { ...result, provider: 'brevo' } : result];
        const first = await db.finish(name, results);
        const again = await db.finish(name, results);
        expect(again.applied).toEqual([]);
        expect([...first.applied, ...first.notOurs]).toEqual([row.id]);
      }
    },
  })),
  someOf.map((places) => ({
    words: `release of claims ${places}`,
    run: async ({ db, claims }) => {
      for (const { worker: name, row } of pick(claims, places)) await db.release(name, [row.id]);
    },
  })),
  someOf.map((places) => ({
    words: `leases of claims ${places} run out`,
    run: async ({ db, claims }) => {
      for (const { row } of pick(claims, places)) {
        await db.query(
          `update email_queue set locked_until = now() - interval '1 second' where id = $1::text::uuid and status = 'processing'`,
          [row.id],
        );
      }
    },
  })),
  fc.constant({
    words: 'time passes',
    run: ({ db }) =>
      db.query(`update email_queue set next_retry_at = now() where status = 'queued' and next_retry_at > now()`),
  }),
  fc.constant({ words: 'retry all', run: async ({ db }) => db.retry(await ids(db, 'email_queue')) }),
  fc.nat(20).map((place) => ({
    words: `discard ${place}`,
    run: async ({ db }) => db.discard((await ids(db, 'email_queue')).slice(place, place + 2)),
  })),
  fc.constant({ words: 'redrive all', run: async ({ db }) => db.redrive(await ids(db, 'email_dead_letter_queue')) }),
  fc.constant({
    words: 'a legacy worker fails the oldest ready one',
    run: ({ db }) => db.query(`select retry_queued_email(id, 'down') from get_ready_emails(1)`),
  }),
  fc.nat(20).map((place) => ({
    words: `row ${place} is deleted`,
    run: ({ db }) =>
      db.query(`delete from email_queue where id = (select id from email_queue order by id limit 1 offset ${place})`),
  })),
] as fc.Arbitrary<Step>[];

const LAWS: Readonly<Record<string, string>> = {
  'only rows that are processing carry a lease, and all of them do': `select * from email_queue where (status = 'processing') <> (locked_by is not null and locked_until is not null)`,
  'what is completed has a delivery that was sent': `select * from email_queue q where status = 'completed'
       and not exists (select from email_logs l where l.queue_id = q.id and l.status = 'sent')`,
  'what was sent is neither waiting to be sent again nor up for review': `select * from email_queue q where exists (select from email_logs l where l.queue_id = q.id and l.status = 'sent')
       and (status = 'queued' or exists (
         select from email_dead_letter_queue d where d.original_queue_id = q.id and reviewed_at is null))`,
  'a dead letter waits for review only while its row has failed or is gone': `select * from email_dead_letter_queue d where reviewed_at is null
       and exists (select from email_queue q where q.id = d.original_queue_id and q.status <> 'failed')`,
  'no row has two dead letters to review': `select original_queue_id from email_dead_letter_queue where reviewed_at is null group by 1 having count(*) > 1`,
  'the quota counts the deliveries': `select 1 where (select coalesce(sum(emails_sent), 0) from email_provider_quota) <> (select count(*) from email_logs where status = 'sent')`,
  'the counters count the rows': `select name from (
       select public.email_ops_counter_name(status, next_retry_at) as name, 1 as n from email_queue
       union all select name, -delta from email_ops_counters where bucket is null
     ) as both_ways group by name having sum(n) <> 0`,
};

describe.skipIf(isPostgresMissing())('the queue', () => {
  let postgres: PostgresCluster;
  let db: QueueDatabase;
  beforeAll(async () => {
    postgres = await startPostgres();
    await applyMigrations(postgres.sql);
    db = queueDatabase(
      async (statement, parameters = []) => [...(await postgres.sql.unsafe(statement, [...parameters]))] as never[],
    );
  });
  afterAll(() => postgres?.stop());

  test('keeps its laws whatever happens to it', async () => {
    const sequences = fc.array(fc.oneof(...steps), { minLength: 5, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(sequences, async (sequence) => {
        await db.clear();
        const world: World = { db, claims: [] };
        for (const [at, step] of sequence.entries()) {
          await step.run(world);
          for (const [law, breach] of Object.entries(LAWS)) {
            const found = await db.query(breach);
            const story = sequence
              .slice(0, at + 1)
              .map(({ words }) => words)
              .join('; ');
            expect(found, `${law}. After: ${story}`).toEqual([]);
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});

function email(key: string | null) {
  return { key, recipientEmail: 'reader@example.org', emailType: 'chat', templateData: {}, maxAttempts: 3 };
}

function pick<T>(all: readonly T[], places: readonly number[]): T[] {
  // Counted from the newest claim, which matters most often.
  return places.flatMap((place) => all[all.length - 1 - (place % all.length)] ?? []);
}

async function ids(db: QueueDatabase, table: string): Promise<string[]> {
  return (await db.query<{ id: string }>(`select id from ${table} order by id`)).map((row) => row.id);
}
