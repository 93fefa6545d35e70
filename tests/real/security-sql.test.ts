/** Every function and table of ours by the catalog, so that new ones are included: who may use them, and what hostile arguments do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CORPUS } from '../support/hostile-text.ts';
import {
  applyMigrations,
  type Database,
  isPostgresMissing,
  type PostgresCluster,
  startPostgres,
} from '../support/postgres.ts';

interface OwnFunction {
  readonly oid: number;
  readonly signature: string;
  readonly name: string;
  readonly types: readonly string[];
  readonly isTrigger: boolean;
  readonly settings: readonly string[] | null;
  readonly anon: boolean;
  readonly authenticated: boolean;
  readonly service: boolean;
}

const DEEP = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
const TEXTS = CORPUS.map((text) => text.replaceAll('\0', '').toWellFormed());
const A_UUID = '5b0c1b5e-0000-4000-8000-000000000001';

/** Values of each type, as text; null is tried everywhere. An unknown type fails the test: it needs a row here. */
const HOSTILE: Readonly<Record<string, readonly string[]>> = {
  text: [...TEXTS, 'x'.repeat(1_000_000)],
  integer: ['0', '-1', '2147483647', '-2147483648'],
  bigint: ['0', '-1', '9223372036854775807', '-9223372036854775808'],
  smallint: ['0', '-1', '32767'],
  numeric: ['0', '-1', 'NaN', '1e300'],
  'double precision': ['0', '-1', 'NaN', 'Infinity'],
  boolean: ['true', 'false'],
  uuid: [A_UUID, '00000000-0000-0000-0000-000000000000'],
  date: ['2026-11-23', 'infinity', '-infinity', '0001-01-01', '5874897-12-31'],
  'timestamp with time zone': ['2026-11-23T12:00:00Z', 'infinity', '-infinity'],
  interval: ['1 minute', '-1 year', '178000000 years'],
  'uuid[]': ['{}', `{${A_UUID},${A_UUID}}`, '{NULL}', `{{${A_UUID}},{${A_UUID}}}`],
  'text[]': ['{}', '{NULL,"\'; drop table email_queue; --"}', '{{a},{b}}'],
  jsonb: [
    ...['null', '1', '"x"', '[]', '{}', '[null]', '[1]', '[[]]', '[{}]', '{"a":{"b":[]}}', DEEP],
    ...TEXTS.map((text) =>
      JSON.stringify([{ id: text, recipientEmail: text, emailType: text, templateData: { subject: text } }]),
    ),
    ...TEXTS.map((text) =>
      JSON.stringify({ status: text, words: [text], sort: text, key: text, place: text, errorKind: text }),
    ),
    JSON.stringify([{ id: A_UUID, attempt: 1e300, outcome: 'sent', provider: "brevo'; --", latencyMs: -1 }]),
    JSON.stringify({ words: Array.from({ length: 5_000 }, () => '%_%') }),
  ],
};
/** Made up from others or of no argument: nothing that a caller chooses. */
const ROW_TYPES = /^(email_\w+|record|trigger|event_trigger)$/;

describe.skipIf(isPostgresMissing())('the database', () => {
  let postgres: PostgresCluster;
  let database: Database;
  let functions: readonly OwnFunction[];

  beforeAll(async () => {
    postgres = await startPostgres();
    database = await postgres.createDatabase();
    // As Supabase has it: what is new in public is everybody's unless a migration takes it away.
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
    await database.sql`select queue_email(null, 'canary@example.org', 'auth', 'otp', '{"subject": "s", "html": "h"}')`;
    functions = await database.sql<OwnFunction[]>`
      select pg_proc.oid::int, pg_proc.oid::regprocedure::text as signature, proname as name, prorettype = 'trigger'::regtype as "isTrigger",
        array(select format_type(type, null) from unnest(proargtypes::oid[]) with ordinality as args (type, place) order by place) as types,
        proconfig as settings,
        has_function_privilege('anon', pg_proc.oid, 'execute') as anon,
        has_function_privilege('authenticated', pg_proc.oid, 'execute') as authenticated,
        has_function_privilege('service_role', pg_proc.oid, 'execute') as service
      from pg_proc
      where pronamespace = 'public'::regnamespace
        and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
      order by 2`;
  }, 60_000);
  afterAll(() => postgres?.stop());

  it('lets only the service role execute functions, and the owner alone those that are for triggers and for others', () => {
    expect(functions.length).toBeGreaterThan(20);
    expect(
      functions.filter(({ anon, authenticated }) => anon || authenticated).map(({ signature }) => signature),
    ).toEqual([]);
    expect(
      functions.filter(({ isTrigger, service }) => isTrigger && service).map(({ signature }) => signature),
    ).toEqual([]);
  });

  it('refuses both outside roles in fact, function by function', async () => {
    for (const { name, types, isTrigger } of functions) {
      if (isTrigger) continue;
      const call = `select ${name}(${types.map((type) => `null::${type}`).join(', ')})`;
      for (const role of ['anon', 'authenticated']) {
        const refusal = await database.sql
          .begin(async (transaction) => {
            await transaction.unsafe(`set local role ${role}`);
            return transaction.unsafe(call);
          })
          .then(
            () => 'it was executed',
            (error: Error) => error.message,
          );
        expect([role, name, refusal]).toEqual([role, name, `permission denied for function ${name}`]);
      }
    }
  });

  it('has a fixed search path in every function, so that nobody slips in names of their own', () => {
    const loose = functions.filter(
      ({ settings }) => settings?.some((each) => each.startsWith('search_path=')) !== true,
    );
    expect(loose.map(({ signature }) => signature)).toEqual([]);
  });

  it('has row level security on every table, no policy that lets outsiders in, and no view for them', async () => {
    const open = await database.sql`
      select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity`;
    expect([...open]).toEqual([]);
    const policies = await database.sql`select tablename, policyname from pg_policies where schemaname = 'public'`;
    expect([...policies]).toEqual([]);
    const views = await database.sql`
      select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
        and (has_table_privilege('anon', oid, 'select') or has_table_privilege('authenticated', oid, 'select'))`;
    expect([...views]).toEqual([]);
  });

  it('takes hostile arguments for values: an answer or an error of its own, never broken SQL, nothing dropped', async () => {
    const before = await inventory();
    const wrong: string[] = [];
    for (const { name, types, service } of functions.filter((each) => each.service)) {
      expect(service).toBe(true);
      const unknown = types.filter((type) => HOSTILE[type] === undefined && !ROW_TYPES.test(type));
      expect([name, unknown]).toEqual([name, []]);
      if (types.some((type) => ROW_TYPES.test(type))) continue;
      for (const values of argumentsFor(types)) {
        const state = await sqlState(name, types, values);
        // XX…: a failure inside Postgres; 42601, 42P01, 42703: text became SQL; 54: a limit of Postgres, not ours.
        if (/^(XX|42601|42P01|42703|57)/.test(state))
          wrong.push(`${state} ${name}(${JSON.stringify(values).slice(0, 200)})`);
      }
    }
    expect(wrong).toEqual([]);
    expect(await inventory()).toEqual(before);
  }, 120_000);

  /** Each hostile value in each place, the others harmless; then all hostile together; then all null. */
  function argumentsFor(types: readonly string[]): (string | null)[][] {
    const first = types.map((type) => HOSTILE[type]?.[0] ?? null);
    const single = types.flatMap((type, place) =>
      [...(HOSTILE[type] ?? []), null].map((value) => first.with(place, value)),
    );
    const together = TEXTS.map((_, index) =>
      types.map((type) => HOSTILE[type]?.[index % (HOSTILE[type]?.length ?? 1)] ?? null),
    );
    return types.length === 0 ? [[]] : [...single, ...together, types.map(() => null)];
  }

  /** `00000`, or the SQLSTATE of the error. What the call did is rolled back. */
  async function sqlState(name: string, types: readonly string[], values: readonly (string | null)[]): Promise<string> {
    const call = `select ${name}(${types.map((type, index) => `$${index + 1}::text::${type}`).join(', ')})`;
    const undone = new Error('rolled back');
    try {
      await database.sql.begin(async (transaction) => {
        await transaction.unsafe(`set local role service_role; set local statement_timeout = '8s'`);
        await transaction.unsafe(call, [...values]);
        throw undone;
      });
    } catch (error) {
      return error === undone ? '00000' : ((error as { code?: string }).code ?? 'no code');
    }
    return '00000';
  }

  async function inventory() {
    const tables =
      await database.sql`select relname, relkind from pg_class where relnamespace = 'public'::regnamespace order by 1`;
    const rows = await database.sql`select recipient_email, status, attempts from email_queue`;
    return { tables: [...tables], rows: [...rows] };
  }
});
