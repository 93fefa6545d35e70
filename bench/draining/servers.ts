/**
 * The servers that the workers are measured on: PostgreSQL as durable as it comes, Redis without and with durability, Supabase's
 * REST API, the sandbox's database and the email endpoint, each in a process of its own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyMigrations, type Database, startPostgres } from '../../tests/support/postgres.ts';
import { type RedisServer, startRedisServer } from '../../tests/support/redis.ts';
import { type Endpoint, startEndpoint } from './endpoint.ts';

export const REST_KEY = 'sb_secret_for_tests';

export interface Servers {
  readonly endpoint: Endpoint;
  /** Ours: migrated, and behind `restUrl`. */
  readonly ours: Database;
  readonly restUrl: string;
  readonly graphile: Database;
  readonly pgBoss: Database;
  /** Keeps nothing on disk. */
  readonly redis: RedisServer;
  /** Writes every command to disk before it answers. */
  readonly durableRedis: RedisServer;
  readonly sandbox: Sandbox;
  stop(): Promise<void>;
}

export interface Sandbox {
  readonly restUrl: string;
  query<T>(statement: string): Promise<T[]>;
}

const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };
const COUNTING = { shared_preload_libraries: 'pg_stat_statements' };

export async function startServers(): Promise<Servers> {
  const stack = new AsyncDisposableStack();
  try {
    const postgres = stack.use(await startPostgres({ ...DURABLE, ...COUNTING }));
    await applyMigrations(postgres.sql);
    const graphile = await postgres.createDatabase('graphile');
    const pgBoss = await postgres.createDatabase('pgboss');
    for (const { sql } of [postgres, graphile, pgBoss]) await sql`create extension pg_stat_statements`;
    const redis = await startRedisServer();
    stack.defer(redis.stop);
    const durableRedis = await startRedisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    stack.defer(durableRedis.stop);
    const endpoint = await startEndpoint();
    stack.defer(endpoint.stop);
    const rest = await startChild(new URL('../../tests/support/rest-child.ts', import.meta.url), [postgres.url, '0']);
    stack.defer(rest.stop);
    const folder = mkdtempSync(join(tmpdir(), 'email-ops-bench-'));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const sandbox = await startChild(new URL('./sandbox-child.ts', import.meta.url), [folder, REST_KEY]);
    stack.defer(sandbox.stop);
    return {
      endpoint,
      ours: postgres,
      restUrl: rest.url,
      graphile,
      pgBoss,
      redis,
      durableRedis,
      sandbox: { restUrl: sandbox.url, query: sandbox.ask },
      stop: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** A process that says its address, as a message or as a line of JSON, and answers statements with rows. */
async function startChild(script: URL, args: readonly string[]) {
  const child: ChildProcess = fork(fileURLToPath(script), args, { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
  const heard = Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(60_000) }).then(([said]) => said),
    once(child.stdout ?? child, 'data', { signal: AbortSignal.timeout(60_000) }).then(([line]) =>
      JSON.parse(String(line)),
    ),
  ]);
  const { url } = (await heard) as { url: string };
  return {
    url,
    ask: async <T>(statement: string): Promise<T[]> => {
      const answered = once(child, 'message', { signal: AbortSignal.timeout(60_000) });
      child.send(statement);
      return (await answered)[0] as T[];
    },
    stop: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
