/** What `serve` serves, put together from the connected systems; and what it does not serve, and why. */
import { createAudit } from '../data/audit.ts';
import { createDeliveries } from '../data/deliveries.ts';
import { createDueTimes } from '../data/due-times.ts';
import { createLogs } from '../data/logs.ts';
import { createQueueList } from '../data/queue-list.ts';
import { createQueueLock } from '../data/queue-lock.ts';
import { createAdminActions } from '../workers/admin-actions.ts';
import { ADMIN_PATH, createAdminApi } from '../workers/admin-api.ts';
import { createPrometheus, type Metrics } from '../workers/prometheus.ts';
import type { Workers } from '../workers/registry.ts';
import { createWorkerRoutes, type RouteHandler } from '../workers/routes.ts';
import { createServerApp } from '../workers/server.ts';
import { createSnapshotCache } from '../workers/snapshot-cache.ts';
import { createTick } from '../workers/tick.ts';
import type { Logger, RunResult, Worker } from '../workers/worker.ts';
import type { Systems } from './connect.ts';
import { missingFor, openWorkers } from './workers.ts';

export interface ServeContext {
  readonly log: Logger;
  /** Metrics are open to everybody there; elsewhere they need the admin token. */
  readonly isLoopback: boolean;
  readonly hostName: string;
  /** Aborts when the server is to stop. */
  readonly signal: AbortSignal;
}

export interface OpenedServer {
  fetch(request: Request): Response | Promise<Response>;
  /** For a person: what is served, what is not, and why. */
  readonly notes: readonly string[];
  /** Resolves when the runs that were under way are over. */
  drain(): Promise<void>;
}

export async function openServer(systems: Systems, context: ServeContext): Promise<OpenedServer> {
  const { config, clock } = systems;
  const { log, signal } = context;
  const underWay = new Set<Promise<RunResult>>();
  const metrics = createPrometheus();
  const missing = missingFor(systems);
  const workers = missing === '' ? watched(await openWorkers(systems, log), metrics, underWay) : null;
  const snapshot = createSnapshotCache(await systems.snapshotReader(), clock);
  const app = createServerApp({
    routes: workers === null ? null : routesOf(systems, workers, context),
    missing,
    admin: adminOf(systems, { ...context, workers, snapshot }),
    metrics,
    metricsToken: context.isLoopback ? null : { token: config.adminToken },
    isStopping: () => signal.aborted,
    log,
    snapshot,
  });
  return {
    fetch: (request) => app.fetch(request),
    notes: notesOf(systems, context, missing),
    drain: async () => {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

/** The same workers; every run is counted, and known while it is under way. */
function watched(workers: Workers, metrics: Metrics, underWay: Set<Promise<RunResult>>): Workers {
  const watch = (name: string, worker: Worker): Worker => ({
    run: async (request) => {
      const run = worker.run(request);
      underWay.add(run);
      try {
        const result = await run;
        metrics.countRun(name, result);
        return result;
      } finally {
        underWay.delete(run);
      }
    },
  });
  return Object.fromEntries(
    Object.entries(workers).map(([name, worker]) => [name, watch(name, worker)]),
  ) as unknown as Workers;
}

function routesOf({ config, clock, redis }: Systems, workers: Workers, { log, signal }: ServeContext) {
  if (redis === null) return null;
  const { qstash, worker, cronSecret, isDevelopment } = config;
  return createWorkerRoutes({
    workers,
    tick: createTick(workers, { dueTimes: createDueTimes(redis.client), clock }),
    deliveries: createDeliveries(redis.client),
    signingKeys: signingKeysOf(qstash),
    baseUrl: worker.baseUrl,
    cronSecret,
    isDevelopment,
    log,
    signal,
  });
}

function signingKeysOf(qstash: Systems['config']['qstash']) {
  const { currentSigningKey: current = null, nextSigningKey: next = null } = qstash ?? {};
  return current === null || next === null ? null : { current, next };
}

type AdminContext = ServeContext & {
  readonly workers: Workers | null;
  readonly snapshot: ReturnType<typeof createSnapshotCache>;
};

function adminOf(systems: Systems, context: AdminContext): RouteHandler | null {
  const { config, clock, redis, supabase } = systems;
  const { log, hostName: host, signal, workers, snapshot } = context;
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

function notesOf({ config }: Systems, { isLoopback }: ServeContext, missing: string): readonly string[] {
  const { adminToken, cronSecret, qstash, worker } = config;
  const canVerify = signingKeysOf(qstash) !== null && worker.baseUrl !== null;
  const metricsClosed = !isLoopback && adminToken === null;
  return [
    missing === '' ? 'Workers: /api/email/worker/…' : `Workers: not served; they need ${missing}.`,
    ...(canVerify
      ? []
      : ['QStash deliveries are refused: set the two signing keys and EMAIL_WORKER_BASE_URL to accept them.']),
    ...(cronSecret === null ? ['Vercel cron is refused: CRON_SECRET is not set.'] : []),
    adminToken === null ? 'Admin API: not served; EMAIL_ADMIN_TOKEN is not set.' : `Admin API: ${ADMIN_PATH}/…`,
    metricsClosed ? 'Metrics: closed outside this machine until EMAIL_ADMIN_TOKEN is set.' : 'Metrics: /metrics',
  ];
}
