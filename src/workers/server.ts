/** One hono app of everything that `serve` offers. It binds nothing: the command, a test or another server mounts it. */
import { Hono } from 'hono';
import { lastValue } from '../domain/loaded.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { ADMIN_PATH } from './admin-api.ts';
import { hasBearer, json } from './http.ts';
import type { Metrics } from './prometheus.ts';
import { pathOf, type RouteHandler, type RouteName } from './routes.ts';
import type { Logger } from './worker.ts';

export interface ServerOptions {
  /** Null: what the workers need is not configured; `missing` says what. */
  readonly routes: Readonly<Record<RouteName, RouteHandler>> | null;
  readonly missing: string;
  /** Null: no token is set, so it is not served. */
  readonly admin: RouteHandler | null;
  readonly metrics: Metrics;
  /** Null: anybody may read metrics, which is right on loopback only. */
  readonly metricsToken: { readonly token: string | null } | null;
  readonly isStopping: () => boolean;
  readonly log: Logger;
  snapshot(): Promise<Snapshot>;
}

const ROUTES: readonly RouteName[] = ['queue-processor', 'health-monitor', 'quota-sync', 'tick'];

export function createServerApp(options: ServerOptions): Hono {
  const { routes, admin, metrics, metricsToken, missing, log, snapshot } = options;
  const app = new Hono();
  for (const name of ROUTES) {
    const route = routes?.[name] ?? (async () => json(503, { success: false, error: `The workers need ${missing}.` }));
    app.all(pathOf(name), (context) => route(context.req.raw));
  }
  if (admin !== null) app.all(`${ADMIN_PATH}/*`, (context) => admin(context.req.raw));
  app.get('/healthz', () => json(200, { status: 'ok' }));
  app.get('/readyz', async () => {
    const ready = options.isStopping() ? STOPPING : readiness(await snapshot());
    return json(ready.isReady ? 200 : 503, ready);
  });
  app.get('/metrics', async (context) => {
    if (metricsToken !== null && !hasBearer(context.req.raw, metricsToken.token)) {
      return json(401, { error: 'The bearer token is missing or wrong.' }, { 'www-authenticate': 'Bearer' });
    }
    return new Response(await metrics.render(await snapshot()), { headers: { 'content-type': metrics.contentType } });
  });
  app.notFound(() => json(404, { error: 'There is no such address.' }));
  app.onError((error) => {
    log.error(`[serve] ${error.message}`);
    return json(500, { error: 'Something unexpected failed; see the log.' });
  });
  return app;
}

const STOPPING = { isReady: false, redis: 'stopping', postgres: 'stopping' } as const;

/** Ready: what a run needs answers. A stale value means that the last read failed. */
function readiness({ lock, queue }: Snapshot) {
  // A word for what is wrong, not the sentence: anybody may ask, and that has what a system said about itself.
  const words = (part: Snapshot['lock'] | Snapshot['queue']) => (part.state === 'ok' ? 'ok' : part.error.code);
  const hasMigration = lastValue(queue)?.schemaVersion !== null;
  const isReady = lock.state === 'ok' && queue.state === 'ok' && hasMigration;
  return { isReady, redis: words(lock), postgres: hasMigration ? words(queue) : 'The migration is missing.' };
}
