/**
 * The systems of one experiment on real servers, each behind a fault proxy: redis-server under Upstash's REST API, PostgreSQL
 * under Supabase's, and the sandbox's email function, whose outbox is the independent observer.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createTcpTransport, type TcpTransport } from '../../../src/data/redis-tcp.ts';
import type { ControlChange } from '../../../src/sandbox/email-function/controls.ts';
import { createEmailFunction, type EmailFunction } from '../../../src/sandbox/email-function/function.ts';
import type { Random } from '../../../src/sandbox/random.ts';
import { seededRandom } from '../../../src/sandbox/random.ts';
import { createUpstashBridge } from '../../../src/sandbox/redis/bridge.ts';
import { type Answer, type Execute, RedisAway } from '../../../src/sandbox/redis/execute.ts';
import { ENOUGH, everyProvider } from '../../support/mail-stack.ts';
import { applyMigrations, type PostgresCluster, type Sql, startPostgres } from '../../support/postgres.ts';
import { type RedisServer, startRedisServer } from '../../support/redis.ts';
import { serve } from '../../support/serve.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { startRestProcess } from './rest-process.ts';

export const SYSTEMS = ['redis', 'postgres', 'email'] as const;
export type System = (typeof SYSTEMS)[number];

export interface World {
  readonly sql: Sql;
  readonly postgres: PostgresCluster;
  readonly proxies: Readonly<Record<System, FaultProxy>>;
  /** The key that both Supabase and the email function take, and Redis' token. */
  readonly key: string;
  /** The number of this experiment in this world. */
  round(): number;
  /** The function of this experiment: every `reset` makes a new one, with an empty outbox. */
  emailFunction(): EmailFunction;
  /** Asks Redis past the proxy. */
  redis(...command: readonly string[]): Promise<unknown>;
  /** Kills redis-server and starts an empty one at the same port. */
  restartRedis(downMs: number): Promise<void>;
  /** The REST API looks anew at which functions there are. */
  reloadSchema(): void;
  /** Everything empty and well; providers as told. */
  reset(options: { seed: string; providers: ControlChange; dailyLimit: number }): Promise<void>;
  /** What became of each send of this queue row, in order: when since the last reset, by whom, and what. */
  sendsOf(id: string): readonly string[];
  /** The same for the email function alone. */
  skipForFunction(ms: number): void;
  /** Simulated time that has passed beyond real time: for the email function, and for emails that wait for a retry. */
  skip(ms: number): Promise<void>;
  stop(): Promise<void>;
}

const TABLES = [
  'email_queue',
  'email_logs',
  'email_dead_letter_queue',
  'email_provider_quota',
  'email_ops_counters',
  'email_ops_deliveries',
];

export async function startWorld(random: Random = seededRandom('world')): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-chaos-'));
  let redisServer: RedisServer = await startRedisServer();
  let restarting: Promise<void> = Promise.resolve();
  const transport: TcpTransport = createTcpTransport(redisServer.url, () => AbortSignal.timeout(5_000));
  const postgres = await startPostgres();
  await applyMigrations(postgres.sql);
  // What was acknowledged must survive a crash of the server, as it does in production.
  await postgres.sql.unsafe('alter database postgres set synchronous_commit = on');
  // A role of its own, so that what befalls the workers' connections spares the experiment's.
  await postgres.sql.unsafe('create role chaos_api superuser login');
  const rest = await startRestProcess(postgres.url.replace('postgres@', 'chaos_api@'));
  const bridge = createUpstashBridge({ execute: executeOver(transport), token: rest.key });
  const redisFront = await serve(bridge);
  let emailFunction: EmailFunction | null = null;
  let skippedMs = 0;
  let functions = 0;
  const sends = new Map<string, string[]>();
  const emailFront = await serve((request) =>
    emailFunction === null ? new Response(null, { status: 503 }) : emailFunction.fetch(request),
  );
  const proxies = {
    redis: await startFaultProxy(redisFront.url, random),
    postgres: await startFaultProxy(rest.url, random),
    email: await startFaultProxy(emailFront.url, random),
  };
  const currentFunction = () => {
    if (emailFunction === null) throw new Error('The world was not reset yet.');
    return emailFunction;
  };

  return {
    sql: postgres.sql,
    postgres,
    proxies,
    key: rest.key,
    round: () => functions,
    emailFunction: currentFunction,
    redis: async (...command) => {
      const { result } = (await transport.send({ body: [...command] })) as { result?: unknown };
      return result;
    },
    reloadSchema: rest.reloadSchema,
    restartRedis: (downMs) => {
      // One after the other: two servers cannot have the same port.
      restarting = restarting
        .catch(() => undefined)
        .then(async () => {
          await redisServer.stop();
          await delay(downMs);
          redisServer = await startRedisServer({ port: redisServer.port });
        });
      return restarting;
    },
    reset: async ({ seed, providers, dailyLimit }) => {
      for (const proxy of Object.values(proxies)) {
        await proxy.clear();
        proxy.cutOff();
        Object.assign(proxy, { rewrite: null, onAnswered: null });
      }
      sends.clear();
      const resetAtMs = performance.now();
      proxies.email.trace = (event, { caller, process: pid, body }) => {
        const { idempotencyKey } = JSON.parse(body.toString()) as { idempotencyKey?: string };
        if (idempotencyKey === undefined) return;
        const line = `${Math.round(performance.now() - resetAtMs)} ms ${caller}~${pid} ${event}`;
        sends.set(idempotencyKey, [...(sends.get(idempotencyKey) ?? []), line]);
      };
      await transport.send({ body: ['FLUSHALL'] });
      for (const table of TABLES) await postgres.sql.unsafe(`delete from ${table}`);
      await emailFunction?.stop();
      skippedMs = 0;
      functions += 1;
      const limits = { dailyLimit, monthlyLimit: ENOUGH };
      emailFunction = createEmailFunction({
        folder: join(folder, String(functions)),
        serviceKey: rest.key,
        seed,
        clock: { nowEpochMs: () => Date.now() + skippedMs },
        providers: everyProvider({ medianMs: 5, p99Ms: 20, failureRate: 0, ...limits, ...providers }),
      });
      await postgres.sql`
        insert into email_provider_quota (provider, date, daily_limit, monthly_limit)
        select provider, (now() at time zone 'utc')::date + day, ${dailyLimit}, ${ENOUGH}
        from unnest(array['resend', 'brevo', 'mailersend', 'aws_ses']) as provider, generate_series(0, 1) as day`;
    },
    sendsOf: (id) => sends.get(id) ?? [],
    skipForFunction: (ms) => {
      skippedMs += ms;
    },
    skip: async (ms) => {
      skippedMs += ms;
      await postgres.sql`
        update email_queue set next_retry_at = next_retry_at - ${ms} * interval '1 millisecond'
        where status = 'queued' and next_retry_at > now()`;
    },
    stop: async () => {
      const stopping = [...Object.values(proxies), emailFront, redisFront, rest].map((each) => each.stop());
      const ended = await Promise.allSettled([...stopping, emailFunction?.stop(), transport.close()]);
      // Databases last: what was connected to them is gone by then.
      ended.push(...(await Promise.allSettled([postgres.stop(), redisServer.stop()])));
      rmSync(folder, { recursive: true, force: true });
      const failed = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      if (failed.length > 0) throw new AggregateError(failed, 'The world could not be stopped.');
    },
  };
}

function executeOver(transport: TcpTransport): Execute {
  return async (commands, mode) => {
    try {
      const path = [mode === 'each' ? 'pipeline' : 'multi-exec'];
      return (await transport.send({ path, body: commands })) as unknown as Answer | readonly Answer[];
    } catch (cause) {
      throw new RedisAway('redis-server does not answer', { cause });
    }
  };
}
