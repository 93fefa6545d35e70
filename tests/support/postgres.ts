/**
 * A throwaway PostgreSQL for tests: a fresh cluster in a temporary folder on a free loopback port, gone after `stop()`.
 * Durability is off, so it is quick; never use it for what a kill must not lose.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { findPostgresFolder, isMissing } from './real-server.ts';

export type Sql = postgres.Sql;

export type ServerSettings = Readonly<Record<string, string | number>>;

export interface Database {
  readonly url: string;
  /** Up to ten connections. Closed by the cluster's `stop()`. */
  readonly sql: Sql;
}

export interface PostgresCluster extends Database, AsyncDisposable {
  /** A further, empty database. Without a name it gets one of its own. */
  createDatabase(name?: string): Promise<Database>;
  /** Ends it as `how` says and starts it on the same data and port. `crash` is what kill -9 of the server would be. */
  restart(how: 'stop' | 'crash', downMs?: number): Promise<void>;
  stop(): Promise<void>;
}

const migrationsFolder = fileURLToPath(new URL('../../supabase/migrations/', import.meta.url));
const startDeadlineMs = 30_000;

/** True when there is no PostgreSQL here and its tests are to be skipped; throws where CI needs it. */
export function isPostgresMissing(): boolean {
  return isMissing('PostgreSQL', findPostgresFolder());
}

/**
 * Starts a cluster, in one to two seconds. Throws with the server's log when it does not come up. `settings` are the server's
 * own, for example `{ fsync: 'on' }`.
 */
export async function startPostgres(settings: ServerSettings = {}): Promise<PostgresCluster> {
  const binaries = findPostgresFolder();
  if (binaries === null) throw new Error('PostgreSQL is not installed: install the Debian package postgresql.');
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-postgres-'));
  const account = serverAccount();
  if (account !== null) chownSync(folder, account.uid, account.gid);
  const run = { ...account, cwd: folder, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', TZ: 'UTC' } };

  const initArguments = [
    '-D',
    join(folder, 'data'),
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-sync',
    '--no-instructions',
  ];
  await promisify(execFile)(join(binaries, 'initdb'), initArguments, run);

  const port = await freePort();
  const begin = () =>
    spawn(join(binaries, 'postgres'), serverArguments(folder, port, settings), {
      ...run,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  let server = begin();
  let log = collect(server);
  const killWithUs = () => server.kill('SIGQUIT');
  process.once('exit', killWithUs);

  const clients: Sql[] = [];
  const open = (name: string): Database => {
    const url = `postgres://postgres@127.0.0.1:${port}/${name}`;
    const sql = connect(url);
    clients.push(sql);
    return { url, sql };
  };
  const stop = async () => {
    await Promise.all(clients.splice(0).map((client) => client.end({ timeout: 1 })));
    if (server.exitCode === null && server.signalCode === null) {
      server.kill('SIGINT');
      await once(server, 'exit', { signal: AbortSignal.timeout(startDeadlineMs) });
    }
    process.off('exit', killWithUs);
    rmSync(folder, { recursive: true, force: true });
  };

  try {
    await log.includes('ready to accept connections');
  } catch (cause) {
    await stop();
    throw new Error(`PostgreSQL did not start:\n${log.text()}`, { cause });
  }
  let databases = 0;
  let restarting: Promise<void> = Promise.resolve();
  const restart = async (how: 'stop' | 'crash', downMs: number) => {
    const exited = once(server, 'exit', { signal: AbortSignal.timeout(startDeadlineMs) });
    server.kill(how === 'stop' ? 'SIGINT' : 'SIGQUIT');
    await exited;
    await delay(downMs);
    server = begin();
    log = collect(server);
    await log.includes('ready to accept connections');
  };
  return {
    ...open('postgres'),
    createDatabase: async (name = `test_${++databases}`) => {
      const { sql } = open('postgres');
      await sql`create database ${sql(name)} template template0`;
      await sql.end();
      return open(name);
    },
    restart: (how, downMs = 0) => {
      // One after the other: the second finds a server to end.
      restarting = restarting.catch(() => undefined).then(() => restart(how, downMs));
      return restarting;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A client of its own, silent about notices. The caller ends it. `options` as in postgres.js. */
export function connect(url: string, options: postgres.Options<Record<string, never>> = {}): Sql {
  return postgres(url, { max: 10, onnotice: () => undefined, ...options }) as Sql;
}

/** The paths of our migrations, in the order in which they are applied. */
export function migrationFiles(): string[] {
  return readdirSync(migrationsFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => join(migrationsFolder, name));
}

/** Applies the migrations as they are, each file in one transaction. */
export async function applyMigrations(sql: Sql, files: readonly string[] = migrationFiles()): Promise<void> {
  for (const file of files) await sql.unsafe(readFileSync(file, 'utf8'));
}

/** PostgreSQL refuses to run as root: then it runs as the account its package made. */
function serverAccount(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function serverArguments(folder: string, port: number, changed: ServerSettings): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 150,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    shared_buffers: '256MB',
    max_wal_size: '4GB',
    timezone: 'UTC',
    ...changed,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', join(folder, 'data'), ...flags];
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free loopback port.');
  return address.port;
}

function collect(server: ChildProcess): { includes(words: string): Promise<void>; text(): string } {
  let text = '';
  let wake: () => void = () => undefined;
  server.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-20_000);
    wake();
  });
  return {
    text: () => text,
    includes: (words) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('It took too long.')), startDeadlineMs);
        server.once('exit', (code) => reject(new Error(`It exited with ${code}.`)));
        wake = () => {
          if (!text.includes(words)) return;
          clearTimeout(timer);
          resolve();
        };
        wake();
      }),
  };
}
