/**
 * The sandbox's Postgres: PGlite in a folder, migrated, behind the REST API of Supabase. What was answered survives a kill -9.
 * Heavy and blocking: only the sandbox process imports this file.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPgliteConnection, type PgliteConnection } from '@supabase/lite/pglite';
import { lockFolder } from './folder-lock.ts';
import { createRest, type RestHandler } from './rest.ts';

export interface DatabaseOptions {
  /** Created where it is missing. Everything in it belongs to the database. */
  readonly folder: string;
  /** `sb_secret_…`; requests must carry it. */
  readonly secretKey: string;
  /** Told what is being done now, in words for a person. */
  readonly onProgress?: (step: string) => void;
}

export interface Database {
  /** Answers `/rest/v1/*`. */
  readonly fetch: RestHandler;
  /** Runs one statement as the owner of everything. Parameters are `$1`, `$2` … */
  query<T>(statement: string, parameters?: readonly unknown[]): Promise<T[]>;
  /** Waits for what is running, then closes. Idempotent. */
  stop(): Promise<void>;
}

// The same from src/sandbox and from dist/sandbox.
const migrationsFolder = fileURLToPath(new URL('../../supabase/migrations/', import.meta.url));

/**
 * Opens the database, within seconds the first time, within one second later. Throws when the folder's data is unreadable.
 * @throws FolderInUse when it is open already. PGlite itself would let two write, and lose what the first to close had not seen.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const report = options.onProgress ?? (() => undefined);
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const lock = lockFolder(options.folder);
  try {
    return await openLocked(options, report, lock);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

async function openLocked(
  options: DatabaseOptions,
  report: (step: string) => void,
  lock: Disposable,
): Promise<Database> {
  const connection = await openFolder(options.folder, report);
  report('applying migrations');
  for (const file of migrationFiles()) await connection.driver.exec(readFileSync(file, 'utf8'));
  writeFileSync(initialisedMark(options.folder), '');

  const rest = createRest(connection, options.secretKey);
  const oneAtATime = queue();
  let stopped: Promise<void> | undefined;
  return {
    fetch: (request) => oneAtATime(() => rest(request)),
    query: (statement, parameters = []) =>
      oneAtATime(async () => (await connection.driver.query(statement, [...parameters])).rows as never[]),
    stop: () => {
      stopped ??= oneAtATime(() => connection.driver.close()).finally(() => lock[Symbol.dispose]());
      return stopped;
    },
  };
}

async function openFolder(folder: string, report: (step: string) => void): Promise<PgliteConnection> {
  const data = join(folder, 'pgdata');
  if (existsSync(initialisedMark(folder))) {
    report('opening Postgres');
  } else {
    // What a kill during the first start left behind can't be opened, and nobody was promised anything yet.
    rmSync(data, { recursive: true, force: true });
    report('initialising Postgres');
  }
  try {
    const connection = await createPgliteConnection({ url: data });
    await connection.driver.waitReady;
    return connection;
  } catch (cause) {
    throw new Error(`The sandbox database in ${folder} can't be opened. Start with --fresh to begin anew.`, { cause });
  }
}

function initialisedMark(folder: string): string {
  return join(folder, 'initialised');
}

function migrationFiles(): string[] {
  return readdirSync(migrationsFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => join(migrationsFolder, name));
}

/**
 * PGlite has one session, and a REST request is a transaction of many statements: two at once would share a transaction, and
 * one's rollback would undo the other. So they take turns.
 */
function queue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => undefined);
    return turn;
  };
}
