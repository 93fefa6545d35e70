/**
 * What the package exports for other servers (Next.js, Vercel, Deno): the worker endpoints and the admin API, made from the
 * environment at the first request. Importing it does nothing, so that a build without secrets succeeds.
 */
import { hostname } from 'node:os';
import { loadConfig, type Variables } from './config.ts';
import { connectRedis } from './data/redis.ts';
import { createSchedules } from './data/schedules.ts';
import { createSnapshotReader } from './data/snapshot.ts';
import { connectSupabase } from './data/supabase.ts';
import { cleanText } from './domain/text.ts';
import { systemClock } from './domain/time.ts';
import { createEndpoints, type Endpoints } from './workers/endpoints.ts';
import { json } from './workers/http.ts';
import { createWorkers } from './workers/registry.ts';
import type { RouteHandler, RouteName } from './workers/routes.ts';
import { createSnapshotCache } from './workers/snapshot-cache.ts';
import type { Logger } from './workers/worker.ts';

export type { RouteHandler, RouteName };

/** The two methods of a Next.js App Router route file. */
export interface Route {
  readonly GET: RouteHandler;
  readonly POST: RouteHandler;
}

/** `export const { GET, POST } = workerRoute('queue-processor');` in `app/api/email/worker/queue-processor/route.ts`. */
export function workerRoute(name: RouteName, environment: Variables = process.env): Route {
  return routeOf(environment, ({ routes }) => routes?.[name] ?? null, 'The workers need Redis and Supabase.');
}

/** `export const { GET, POST } = adminRoute();` in `app/api/admin/email/[...path]/route.ts`. */
export function adminRoute(environment: Variables = process.env): Route {
  return routeOf(environment, ({ admin }) => admin, 'EMAIL_ADMIN_TOKEN is not set.');
}

function routeOf(environment: Variables, pick: (endpoints: Endpoints) => RouteHandler | null, missing: string): Route {
  const handle: RouteHandler = async (request) => {
    const opened = endpointsOf(environment);
    if (Array.isArray(opened)) {
      for (const problem of opened) LOG.error(`[email-ops] ${problem}`);
      return json(500, { success: false, error: 'The configuration is not usable; see the log.' });
    }
    return pick(opened)?.(request) ?? json(503, { success: false, error: missing });
  };
  return { GET: handle, POST: handle };
}

/** One set of connections for all routes of a process. */
const known = new WeakMap<Variables, Endpoints | string[]>();

function endpointsOf(environment: Variables): Endpoints | string[] {
  const opened = known.get(environment) ?? open(environment);
  known.set(environment, opened);
  return opened;
}

function open(environment: Variables): Endpoints | string[] {
  const result = loadConfig(environment);
  if (!result.ok) return [...result.problems];
  const { config } = result;
  const clock = systemClock;
  const redis = config.redis === null ? null : connectRedis(config.redis);
  const supabase = config.supabase === null ? null : connectSupabase(config.supabase);
  const qstash = config.qstash === null ? null : createSchedules(config.qstash);
  const reader = createSnapshotReader({
    redis,
    supabase,
    qstash,
    clock,
    environment: config.environment,
    lockSlots: config.worker.slots,
  });
  const workers =
    redis === null || supabase === null || config.supabase === null
      ? null
      : createWorkers({ redis, supabase, emailFunction: config.supabase, settings: config.worker, clock, log: LOG });
  return createEndpoints({
    config,
    clock,
    redis,
    supabase,
    workers,
    log: LOG,
    hostName: hostname(),
    // The platform ends the process; what was in flight then comes back when its lease runs out.
    signal: new AbortController().signal,
    snapshot: createSnapshotCache(reader, clock),
  });
}

const LONGEST_LINE = 4_000;

/** Platforms collect both streams. One clean line each: they carry errors from outside. */
const LOG: Logger = {
  info: (line) => void process.stdout.write(`${cleanText(line, LONGEST_LINE)}\n`),
  warn: (line) => void process.stderr.write(`${cleanText(line, LONGEST_LINE)}\n`),
  error: (line) => void process.stderr.write(`${cleanText(line, LONGEST_LINE)}\n`),
};
