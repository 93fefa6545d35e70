/**
 * The whole system on real servers (redis-server, PostgreSQL behind Supabase's REST API, the email function), everything counted
 * where it comes in: commands and bytes at Redis, requests at Supabase's one address.
 */
import { createDeliveries, type Deliveries } from '../../src/data/deliveries.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { type Clock, DAY_MS, utcMidnightEpochMs } from '../../src/domain/time.ts';
import { createWorkers, type Workers } from '../../src/workers/registry.ts';
import { type ManualClock, manualClock } from '../../tests/support/clock.ts';
import { type MailStack, startMailStack } from '../../tests/support/mail-stack.ts';
import { serve } from '../../tests/support/serve.ts';
import { startRedisMeter } from './redis-meter.ts';

export interface Counts {
  readonly redis: number;
  /** What scripts did besides: whether that is billed, the vendor's pages leave open. */
  readonly inScripts: number;
  readonly redisBytes: number;
  /** Requests to Postgres through its REST API. */
  readonly postgres: number;
  /** Calls of the email function. */
  readonly functions: number;
}

export interface World extends AsyncDisposable {
  readonly stack: MailStack;
  /** What the program takes for now. It is moved on by hand, so that a day takes minutes; servers keep the real time. */
  readonly clock: ManualClock;
  readonly redis: RedisConnection;
  readonly supabase: SupabaseConnection;
  readonly workers: Workers;
  readonly deliveries: Deliveries;
  /** Where the function is, counted. */
  readonly functionUrl: string;
  readonly serviceKey: string;
  counted(work: () => Promise<unknown>): Promise<Counts>;
}

const SETTINGS = { batchSize: 100, concurrency: 10, runBudgetMs: 240_000, lockTtlSeconds: 300, slots: 1 };
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

export async function openWorld(): Promise<World> {
  const disposables = new AsyncDisposableStack();
  const stack = await startMailStack({ latencyFactor: 0 });
  disposables.defer(stack.stop);
  await stack.reset();
  const meter = disposables.use(await startRedisMeter(Number(new URL(stack.redisUrl).port)));
  let [postgres, functions] = [0, 0];
  const door = await serve(async (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname.startsWith('/functions/')) functions += 1;
    else postgres += 1;
    return fetch(stack.mailUrl + pathname + search, {
      method: request.method,
      headers: [...request.headers].filter(([name]) => !['host', 'connection', 'content-length'].includes(name)),
      ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { body: await request.text() }),
    }).then(plain);
  });
  disposables.defer(door.stop);
  // At noon, or what is counted would differ where a piece of an hour has midnight in it.
  const clock = manualClock(utcMidnightEpochMs(Date.now()) + DAY_MS / 2);
  const redis = connectRedis({ kind: 'tcp', url: meter.url });
  disposables.defer(redis.close);
  const supabase = connectSupabase({ url: door.url, serviceRoleKey: stack.rest.key });
  disposables.defer(supabase.close);
  const read = async (): Promise<Counts> => {
    const { sent, inScripts, bytes } = await meter.read();
    return { redis: sent, inScripts, redisBytes: bytes, postgres, functions };
  };
  return {
    stack,
    clock,
    redis,
    supabase,
    workers: workersOf({ redis, supabase, clock, functionUrl: door.url, serviceKey: stack.rest.key }),
    deliveries: createDeliveries(redis.client),
    functionUrl: door.url,
    serviceKey: stack.rest.key,
    counted: async (work) => {
      const before = await read();
      await work();
      const after = await read();
      return difference(after, before);
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

function workersOf(systems: {
  redis: RedisConnection;
  supabase: SupabaseConnection;
  clock: Clock;
  functionUrl: string;
  serviceKey: string;
}): Workers {
  const { functionUrl, serviceKey, ...rest } = systems;
  return createWorkers({
    ...rest,
    emailFunction: { url: functionUrl, serviceRoleKey: serviceKey },
    settings: SETTINGS,
    log: SILENT,
  });
}

/** Undone already: the next reader must not try again. */
async function plain(response: Response): Promise<Response> {
  const headers = [...response.headers].filter(
    ([name]) => !['content-encoding', 'content-length', 'transfer-encoding'].includes(name),
  );
  const body = [204, 304].includes(response.status) ? null : await response.arrayBuffer();
  return new Response(body, { status: response.status, headers });
}

function difference(after: Counts, before: Counts): Counts {
  return {
    redis: after.redis - before.redis,
    inScripts: after.inScripts - before.inScripts,
    redisBytes: after.redisBytes - before.redisBytes,
    postgres: after.postgres - before.postgres,
    functions: after.functions - before.functions,
  };
}

export function run({ workers }: World, worker: keyof Workers): Promise<unknown> {
  return workers[worker].run({ trigger: 'schedule', signal: new AbortController().signal });
}
