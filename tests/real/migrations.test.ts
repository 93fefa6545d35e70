/** The migrations on databases as they are found: empty, deployed with rows, set up by Supabase; and who may do what after. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  applyMigrations,
  type Database,
  isPostgresMissing,
  migrationFiles,
  type PostgresCluster,
  type Sql,
  startPostgres,
} from '../support/postgres.ts';

const [deployed = ''] = migrationFiles();

describe.skipIf(isPostgresMissing())('the migrations', () => {
  let postgres: PostgresCluster;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());

  test('change nothing when applied again', async () => {
    const { sql } = await postgres.createDatabase();
    await applyMigrations(sql);
    const before = await catalog(sql);
    expect(before.functions.length).toBeGreaterThan(20);
    await applyMigrations(sql);
    expect(await catalog(sql)).toEqual(before);
  });

  test('may be applied by two at once', async () => {
    const { sql } = await postgres.createDatabase();
    await Promise.all([applyMigrations(sql), applyMigrations(sql), applyMigrations(sql)]);
    expect(await overview(sql)).toMatchObject({ schemaVersion: 1 });
  });

  describe('on the deployment, with rows in it', () => {
    let database: Database;
    beforeAll(async () => {
      database = await postgres.createDatabase();
      const { sql } = database;
      await applyMigrations(sql, [deployed]);
      await sql.unsafe(`
        create or replace function queue_email(p_recipient_id uuid, p_recipient_email text, p_email_type text, p_template_name text, p_template_data jsonb)
        returns uuid language sql as $$ select '00000000-0000-0000-0000-000000000001'::uuid $$;
        create policy own_rows on email_logs for select to authenticated using (false);
        insert into email_queue (recipient_email, email_type, status, attempts, created_at, next_retry_at) values
          ('a@example.org', 'auth', 'queued', 0, now() - interval '3 minutes', null),
          ('b@example.org', 'chat', 'queued', 1, now() - interval '2 minutes', now() - interval '1 minute'),
          ('c@example.org', 'chat', 'queued', 1, now() - interval '2 minutes', now() + interval '1 hour'),
          ('d@example.org', 'chat', 'processing', 0, now() - interval '2 days', null),
          ('e@example.org', 'chat', 'failed', 3, now() - interval '2 days', null),
          ('f@example.org', 'chat', 'completed', 1, now() - interval '2 days', null);
        insert into email_logs (recipient_email, email_type, provider, status) values ('f@example.org', 'chat', 'brevo', 'sent');`);
      await applyMigrations(sql);
    });

    test('keep the rows and count them', async () => {
      expect(await overview(database.sql)).toMatchObject({
        counts: { queued: 3, processing: 1, failed: 1, completed: 1 },
        ready: 2,
        waitingRetry: 1,
        deliveries24h: [{ provider: 'brevo', sent: 1 }],
      });
    });

    test('replace no deployed function and no policy', async () => {
      const [row] = await database.sql`select queue_email(null, 'x@example.org', 'auth', 't', '{}') as id`;
      expect(row?.id).toBe('00000000-0000-0000-0000-000000000001');
      expect(await database.sql`select policyname from pg_policies`).toMatchObject([{ policyname: 'own_rows' }]);
    });

    test('let the newer email types in', async () => {
      await database.sql`insert into email_queue (recipient_email, email_type) values ('n@example.org', 'newsletter')`;
      await expect(
        database.sql`insert into email_queue (recipient_email, email_type) values ('n@example.org', 'telegram')`,
      ).rejects.toThrow('email_queue_email_type_check');
    });

    test('leave what a legacy worker holds alone', async () => {
      const [row] = await database.sql`select claim_emails('worker', 100, 60) as rows`;
      const claimed = row?.rows.map((email: { recipient_email: string }) => email.recipient_email);
      expect(claimed).toEqual(['a@example.org', 'b@example.org', 'n@example.org']);
    });
  });

  describe('where Supabase grants everything on new tables and functions to everybody', () => {
    let database: Database;
    beforeAll(async () => {
      database = await postgres.createDatabase();
      await database.sql.unsafe(`
        do $$ begin
          if to_regrole('anon') is null then create role anon nologin; end if;
          if to_regrole('authenticated') is null then create role authenticated nologin; end if;
          if to_regrole('service_role') is null then create role service_role nologin bypassrls; end if;
        end $$;
        grant usage on schema public to anon, authenticated, service_role;
        alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
        alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
        alter default privileges in schema public grant execute on functions to anon, authenticated, service_role;`);
      await applyMigrations(database.sql);
      await database.sql`select queue_email(null, 'reader@example.org', 'auth', 'otp', '{}')`;
    });

    const as = <T>(role: string, statement: string): Promise<T[]> =>
      database.sql.begin(async (transaction) => {
        await transaction.unsafe(`set local role ${role}`);
        return [...(await transaction.unsafe(statement))] as T[];
      }) as Promise<T[]>;

    const calls = [
      `claim_emails('x', 1, 1)`,
      `renew_leases('x', '{}', 1)`,
      `finish_emails('x', '[]')`,
      `release_emails('x', '{}')`,
      `retry_emails('{}')`,
      `discard_emails('{}', '')`,
      `redrive_dead_letters('{}')`,
      `enqueue_emails('[]')`,
      `find_emails('{}')`,
      'group_email_errors()',
      `review_dead_letters('{}')`,
      'email_ops_overview()',
      'email_provider_history()',
      'email_ops_version()',
      'email_ops_recount()',
      `queue_email(null, 'a@example.org', 'auth', 't', '{}')`,
      'get_ready_emails(1)',
      `retry_queued_email('00000000-0000-0000-0000-000000000001', 'x')`,
      `increment_provider_quota('brevo', '2026-11-23')`,
      `check_provider_quota('brevo', '2026-11-23')`,
      `reset_circuit_breaker('brevo')`,
      `email_function_begin('brevo', 'k', 'f', 30, false)`,
      `email_function_finish('brevo', 'k', null, 'sent', 'm', null, 5, null)`,
      `email_function_providers('{brevo}')`,
      `email_function_claim_checks('[]')`,
      `email_function_save_check('brevo', '{}')`,
      `email_function_announce('{}')`,
      `disable_email_provider('brevo', now(), 'ana', '')`,
      `enable_email_provider('brevo')`,
      `reset_email_provider('brevo')`,
    ];

    test.each(calls)('%s is for the service role only', async (call) => {
      for (const role of ['anon', 'authenticated']) {
        await expect(as(role, `select ${call}`)).rejects.toThrow('permission denied for function');
      }
      expect(await as('service_role', `select ${call}`)).toHaveLength(1);
    });

    test('no other function of ours can be executed by anybody but the owner', async () => {
      const open = await database.sql`
        select proname, grantee.rolname from pg_proc
        cross join pg_roles as grantee
        where pronamespace = 'public'::regnamespace and grantee.rolname in ('anon', 'authenticated', 'service_role')
          and has_function_privilege(grantee.oid, pg_proc.oid, 'execute')`;
      const names = calls.map((call) => call.slice(0, call.indexOf('('))).sort();
      expect(open.map((row) => row.rolname).every((role) => role === 'service_role')).toBe(true);
      expect(open.map((row) => row.proname).sort()).toEqual(names);
    });

    test('every function of ours runs with a fixed search path', async () => {
      const loose = await database.sql`
        select proname from pg_proc
        where pronamespace = 'public'::regnamespace and not coalesce(proconfig @> array['search_path=""'], false)`;
      expect([...loose]).toEqual([]);
    });

    test('anon and authenticated read and write nothing, the service role everything', async () => {
      const tables = await database.sql<{ tablename: string }[]>`
        select tablename from pg_tables where schemaname = 'public' and tablename like 'email%'`;
      expect(tables.length).toBe(12);
      for (const { tablename } of tables) {
        for (const role of ['anon', 'authenticated']) {
          const seen = await as(role, `select * from ${tablename}`).catch((error: Error) => error.message);
          expect(typeof seen === 'string' ? seen : seen.length).toBeOneOf([
            0,
            `permission denied for table ${tablename}`,
          ]);
        }
      }
      await expect(
        as('anon', `insert into email_queue (recipient_email, email_type) values ('a@example.org', 'auth')`),
      ).rejects.toThrow('row-level security');
      expect((await as('service_role', 'select * from email_queue')).length).toBeGreaterThan(0);
    });

    test('what a role without rights on the counters writes to the queue is counted', async () => {
      await as(
        'service_role',
        `insert into email_queue (recipient_email, email_type) values ('a@example.org', 'auth')`,
      );
      const [truth] = await database.sql`select count(*)::int as n from email_queue`;
      const { counts } = await overview(database.sql);
      expect(Object.values(counts).reduce((sum, n) => sum + n, 0)).toBe(truth?.n);
    });
  });
});

async function overview(sql: Sql): Promise<{ counts: Record<string, number> }> {
  const [row] = await sql`select email_ops_overview() as overview`;
  return row?.overview;
}

async function catalog(sql: Sql) {
  const list = async (statement: string) => (await sql.unsafe(statement)).map((row) => JSON.stringify(row));
  return {
    functions: await list(`
      select oid::regprocedure::text, pg_get_functiondef(oid), proacl::text from pg_proc
      where pronamespace = 'public'::regnamespace order by 1`),
    columns: await list(`
      select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
      where table_schema = 'public' order by 1, 2`),
    constraints: await list(`
      select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
      where connamespace = 'public'::regnamespace order by 1, 2`),
    indexes: await list(`select indexdef from pg_indexes where schemaname = 'public' order by 1`),
    triggers: await list(`select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal order by 1`),
    tables: await list(`
      select relname, relrowsecurity, relacl::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`),
  };
}
