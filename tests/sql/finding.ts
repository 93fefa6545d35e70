/** What the console's lists promise: pages by any filter in both directions, errors in groups, dead letters marked as seen. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { QueueDatabase } from '../support/queue-database.ts';

interface Found {
  readonly rows: readonly { readonly id: string; readonly key: string; readonly [column: string]: unknown }[];
  readonly more: boolean;
}

interface Grouped {
  readonly groups: readonly {
    readonly status: string;
    readonly error: string;
    readonly count: number;
    readonly types: readonly string[];
  }[];
  readonly emails: number;
  readonly more: boolean;
}

export function describeFinding(open: () => QueueDatabase): void {
  let db: QueueDatabase;
  beforeEach(async () => {
    db = open();
    await db.clear();
  });

  const find = (query: object, limit = 100) =>
    db.call<Found>('find_emails($1::text::jsonb, $2::text::int)', JSON.stringify(query), String(limit));
  const idsOf = async (query: object, limit?: number) => (await find(query, limit)).rows.map(({ id }) => id);
  const group = (status: string | null = null, limit = 100) =>
    db.call<Grouped>('group_email_errors($1, $2::text::int)', status, String(limit));
  const review = (ids: readonly string[]) =>
    db.call<{ reviewed: string[]; skipped: unknown[] }>('review_dead_letters($1::text::uuid[])', `{${ids.join(',')}}`);
  const deadLetter = async (error = 'mailbox is full', provider = 'brevo') => {
    const id = await db.insert();
    await db.claim('worker');
    await db.finish('worker', [{ id, attempt: 1, outcome: 'discard', provider, error, reason: 'permanent' }]);
    const letter = (await db.deadLetters()).find((found) => found.original_queue_id === id);
    if (letter === undefined) throw new Error('It was not buried');
    return { id, letterId: letter.id };
  };

  describe('finding emails', () => {
    test('answers nothing for an empty queue, in every direction', async () => {
      for (const query of [{}, { end: true }, { status: 'dead' }, { status: 'queued', sort: 'changed' }])
        expect(await find(query)).toEqual({ rows: [], more: false });
    });

    test.each(['oldest', 'newest', 'changed'])(
      'walks all rows page by page, down and up again, without gap or repetition: %s',
      async (sort) => {
        const states = ['queued', 'processing', 'failed', 'completed'];
        for (let n = 0; n < 11; n++) {
          // Some were created at the same instant: their ids decide.
          await db.insert({
            status: `'${states[n % 4]}'`,
            created_at: `timestamptz '2026-01-01' + ${Math.floor(n / 3)} * interval '1 second'`,
            updated_at: `timestamptz '2026-02-01' - ${Math.floor(n / 2)} * interval '1 second'`,
          });
        }
        const whole = await idsOf({ sort });
        expect(new Set(whole).size).toBe(11);

        const down: string[] = [];
        let page = await find({ sort }, 4);
        for (let turn = 0; turn < 3; turn++) {
          down.push(...page.rows.map(({ id }) => id));
          expect(page.more).toBe(turn < 2);
          if (page.more) page = await find({ sort, after: page.rows.at(-1)?.key }, 4);
        }
        expect(down).toEqual(whole);

        const last = await find({ sort, end: true }, 4);
        expect(last).toMatchObject({ more: true });
        expect(last.rows.map(({ id }) => id)).toEqual(whole.slice(-4));
        const before = await find({ sort, before: last.rows[0]?.key }, 4);
        expect(before.rows.map(({ id }) => id)).toEqual(whole.slice(3, 7));
        expect(await idsOf({ sort, from: before.rows[0]?.key }, 2)).toEqual(whole.slice(3, 5));
        expect(await find({ sort, before: before.rows[0]?.key }, 4)).toMatchObject({ more: false });
      },
    );

    test('filters by state, type, words, provider and kind of error, and by all of them at once', async () => {
      const { id } = await deadLetter('no mailbox for anna@example.org');
      await deadLetter('over quota', 'resend');
      await db.insert({ email_type: `'chat'`, template_data: `'{"subject": "100% of it_"}'` });
      const kind = 'no mailbox for <address>';
      for (const query of [
        { provider: 'brevo' },
        { error: kind },
        { words: ['MAILBOX', 'anna'] },
        { words: [id.slice(0, 8)] },
        { status: 'failed', type: 'auth', provider: 'brevo', words: ['reader@'], error: kind, open: true },
      ])
        expect(await idsOf(query)).toEqual([id]);
      expect(await idsOf({ type: 'chat' })).toHaveLength(1);
      expect(await idsOf({ words: ['100%', 'it_'] })).toHaveLength(1);
      expect(await idsOf({ words: ['1%0'] })).toEqual([]);
      expect(await idsOf({ status: 'queued' })).toHaveLength(1);
      expect(await idsOf({ status: 'nonsense' })).toEqual([]);
    });

    test('a row has what lists show and not its content', async () => {
      const id = await db.insert({ attempts: '1', last_error: `'x'` });
      const { rows } = await find({});
      expect(rows).toMatchObject([{ id, subject: 'Welcome', attempts: 1, last_error: 'x', discarded: false }]);
      expect(rows[0]).not.toHaveProperty('template_data');
      expect(await find({ columns: 'ids' })).toEqual({ rows: [{ id, key: rows[0]?.key }], more: false });
    });

    test('tells discarded rows, and leaves them out where only open ones are wanted', async () => {
      const failed = await deadLetter();
      const discarded = await db.insert();
      await db.discard([discarded]);
      const { rows } = await find({ status: 'failed' });
      expect(Object.fromEntries(rows.map((row) => [row.id, row.discarded]))).toEqual({
        [failed.id]: false,
        [discarded]: true,
      });
      expect(await idsOf({ status: 'failed', open: true })).toEqual([failed.id]);
    });

    test('lists unreviewed dead letters, with the providers that failed', async () => {
      const { id, letterId } = await deadLetter();
      const seen = await deadLetter('over quota', 'resend');
      await review([seen.letterId]);
      expect((await find({ status: 'dead' })).rows).toMatchObject([
        { id: letterId, original_queue_id: id, failed_providers: ['brevo'], subject: 'Welcome' },
      ]);
      expect(await idsOf({ status: 'dead', provider: 'resend' })).toEqual([]);
      expect(await idsOf({ status: 'dead', words: ['permanent'], error: 'mailbox is full' })).toEqual([letterId]);
      expect(await idsOf({ status: 'dead', reviewed: true })).toEqual([seen.letterId]);
    });

    test('whatever a filter holds is text, not SQL', async () => {
      await db.insert();
      const evil = `'); drop table email_queue; --`;
      expect(await idsOf({ type: evil, provider: evil, words: [evil, '\\'], error: evil, status: evil })).toEqual([]);
      expect(await idsOf({ sort: evil })).toHaveLength(1);
      await expect(find({ after: evil })).rejects.toThrow();
    });
  });

  describe('grouping errors', () => {
    test('counts what differs only by address, id or long number as one kind, the largest first', async () => {
      for (let n = 0; n < 3; n++) await deadLetter(`550 no mailbox reader${n}@example.org (id ${randomUUID()})`);
      await db.insert({ attempts: '1', last_error: `'timeout  after\n 10000 ms'`, email_type: `'chat'` });
      await db.insert({ attempts: '1', last_error: `'timeout after 20000 ms'` });
      await db.insert();
      expect(await group()).toMatchObject({
        emails: 5,
        more: false,
        groups: [
          { status: 'failed', error: '550 no mailbox <address> (id <id>)', count: 3, types: ['auth'] },
          { status: 'queued', error: 'timeout after <n> ms', count: 2, types: ['auth', 'chat'] },
        ],
      });
      expect(await group(null, 1)).toMatchObject({ emails: 5, more: true, groups: [{ count: 3 }] });
      expect((await group('queued')).groups).toHaveLength(1);
      expect(await group('dead')).toMatchObject({ emails: 3, groups: [{ status: 'dead', count: 3 }] });
    });

    test('a group holds exactly the rows that its kind finds', async () => {
      await deadLetter('over quota for a@example.org');
      await db.insert({ status: `'failed'` });
      const discarded = await deadLetter('over quota for b@example.org');
      await db.discard([discarded.id]);
      const { groups } = await group('failed');
      expect(groups).toMatchObject([
        { error: '', count: 1 },
        { error: 'over quota for <address>', count: 1 },
      ]);
      for (const { status, error, count } of groups)
        expect(await idsOf({ status, error, open: true })).toHaveLength(count);
    });
  });

  describe('reviewing dead letters', () => {
    test('marks them once, and leaves their rows as they are', async () => {
      const { id, letterId } = await deadLetter();
      const unknown = randomUUID();
      expect(await review([letterId, unknown])).toEqual({
        reviewed: [letterId],
        skipped: [{ id: unknown, reason: 'not found' }],
      });
      expect(await review([letterId])).toEqual({
        reviewed: [],
        skipped: [{ id: letterId, reason: 'already reviewed' }],
      });
      expect(await db.row(id)).toMatchObject({ status: 'failed' });
      expect(await db.redrive([letterId])).toMatchObject({ skipped: [{ reason: 'already reviewed' }] });
    });
  });
}
