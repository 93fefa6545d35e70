/** What befalls Redis and Postgres themselves. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { migrationFiles } from '../../support/postgres.ts';
import type { Fault, Field } from './experiment.ts';
import { repeatedly } from './faults-processes.ts';

const LOCK = 'email:queue:lock';

export const REDIS_FAULTS: readonly Fault[] = [
  {
    name: 'Redis restarted empty',
    begin: async ({ world }) => {
      await world.restartRedis(300);
      return async () => undefined;
    },
  },
  {
    name: 'Redis read-only',
    begin: async ({ world }) => {
      // A replica of nobody keeps answering reads and refuses writes.
      await world.redis('REPLICAOF', '127.0.0.1', '1');
      return async () => void (await world.redis('REPLICAOF', 'NO', 'ONE'));
    },
  },
  {
    name: 'Redis out of memory',
    begin: async ({ world }) => {
      await world.redis('CONFIG', 'SET', 'maxmemory', '1');
      return async () => void (await world.redis('CONFIG', 'SET', 'maxmemory', '0'));
    },
  },
  {
    name: 'the lock deleted by somebody else',
    begin: async ({ world }, forMs) => {
      return repeatedly(forMs, async () => {
        await world.redis('DEL', LOCK, `${LOCK}:2`);
        await delay(200);
      });
    },
  },
  {
    name: 'the lock overwritten by somebody else',
    begin: async ({ world }, forMs) => {
      return repeatedly(forMs, async () => {
        await world.redis('SET', LOCK, '0b7ac8f6-3a2c-4a5e-9d3c-1f1f9b2f7c11', 'EX', '1');
        await delay(700);
      });
    },
  },
  {
    name: 'the lock is a list',
    begin: async ({ world }) => {
      await world.redis('DEL', LOCK);
      await world.redis('RPUSH', LOCK, 'not', 'a', 'lock');
      return async () => void (await world.redis('DEL', LOCK));
    },
  },
];

export const POSTGRES_FAULTS: readonly Fault[] = [
  { name: 'Postgres restarted', begin: (field) => restart(field, 'stop') },
  { name: 'Postgres crashed', begin: (field) => restart(field, 'crash') },
  {
    name: 'Postgres cuts connections',
    begin: async (field, forMs) => {
      return repeatedly(forMs, async () => {
        await cutConnections(field);
        await delay(100 + 200 * field.random.next());
      });
    },
  },
  { name: 'serialization failures', begin: (field) => setting(field, 'default_transaction_isolation', 'serializable') },
  { name: 'statement timeout of 5 ms', begin: (field) => setting(field, 'statement_timeout', '5ms') },
  { name: 'Postgres read-only', begin: (field) => setting(field, 'default_transaction_read_only', 'on') },
  {
    name: 'the queue locked by a migration',
    begin: async ({ world }, forMs) => {
      const locked = Promise.withResolvers<void>();
      const held = world.sql.begin(async (sql) => {
        await sql`lock table email_queue in access exclusive mode`;
        locked.resolve();
        await delay(forMs);
      });
      // Cut off later by another fault, the lock is gone as well.
      const over = held.then(() => undefined, locked.reject);
      await locked.promise;
      return () => over;
    },
  },
  {
    name: 'the migration missing',
    console: /migration/,
    begin: (field) => hideFunctions(field, () => true),
  },
  {
    name: 'the migration half applied',
    begin: (field) => hideFunctions(field, (name) => /^(finish|renew|release)_/.test(name)),
  },
];

async function restart({ world }: Field, how: 'stop' | 'crash') {
  await world.postgres.restart(how, 400);
  return async () => undefined;
}

async function cutConnections({ world }: Field): Promise<void> {
  await world.sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'chaos_api'`;
}

/** For new connections, so the old ones are cut. The experiment's own connections are not to suffer. */
async function setting(field: Field, name: string, value: string) {
  const { sql } = field.world;
  await sql.unsafe(`alter role chaos_api set ${name} = '${value}'`);
  await cutConnections(field);
  return async () => {
    await sql.unsafe(`alter role chaos_api reset ${name}`);
    await cutConnections(field);
  };
}

/** As if the part of the migration that makes them had not been applied. */
async function hideFunctions({ world }: Field, isHidden: (name: string) => boolean) {
  const ours = migrationFiles()
    .filter((path) => /email_ops/.test(path))
    .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/create or replace function public\.(\w+)/g)])
    .map(([, name = '']) => name);
  // What triggers call has to stay: without the migration there would be no triggers either.
  const hidden = [...new Set(ours)].filter((name) => isHidden(name) && !INNER.test(name));
  const rename = (from: (name: string) => string, to: (name: string) => string) =>
    world.sql.begin(async (sql) => {
      const known = new Set((await sql<{ proname: string }[]>`select proname from pg_proc`).map((row) => row.proname));
      // Done again where the answer to the first time was lost: what is renamed already stays.
      for (const name of hidden) {
        if (known.has(from(name))) await sql.unsafe(`alter function public.${from(name)} rename to ${to(name)}`);
      }
    });
  const itself = (name: string) => name;
  const gone = (name: string) => `gone_${name}`;
  await rename(itself, gone);
  return async () => {
    await rename(gone, itself);
    world.reloadSchema();
  };
}

const INNER = /^email_ops_(drop_lease|counter_name|bucket|fold_counters|count_queue|fold_deliveries|count_deliveries)$/;
