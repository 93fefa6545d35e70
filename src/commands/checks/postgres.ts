/** Doctor: is Postgres there, does it take our key, is our migration applied, and what does its clock say? */
import { fileURLToPath } from 'node:url';
import { createOverview } from '../../data/overview.ts';
import { createQueueFinder } from '../../data/queue-finder.ts';
import type { SupabaseConnection } from '../../data/supabase.ts';
import type { Clock } from '../../domain/time.ts';
import { type Check, clockOf, type GroupResult, notConfigured, probe } from './check.ts';

/** What `email_ops_version()` of the newest migration answers. */
const EXPECTED_VERSION = 1;

export async function checkPostgres(supabase: SupabaseConnection | null, clock: Clock): Promise<GroupResult> {
  if (supabase === null) return { checks: [notConfigured('NEXT_PUBLIC_SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY')] };
  const reached = await probe('reachable', () => createOverview(supabase.client, clock).read());
  if ('failed' in reached) return { checks: [withMigration(reached.failed)] };
  const { schemaVersion, databaseAtEpochMs, counts } = reached.value.overview;
  const rows = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const checks: Check[] = [
    {
      name: 'reachable',
      state: 'ok',
      detail: `answers, and takes our key; ${rows} rows in the queue`,
      latencyMs: reached.latencyMs,
    },
    checkSchema(schemaVersion),
    ...(schemaVersion === null ? [] : await checkLists(supabase)),
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
  const what = version === null ? 'the email-ops migration is missing' : `version ${version} of ${EXPECTED_VERSION}`;
  const detail = `${what}: the queue can be seen, but workers refuse to process it`;
  return { name, state: 'failed', detail, remedy: `${APPLY} (additive, safe to repeat)` };
}

/** A later migration, without which only the console's lists know less. Said only where it is missing. */
async function checkLists({ client }: SupabaseConnection): Promise<Check[]> {
  const last = { query: { sort: 'oldest' }, place: { kind: 'last' }, limit: 1 } as const;
  const found = await probe('lists', () => createQueueFinder(client).page(last));
  if (!('failed' in found)) return [];
  const detail = 'emails cannot be grouped by error, filtered by provider, nor listed upwards: a migration is missing';
  return /lacks what we need/.test(found.failed.detail)
    ? [
        {
          name: 'lists',
          state: 'warning',
          detail,
          remedy: `${applying('20261124120000_email_ops_looking.sql')} (additive)`,
        },
      ]
    : [found.failed];
}

function applying(file: string): string {
  const path = fileURLToPath(new URL(`../../../supabase/migrations/${file}`, import.meta.url));
  return `Apply it: psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f ${path}, or copy it into supabase/migrations of your project and run: supabase db push`;
}

const APPLY = applying('20261123000000_email_ops.sql');

/** Not even the tables of the deployment are there. */
function withMigration(check: Check): Check {
  return /lacks what we need/.test(check.detail)
    ? { ...check, remedy: `Is this the right database? The tables come first. ${APPLY}` }
    : check;
}
