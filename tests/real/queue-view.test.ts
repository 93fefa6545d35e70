/** What the Queue view reads and does, on a real PostgreSQL behind a PostgREST-compatible server. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Systems } from '../../src/commands/connect.ts';
import { dashboardLoaders } from '../../src/commands/dashboard/loaders.ts';
import { queueActions } from '../../src/commands/dashboard/queue-actions.ts';
import { createQueueFinder, type QueueFinder } from '../../src/data/queue-finder.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import type { PagePlace, QueueQuery } from '../../src/domain/queue-page.ts';
import type { ActionRequest } from '../../src/ui/actions.ts';
import { perform } from '../../src/ui/actions.ts';
import { runCliProcess } from '../support/cli.ts';
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
  readonly finder: QueueFinder;
}

describe.skipIf(isPostgresMissing())('the Queue view on Postgres', () => {
  let cluster: PostgresCluster;
  let migrated: Site;
  let deployed: Site;
  const audited: string[] = [];

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
    audited.length = 0;
    for (const { database } of [migrated, deployed]) {
      await database.sql`truncate email_queue, email_logs, email_dead_letter_queue`;
      await database.sql`
        insert into email_queue (recipient_email, email_type, template_data, status, attempts, created_at, updated_at, last_error)
        select 'r' || n || '@example.org', case when n % 2 = 0 then 'chat' else 'auth' end,
          jsonb_build_object('subject', 'Subject ' || n, 'html', '<p>Hello <b>you</b></p><script>x</script>'),
          case when n <= 1200 then 'failed' else 'queued' end, 3, now() - n * interval '1 second', now() - interval '7 minutes',
          case when n <= 1200 then 'no mailbox r' || n || '@example.org' end
        from generate_series(1, 1210) as n`;
    }
  });

  async function open(files: readonly string[]): Promise<Site> {
    const database = await cluster.createDatabase();
    await applyMigrations(database.sql, files);
    const rest = await serveRest(database.url);
    const supabase = connectSupabase({ url: rest.url, serviceRoleKey: rest.key });
    return { database, rest, supabase, finder: createQueueFinder(supabase.client) };
  }

  const systemsOf = ({ supabase }: Site) => ({ supabase, redis: null, config: { qstash: null } }) as unknown as Systems;
  const act = (request: ActionRequest, site = migrated, signal = new AbortController().signal) => {
    const progress: string[] = [];
    const audit = async (action: string, target: string, outcome = 'ok') => {
      audited.push(`${action} ${target}: ${outcome}`);
      return '';
    };
    return perform(queueActions({ systems: systemsOf(site), audit }), request, {
      signal,
      onProgress: ({ text }) => progress.push(text),
    }).then((outcome) => ({ ...outcome, progress }));
  };
  const page = (query: Partial<QueueQuery>, place: PagePlace = { kind: 'first' }, site = migrated) =>
    site.finder.page({ query: { sort: 'oldest', ...query }, place, limit: 5 });
  const counts = async () =>
    Object.fromEntries(
      (await migrated.database.sql`select status, count(*)::int as n from email_queue group by 1`).map((row) => [
        row.status,
        row.n,
      ]),
    );
  const KIND = 'no mailbox <address>';

  test('reads pages in both directions', async () => {
    const first = await page({});
    expect(first).toMatchObject({ hasMore: true, skipped: 0, isForwardOnly: false });
    expect(first.items.map(({ subject }) => subject)).toEqual(
      [1210, 1209, 1208, 1207, 1206].map((n) => `Subject ${n}`),
    );
    const next = await page({}, { kind: 'after', key: first.items.at(-1)?.key ?? '' });
    const back = await page({}, { kind: 'before', key: next.items[0]?.key ?? '' });
    expect(back.items).toEqual(first.items);
    expect((await page({ emailType: 'chat', words: ['subject', 'r8@'] }, { kind: 'last' })).items.at(-1)?.subject).toBe(
      'Subject 8',
    );
  });

  test('retries a whole group of errors in portions, tells how far it is, and audits it', async () => {
    expect(await migrated.finder.groups(null)).toMatchObject({
      emails: 1_200,
      groups: [{ status: 'failed', errorKind: KIND, count: 1_200, emailTypes: ['auth', 'chat'] }],
    });
    const outcome = await act({ kind: 'retry', target: { by: 'error', status: 'failed', errorKind: KIND } });
    expect(outcome).toMatchObject({ level: 'ok', text: '1,200 emails queued again' });
    expect(outcome.progress).toEqual([
      '500 queued again so far',
      '1,000 queued again so far',
      '1,200 queued again so far',
    ]);
    expect(await counts()).toEqual({ queued: 1_210 });
    expect(audited).toEqual([`retry all failed with "${KIND}": ok`]);
  });

  test('retries a group that stays in its state, each email once', async () => {
    await migrated.database
      .sql`update email_queue set status = 'queued', next_retry_at = now() + interval '1 hour' where status = 'failed'`;
    const outcome = await act({ kind: 'retry', target: { by: 'error', status: 'queued', errorKind: KIND } });
    expect(outcome.text).toBe('1,200 emails queued again');
  });

  test('discards, reviews and redrives, and says what was left out and why', async () => {
    const { items } = await page({ status: 'failed' });
    const ids = items.map(({ id }) => id);
    await migrated.database.sql`update email_queue set status = 'completed' where id = ${ids[0] ?? ''}`;
    const discarded = await act({
      kind: 'discard',
      target: { by: 'ids', ids: [...ids, '00000000-0000-4000-8000-000000000000'] },
    });
    expect(discarded).toMatchObject({
      level: 'warning',
      text: '4 emails discarded, 2 left out: already sent (1), not found (1)',
    });
    expect(
      (await page({ status: 'failed' })).items.filter((item) => item.kind === 'email' && item.isDiscarded),
    ).toHaveLength(4);
    expect((await migrated.finder.groups('failed')).emails).toBe(1_195);

    await migrated.database.sql`update email_dead_letter_queue set reviewed_at = null`;
    const letters = (await page({ status: 'dead' })).items.map(({ id }) => id);
    expect(letters).toHaveLength(4);
    const [one = '', two = ''] = letters;
    expect(await act({ kind: 'redrive', deadLetterIds: [one] })).toMatchObject({
      level: 'ok',
      text: '1 email queued again',
    });
    expect(await act({ kind: 'discard', target: { by: 'letters', ids: [two] } })).toMatchObject({
      text: '1 email marked as reviewed',
    });
    expect((await page({ status: 'dead' })).items.map(({ id }) => id)).toEqual(letters.slice(2));
    const rest = await act({ kind: 'retry', target: { by: 'error', status: 'dead', errorKind: KIND } });
    expect(rest.text).toBe('2 emails queued again');
    expect(audited).toHaveLength(4);
  });

  test('stops between two portions, and says what was done until then', async () => {
    const stopping = new AbortController();
    const audit = async () => '';
    const outcome = await perform(
      queueActions({ systems: systemsOf(migrated), audit }),
      { kind: 'retry', target: { by: 'error', status: 'failed', errorKind: KIND } },
      { signal: stopping.signal, onProgress: () => stopping.abort() },
    );
    expect(outcome.level).toBe('critical');
    expect(outcome.text).toMatch(/^500 emails queued again; then: /);
    expect(await counts()).toMatchObject({ failed: 700 });
  });

  test('shows an email with its content as text', async () => {
    const [item] = (await page({ status: 'failed' })).items;
    const load = dashboardLoaders(systemsOf(migrated)).email;
    const details = await load?.({ kind: 'email', id: item?.id ?? '' }, AbortSignal.timeout(10_000));
    expect(details).toMatchObject({ bodyLines: ['Hello you'], story: { email: { status: 'failed' } } });
    expect(
      await load?.({ kind: 'email', id: '00000000-0000-4000-8000-000000000000' }, AbortSignal.timeout(10_000)),
    ).toBeNull();
  });

  describe('`email-ops queue retry` and `discard`', () => {
    const queue = (...args: string[]) =>
      runCliProcess(['queue', ...args], {
        env: { NEXT_PUBLIC_SUPABASE_URL: migrated.rest.url, SUPABASE_SERVICE_ROLE_KEY: migrated.rest.key },
      });

    test('take all that a filter finds, however many, but nothing that was discarded', async () => {
      const asked = await queue('retry', '--failed');
      expect([asked.exitCode, asked.stderr]).toEqual([2, expect.stringContaining('Retry 1,200 emails?')]);
      const some = await queue('discard', '--status', 'failed', '--type', 'chat', '--limit', '3', '--yes');
      expect(some).toMatchObject({ exitCode: 0, stdout: '3 emails discarded.\n' });
      const group = await queue('retry', '--failed', '--error', KIND, '--yes');
      expect(group).toMatchObject({ exitCode: 0, stdout: '1,197 emails queued again.\n' });
      expect(await counts()).toEqual({ failed: 3, queued: 1_207 });
    });

    test('look for words, providers and dead letters', async () => {
      await migrated.database.sql`
        insert into email_logs (recipient_email, email_type, provider, status, queue_id)
        select recipient_email, email_type, 'brevo', 'failed', id from email_queue where recipient_email = 'r8@example.org'`;
      expect((await queue('discard', '--failed', '--provider', 'brevo', '--yes')).stdout).toBe('1 email discarded.\n');
      expect((await queue('discard', '--failed', '--search', 'mailbox r9@', '--yes')).stdout).toBe(
        '1 email discarded.\n',
      );
      expect((await queue('retry', '--failed', '--search', 'nobody', '--yes')).stdout).toBe('Nothing matches.\n');
      await migrated.database.sql`update email_dead_letter_queue set reviewed_at = null`;
      expect((await queue('discard', '--dead', '--limit', '1', '--yes')).stdout).toBe('1 email discarded.\n');
      expect((await queue('retry', '--dead', '--yes')).stdout).toBe('1 email queued again.\n');
      expect((await queue('retry', '--dead', '--failed')).exitCode).toBe(2);
    });
  });

  test('without the migration lists downwards, and refuses what it cannot know', async () => {
    const first = await page({ status: 'failed' }, { kind: 'first' }, deployed);
    expect(first).toMatchObject({ hasMore: true, isForwardOnly: true });
    const next = await page({ status: 'failed' }, { kind: 'after', key: first.items.at(-1)?.key ?? '' }, deployed);
    expect(next.items.map(({ subject }) => subject)).toEqual([1195, 1194, 1193, 1192, 1191].map((n) => `Subject ${n}`));
    expect((await page({ status: 'dead' }, { kind: 'first' }, deployed)).items).toEqual([]);
    const missing = { fault: { code: 'missing-schema' } };
    await expect(page({ provider: 'brevo' }, { kind: 'first' }, deployed)).rejects.toMatchObject(missing);
    await expect(deployed.finder.groups(null)).rejects.toMatchObject(missing);
    expect(
      await act({ kind: 'retry', target: { by: 'ids', ids: [first.items[0]?.id ?? ''] } }, deployed),
    ).toMatchObject({
      level: 'critical',
      text: expect.stringContaining('retry failed: Postgres lacks what we need'),
    });
  });
});
