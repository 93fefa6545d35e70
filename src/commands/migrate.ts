/** Our migrations, applied to a database by its own `psql`, or as commands to type. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cleanText } from '../domain/text.ts';
import { CommandError } from './command.ts';

const FOLDER = fileURLToPath(new URL('../../supabase/migrations/', import.meta.url));

/** Paths, in the order in which they are applied. All of them may be applied again. */
export function migrationFiles(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => join(FOLDER, name));
}

/** One line for psql, and one for the Supabase CLI. */
export function migrationCommands(): readonly string[] {
  const files = migrationFiles().map((path) => `-f '${path}'`);
  return [
    `psql "$DATABASE_URL" -v ON_ERROR_STOP=1 ${files.join(' ')}`,
    `cp -n '${FOLDER}'*.sql supabase/migrations/ && supabase db push`,
  ];
}

const APPLY_TIMEOUT_MS = 300_000;

/** Applies them to the database of a `postgresql://` address. The password goes by the environment, where `ps` shows none. */
export async function applyMigrations(databaseUrl: string, signal: AbortSignal): Promise<void> {
  const files = migrationFiles().flatMap((path) => ['-f', path]);
  const child = spawn('psql', ['-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', ...files], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...connectionOf(databaseUrl) },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(APPLY_TIMEOUT_MS)]),
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new CommandError('psql is not installed here');
    throw error;
  });
  if (code === 0) return;
  const said = errors.split('\n').filter((line) => /error|fatal/i.test(line));
  throw new CommandError(`psql could not apply the migration: ${cleanText(said[0] ?? errors, 300)}`);
}

/** @throws CommandError for what is no address of a Postgres database */
export function connectionOf(databaseUrl: string): Readonly<Record<string, string>> {
  const url = URL.parse(databaseUrl);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new CommandError(
      'That is no address of a database: it must look like postgresql://user:password@host:5432/postgres',
    );
  }
  const { searchParams } = url;
  const parts = {
    PGHOST: searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, ''),
    PGPORT: searchParams.get('port') ?? url.port,
    PGUSER: decodeURIComponent(url.username) || (searchParams.get('user') ?? ''),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGSSLMODE: searchParams.get('sslmode') ?? '',
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== ''));
}
