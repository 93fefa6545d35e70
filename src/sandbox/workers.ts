/**
 * The workers as they would be deployed at `EMAIL_WORKER_BASE_URL`: the real ones, behind their real endpoints, reaching
 * everything over HTTP by the environment that the sandbox hands to anybody.
 */
import { createDeliveries } from '../data/deliveries.ts';
import { createDueTimes } from '../data/due-times.ts';
import { connectRedis } from '../data/redis.ts';
import { connectSupabase } from '../data/supabase.ts';
import { EXPECTED_SCHEDULES } from '../domain/schedule.ts';
import type { Clock } from '../domain/time.ts';
import type { ProcessQueue } from '../email-function/handler.ts';
import { createWorkers, type WorkerSettings } from '../workers/registry.ts';
import { createWorkerRoutes, pathOf, type RouteHandler, type RouteName } from '../workers/routes.ts';
import { createTick } from '../workers/tick.ts';

export interface MountedWorkers {
  fetch(request: Request): Promise<Response>;
  /** The email function's own way to them. */
  readonly processQueue: ProcessQueue;
  /** The schedules that call these workers. */
  readonly scheduleIds: readonly string[];
  /** Runs give back what they have not started; resolves when none is under way. Idempotent. */
  stop(): Promise<void>;
}

const SETTINGS: WorkerSettings = {
  batchSize: 100,
  concurrency: 10,
  runBudgetMs: 240_000,
  lockTtlSeconds: 300,
  slots: 1,
};

export function mountWorkers(options: {
  environment: Readonly<Record<string, string>>;
  clock: Clock;
  log: (line: string) => void;
}): MountedWorkers {
  const { environment, clock, log } = options;
  const setting = (name: string) => environment[name] ?? '';
  const stopping = new AbortController();
  const underWay = new Set<Promise<Response>>();
  const redis = connectRedis({ kind: 'rest', url: setting('KV_REST_API_URL'), token: setting('KV_REST_API_TOKEN') });
  const target = { url: setting('NEXT_PUBLIC_SUPABASE_URL'), serviceRoleKey: setting('SUPABASE_SERVICE_ROLE_KEY') };
  const supabase = connectSupabase(target);
  const logger = { info: log, warn: log, error: log };
  const systems = { redis, supabase, emailFunction: target, clock, log: logger };
  const workers = createWorkers({ ...systems, settings: SETTINGS });
  const routes = createWorkerRoutes({
    workers,
    tick: createTick(workers, { dueTimes: createDueTimes(redis.client), clock }),
    deliveries: createDeliveries(redis.client),
    signingKeys: { current: setting('QSTASH_CURRENT_SIGNING_KEY'), next: setting('QSTASH_NEXT_SIGNING_KEY') },
    baseUrl: setting('EMAIL_WORKER_BASE_URL'),
    cronSecret: null,
    isDevelopment: false,
    log: logger,
    signal: stopping.signal,
  });
  const byPath = new Map(Object.entries(routes).map(([name, route]) => [pathOf(name as RouteName), route]));

  return {
    processQueue: async ({ batchSize, concurrency, signal }) => {
      const settings = {
        ...SETTINGS,
        batchSize: batchSize ?? SETTINGS.batchSize,
        concurrency: concurrency ?? SETTINGS.concurrency,
      };
      const run = createWorkers({ ...systems, settings })['queue-processor'].run({
        trigger: 'email-function',
        signal: AbortSignal.any([signal, stopping.signal]),
      });
      const { outcome, message, processed, successful, failed, durationMs } = await run;
      return { ok: outcome !== 'failed', body: { message, processed, successful, failed, durationMs } };
    },
    scheduleIds: EXPECTED_SCHEDULES.map(({ id }) => id),
    fetch: async (request) => {
      const route: RouteHandler | undefined = byPath.get(new URL(request.url).pathname);
      if (route === undefined) return Response.json({ error: 'There is no such endpoint.' }, { status: 404 });
      const answer = route(request);
      underWay.add(answer);
      return answer.finally(() => underWay.delete(answer));
    },
    stop: async () => {
      stopping.abort();
      await Promise.allSettled(underWay);
      await Promise.all([redis.close(), supabase.close()]);
    },
  };
}
