/** Doctor: which of our migrations is not applied, what is missing without it, and how to apply it. */
import { fileURLToPath } from 'node:url';
import { createProviderGateway } from '../../data/providers.ts';
import { createQueueFinder } from '../../data/queue-finder.ts';
import { answerOf, type SupabaseConnection } from '../../data/supabase.ts';
import { type Check, probe } from './check.ts';

type Client = SupabaseConnection['client'];

interface Migration {
  readonly file: string;
  /** What is not there without it. */
  readonly lacks: string;
  /** Asks for something that only it makes, and changes nothing. */
  ask(client: Client): Promise<unknown>;
}

/** The newest are asked for one by one; the first one tells its version in every look at the queue (`postgres.ts`). */
export const LATER_MIGRATIONS: readonly Migration[] = [
  {
    file: '20261124000000_email_function.sql',
    lacks: 'providers cannot be listed, disabled or reset, and our email function does not run',
    ask: (client) => createProviderGateway(client).read(),
  },
  {
    file: '20261124120000_email_ops_looking.sql',
    lacks: 'emails cannot be grouped by error, filtered by provider, nor listed upwards',
    ask: (client) => createQueueFinder(client).page({ query: { sort: 'oldest' }, place: { kind: 'last' }, limit: 1 }),
  },
  {
    file: '20261125000000_email_provider_history.sql',
    lacks: 'the history of providers is counted from the newest deliveries only',
    ask: (client) => answerOf(client.rpc('email_provider_history', { p_minutes: 5, p_bucket_minutes: 5 })),
  },
];

/** The tables of the deployment, which were there before us. */
export const TABLES_MIGRATION = '20260101000000_email_tables.sql';
export const FIRST_MIGRATION = '20261123000000_email_ops.sql';

export async function checkMigrations(client: Client): Promise<readonly Check[]> {
  const found = await Promise.all(LATER_MIGRATIONS.map((migration) => checkMigration(migration, client)));
  const checks = found.filter((check) => check !== null);
  return checks.length > 0 ? checks : [{ name: 'migrations', state: 'ok', detail: 'all of them are applied' }];
}

async function checkMigration({ file, lacks, ask }: Migration, client: Client): Promise<Check | null> {
  const asked = await probe('migrations', () => ask(client));
  if (!('failed' in asked)) return null;
  if (!isMissing(asked.failed)) return asked.failed;
  return { name: 'migrations', state: 'warning', detail: `${file} is missing: ${lacks}`, remedy: applying(file) };
}

/** Whether the answer was that something is not there. */
export function isMissing({ detail }: Check): boolean {
  return /lacks what we need/.test(detail);
}

export function applying(file: string): string {
  const path = fileURLToPath(new URL(`../../../supabase/migrations/${file}`, import.meta.url));
  return `Apply it: psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f ${path}, or copy it into supabase/migrations of your project and run: supabase db push (additive, safe to repeat)`;
}
