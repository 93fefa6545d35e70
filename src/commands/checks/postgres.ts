/** Doctor: is Postgres there, does it take our key, is our migration applied, and what does its clock say? */
import { createOverview } from '../../data/overview.ts';
import { answerOf, type SupabaseConnection } from '../../data/supabase.ts';
import { plural } from '../../domain/format.ts';
import type { Clock } from '../../domain/time.ts';
import { type Check, clockOf, type GroupResult, notConfigured, probe } from './check.ts';
import { applying, checkMigrations, FIRST_MIGRATION, isMissing, TABLES_MIGRATION } from './migrations.ts';

/** What `email_ops_version()` of the newest migration answers. */
const EXPECTED_VERSION = 1;

export async function checkPostgres(supabase: SupabaseConnection | null, clock: Clock): Promise<GroupResult> {
  if (supabase === null) return { checks: [notConfigured('NEXT_PUBLIC_SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY')] };
  const reached = await probe('reachable', () => createOverview(supabase.client, clock).read());
  if ('failed' in reached) return { checks: [await explained(reached.failed, supabase)] };
  const { schemaVersion, databaseAtEpochMs, counts } = reached.value.overview;
  const rows = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const checks: Check[] = [
    {
      name: 'reachable',
      state: 'ok',
      detail: `answers, and takes our key; ${plural(rows, 'row')} in the queue`,
      latencyMs: reached.latencyMs,
    },
    checkSchema(schemaVersion),
    ...(await checkMigrations(supabase.client)),
  ];
  const clocks = databaseAtEpochMs === null ? [] : [clockOf('Postgres', databaseAtEpochMs, reached)];
  return { checks, clocks };
}

export function checkSchema(version: number | null): Check {
  const name = 'schema';
  if (version === EXPECTED_VERSION) return { name, state: 'ok', detail: `version ${version}` };
  if (version !== null && version > EXPECTED_VERSION) {
    const detail = `version ${version}, made by a newer email-ops than this one (which knows ${EXPECTED_VERSION})`;
    return { name, state: 'warning', detail, remedy: 'Update: npm install -g email-ops@latest' };
  }
  const what = version === null ? `${FIRST_MIGRATION} is missing` : `version ${version} of ${EXPECTED_VERSION}`;
  const detail = `${what}: the queue can be seen, but workers refuse to process it`;
  return { name, state: 'failed', detail, remedy: applying(FIRST_MIGRATION) };
}

/** Perhaps not even the tables of the deployment are there. Counting rows would not tell: its answers have no body. */
async function explained(failed: Check, { client }: SupabaseConnection): Promise<Check> {
  const asked = await probe(failed.name, () => answerOf(client.from('email_queue').select('id').limit(1)));
  if (!('failed' in asked) || !isMissing(asked.failed)) return failed;
  const remedy = `Is this the right database? The tables of the deployment are not there; supabase/migrations/${TABLES_MIGRATION} makes them where there is none. Then: ${applying(FIRST_MIGRATION)}`;
  return { ...asked.failed, remedy };
}
