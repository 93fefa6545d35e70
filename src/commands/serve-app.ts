/** What `serve` serves, put together from the connected systems; and what it does not serve, and why. */
import { ADMIN_PATH } from '../workers/admin-api.ts';
import { createEndpoints, signingKeysOf } from '../workers/endpoints.ts';
import { createPrometheus, type Metrics } from '../workers/prometheus.ts';
import type { Workers } from '../workers/registry.ts';
import { createServerApp } from '../workers/server.ts';
import { createSnapshotCache } from '../workers/snapshot-cache.ts';
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
  const missing = config.readOnly ? 'EMAIL_OPS_READ_ONLY to be unset' : missingFor(systems);
  const workers = missing === '' ? watched(await openWorkers(systems, log), metrics, underWay) : null;
  const snapshot = createSnapshotCache(await systems.snapshotReader(), clock);
  const { redis, supabase } = systems;
  const endpoints = createEndpoints({ config, clock, redis, supabase, workers, snapshot, ...context });
  const app = createServerApp({
    ...endpoints,
    missing,
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

function notesOf({ config }: Systems, { isLoopback }: ServeContext, missing: string): readonly string[] {
  const { adminToken, cronSecret, isDevelopment, qstash, worker } = config;
  const canVerify = signingKeysOf(qstash) !== null && worker.baseUrl !== null;
  const metricsClosed = !isLoopback && adminToken === null;
  return [
    missing === '' ? 'Workers: /api/email/worker/…' : `Workers: not served; they need ${missing}.`,
    ...(canVerify
      ? []
      : ['QStash deliveries are refused: set the two signing keys and EMAIL_WORKER_BASE_URL to accept them.']),
    ...(cronSecret === null && !isDevelopment ? ['Vercel cron is refused: CRON_SECRET is not set.'] : []),
    ...(isDevelopment
      ? ['Anybody who reaches this address runs a worker by a plain GET: NODE_ENV is development.']
      : []),
    adminToken === null ? 'Admin API: not served; EMAIL_ADMIN_TOKEN is not set.' : `Admin API: ${ADMIN_PATH}/…`,
    metricsClosed ? 'Metrics: closed outside this machine until EMAIL_ADMIN_TOKEN is set.' : 'Metrics: /metrics',
  ];
}
