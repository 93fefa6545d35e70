/** Who is measured: how emails get into its queue, which process drains it, and how many are not done afterwards. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { lockKeys } from '../../src/data/keys.ts';
import { MAX_SLOTS } from '../../src/data/queue-lock.ts';
import { connectRedis } from '../../src/data/redis.ts';
import type { Database } from '../../tests/support/postgres.ts';
import { emailNumber } from '../lib/send-email.ts';
import type { WorkerSetting } from '../lib/worker-process.ts';
import type { OurVariant } from './our-worker.ts';
import { REST_KEY, type Servers } from './servers.ts';

export interface System {
  readonly name: string;
  /** What a crash of its servers loses, in a few words. */
  readonly durability: string;
  /** The process that drains. */
  readonly script: URL;
  setting(servers: Servers): Partial<WorkerSetting>;
  /** Empties its queue and puts `count` emails into it. */
  fill(servers: Servers, count: number): Promise<void>;
  /** How many in its queue are not done. */
  left(servers: Servers): Promise<number>;
  /** Where its statements are counted; absent for what does not use the shared PostgreSQL. */
  readonly database?: (servers: Servers) => Database;
  /** Where its commands are counted. */
  readonly redis: 'plain' | 'durable';
}

const DURABLE = 'nothing: every commit is on disk';

/** Through Supabase's REST API, as in production. */
export const OURS: System = {
  name: '**email-ops**',
  durability: DURABLE,
  script: new URL('./our-worker.ts', import.meta.url),
  setting: ({ restUrl }) => ({ restUrl }),
  fill: async ({ ours: { sql }, redis }, count) => {
    await forgetLocks(redis.url);
    for (const statement of EMPTY) await sql.unsafe(statement);
    for (let from = 0; from < count; from += 1_000) {
      await sql`select enqueue_emails(${sql.json(newEmails(from, Math.min(count, from + 1_000)))})`;
    }
    for (const statement of FILLED) await sql.unsafe(statement);
  },
  left: async ({ ours: { sql } }) => leftOf(await sql.unsafe(LEFT)),
  database: ({ ours }) => ours,
  redis: 'plain',
};

/** What the REST API costs is the difference to this. Nobody can configure it. */
export const OURS_DIRECT: System = {
  ...OURS,
  name: '**email-ops**, without REST',
  setting: () => ourVariant({ isDirect: true }),
};

/** The hand-written worker of the customer's document, on the same tables. */
export const LEGACY: System = {
  ...OURS,
  name: 'hand-written, chunks of 10',
  script: new URL('./legacy-worker.ts', import.meta.url),
};

export const IN_SANDBOX: System = {
  name: '**email-ops**, sandbox',
  durability: 'nothing: every commit is on disk',
  script: OURS.script,
  setting: ({ sandbox }) => ({ restUrl: sandbox.restUrl }),
  fill: async ({ sandbox }, count) => {
    for (const statement of EMPTY) await sandbox.query(statement);
    for (let from = 0; from < count; from += 1_000) {
      const emails = JSON.stringify(newEmails(from, Math.min(count, from + 1_000)));
      await sandbox.query(`select enqueue_emails('${emails}'::jsonb)`);
    }
    for (const statement of FILLED) await sandbox.query(statement);
  },
  left: async ({ sandbox }) => leftOf(await sandbox.query(LEFT)),
  redis: 'plain',
};

const graphile: Omit<System, 'name'> = {
  durability: DURABLE,
  script: new URL('../peers/graphile-worker.ts', import.meta.url),
  setting: ({ graphile: { url } }) => ({ postgresUrl: url }),
  fill: ({ graphile: { url } }, count) => fillPeer({ variant: 'graphile', count, postgresUrl: url }),
  left: async ({ graphile: { sql } }) =>
    leftOf(await sql`select count(*)::int as left from graphile_worker._private_jobs`),
  database: ({ graphile: database }) => database,
  redis: 'plain',
};

export const GRAPHILE: System = { ...graphile, name: 'graphile-worker' };
export const GRAPHILE_LOCAL: System = {
  ...graphile,
  name: 'graphile-worker, local queue',
  setting: (servers) => ({ ...graphile.setting(servers), variant: 'local-queue' }),
};

/** Does what ours does besides sending, as far as the log goes: no quota, no count of deliveries. */
export const GRAPHILE_LOG: System = {
  ...graphile,
  name: 'graphile-worker, local queue, logging each email',
  setting: (servers) => ({ ...graphile.setting(servers), variant: 'local-queue, log' }),
};

export const PG_BOSS: System = {
  name: 'pg-boss',
  durability: DURABLE,
  script: new URL('../peers/pg-boss.ts', import.meta.url),
  setting: ({ pgBoss: { url } }) => ({ postgresUrl: url }),
  fill: ({ pgBoss: { url } }, count) => fillPeer({ variant: 'pg-boss', count, postgresUrl: url }),
  left: async ({ pgBoss: { sql } }) =>
    leftOf(await sql`select count(*)::int as left from pgboss.job where name = 'email' and state <> 'completed'`),
  database: ({ pgBoss: database }) => database,
  redis: 'plain',
};
export const PG_BOSS_TUNED: System = {
  ...PG_BOSS,
  name: 'pg-boss, tuned',
  setting: (servers) => ({ ...PG_BOSS.setting(servers), variant: 'tuned' }),
};

export const BULLMQ: System = {
  name: 'BullMQ',
  durability: 'everything: Redis in memory',
  script: new URL('../peers/bullmq.ts', import.meta.url),
  setting: ({ redis }) => ({ redisUrl: redis.url }),
  fill: ({ redis }, count) => fillPeer({ variant: 'bullmq', count, redisUrl: redis.url }),
  left: ({ redis }) => leftInRedis(redis.url),
  redis: 'plain',
};
export const BULLMQ_DURABLE: System = {
  ...BULLMQ,
  name: 'BullMQ, appendfsync always',
  durability: 'nothing: every command is on disk',
  setting: ({ durableRedis }) => ({ redisUrl: durableRedis.url }),
  fill: ({ durableRedis }, count) => fillPeer({ variant: 'bullmq', count, redisUrl: durableRedis.url }),
  left: ({ durableRedis }) => leftInRedis(durableRedis.url),
  redis: 'durable',
};

export const SYSTEMS: readonly System[] = [
  OURS,
  OURS_DIRECT,
  IN_SANDBOX,
  GRAPHILE,
  GRAPHILE_LOCAL,
  GRAPHILE_LOG,
  PG_BOSS_TUNED,
  BULLMQ,
  BULLMQ_DURABLE,
  LEGACY,
];

export function ourVariant(variant: OurVariant): Partial<WorkerSetting> {
  return { variant: JSON.stringify(variant) };
}

const EMPTY = [
  ...[
    'email_queue',
    'email_logs',
    'email_dead_letter_queue',
    'email_provider_quota',
    'email_ops_counters',
    'email_ops_deliveries',
  ].map((table) => `delete from ${table}`),
  `insert into email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
   values ('brevo', (now() at time zone 'utc')::date, 0, 1000000, 1000000)`,
];
/** As the database's own upkeep would, some time after so many rows came. */
const FILLED = ['vacuum analyze email_queue', 'vacuum analyze email_logs'];
const LEFT = `select count(*)::int as left from email_queue where status <> 'completed'`;

function leftOf(rows: readonly unknown[]): number {
  return (rows[0] as { left: number }).left;
}

function newEmails(from: number, to: number) {
  return Array.from({ length: to - from }, (_, index) => {
    const { to: recipientEmail, subject, html } = emailNumber(from + index);
    return { recipientEmail, emailType: 'chat', templateData: { subject, html } };
  });
}

/** Of a worker that was killed or broke. */
async function forgetLocks(url: string): Promise<void> {
  const redis = connectRedis({ kind: 'tcp', url });
  await redis.client.del(...lockKeys(MAX_SLOTS));
  await redis.close();
}

async function leftInRedis(url: string): Promise<number> {
  const redis = connectRedis({ kind: 'tcp', url });
  try {
    return (await redis.client.llen('bull:email:wait')) + (await redis.client.llen('bull:email:active'));
  } finally {
    await redis.close();
  }
}

async function fillPeer(setting: Partial<WorkerSetting>): Promise<void> {
  const child = fork(new URL('../peers/fill.ts', import.meta.url), [JSON.stringify(setting)]);
  const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(60_000) });
  if (code !== 0) throw new Error(`A peer's queue could not be filled (${code}).`);
}

/** What every worker is told, whichever system it is of. */
export function settingOf(system: System, servers: Servers, count: number, concurrency: number): WorkerSetting {
  return {
    count,
    concurrency,
    postgresUrl: servers.ours.url,
    restUrl: servers.restUrl,
    restKey: REST_KEY,
    redisUrl: servers.redis.url,
    mailUrl: servers.endpoint.url,
    variant: '',
    ...system.setting(servers),
  };
}
