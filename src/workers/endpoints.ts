/** The worker endpoints and the admin API, put together from connected systems: for `serve` and for other servers alike. */
import { createAudit } from '../data/audit.ts';
import { createDeliveries } from '../data/deliveries.ts';
import { createDueTimes } from '../data/due-times.ts';
import { createLogs } from '../data/logs.ts';
import { createQueueList } from '../data/queue-list.ts';
import { createQueueLock } from '../data/queue-lock.ts';
import type { RedisConnection } from '../data/redis.ts';
import type { SupabaseConnection } from '../data/supabase.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Clock } from '../domain/time.ts';
import { createAdminActions } from './admin-actions.ts';
import { createAdminApi } from './admin-api.ts';
import type { WorkerSettings, Workers } from './registry.ts';
import { createWorkerRoutes, type RouteHandler, type RouteName } from './routes.ts';
import { createTick } from './tick.ts';
import type { Logger } from './worker.ts';

/** As much of the configuration as endpoints mind. */
export interface EndpointConfig {
  readonly worker: WorkerSettings & { readonly baseUrl: string | null };
  readonly qstash: SigningKeyConfig | null;
  readonly adminToken: string | null;
  readonly cronSecret: string | null;
  readonly readOnly: boolean;
  readonly isDevelopment: boolean;
}

interface SigningKeyConfig {
  readonly currentSigningKey: string | null;
  readonly nextSigningKey: string | null;
}

export interface EndpointSystems {
  readonly config: EndpointConfig;
  readonly clock: Clock;
  readonly redis: RedisConnection | null;
  readonly supabase: SupabaseConnection | null;
  /** Null: what they need is not configured. */
  readonly workers: Workers | null;
  readonly log: Logger;
  readonly hostName: string;
  /** Aborts when the server stops: runs give back what they have not started. */
  readonly signal: AbortSignal;
  snapshot(): Promise<Snapshot>;
}

export interface Endpoints {
  /** Null without workers. */
  readonly routes: Readonly<Record<RouteName, RouteHandler>> | null;
  /** Null without a token: then it is not served. */
  readonly admin: RouteHandler | null;
}

export function createEndpoints(systems: EndpointSystems): Endpoints {
  return { routes: routesOf(systems), admin: adminOf(systems) };
}

/** Both keys, or null. */
export function signingKeysOf(qstash: SigningKeyConfig | null): { current: string; next: string } | null {
  const { currentSigningKey: current = null, nextSigningKey: next = null } = qstash ?? {};
  return current === null || next === null ? null : { current, next };
}

function routesOf({ config, clock, redis, workers, log, signal }: EndpointSystems): Endpoints['routes'] {
  if (redis === null || workers === null) return null;
  return createWorkerRoutes({
    workers,
    tick: createTick(workers, { dueTimes: createDueTimes(redis.client), clock }),
    deliveries: createDeliveries(redis.client),
    signingKeys: signingKeysOf(config.qstash),
    baseUrl: config.worker.baseUrl,
    cronSecret: config.cronSecret,
    isDevelopment: config.isDevelopment,
    log,
    signal,
  });
}

function adminOf(systems: EndpointSystems): RouteHandler | null {
  const { config, clock, redis, supabase, workers, log, hostName: host, signal, snapshot } = systems;
  if (config.adminToken === null) return null;
  const lock = redis === null ? null : createQueueLock(redis.client, clock, config.worker.slots);
  return createAdminApi({
    token: config.adminToken,
    readOnly: config.readOnly,
    queueList: supabase === null ? null : createQueueList(supabase.client),
    logs: supabase === null ? null : createLogs(supabase.client),
    audit: redis === null ? null : createAudit(redis.client),
    actions: createAdminActions({ lock, workers, clock, host, signal }),
    log,
    clock,
    host,
    snapshot,
  });
}
