/** QStash's HTTP API as `@upstash/qstash` calls it: a table of methods, paths and handlers. */
import type { Clock } from '../../domain/time.ts';
import { isAuthorized } from '../authorization.ts';
import {
  deleteDeadLetter,
  deleteDeadLetters,
  getDeadLetter,
  listDeadLetters,
  retryDeadLetter,
  retryDeadLetters,
} from './api-dead-letters.ts';
import {
  cancelMessage,
  cancelMessages,
  deleteQueue,
  getMessage,
  getQueue,
  listEvents,
  listLogs,
  listQueues,
  pauseQueue,
  resumeQueue,
  upsertQueue,
} from './api-messages.ts';
import { batch, enqueue, publish } from './api-publish.ts';
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
} from './api-schedules.ts';
import { ApiError } from './errors.ts';
import type { Publish } from './publisher.ts';
import type { Schedules } from './schedules.ts';
import type { Store } from './store.ts';

export interface ApiParts {
  readonly store: Store;
  readonly schedules: Schedules;
  readonly publish: Publish;
  readonly clock: Clock;
}

export interface Call extends ApiParts {
  readonly request: Request;
  readonly query: URLSearchParams;
  /** The path's variable part as it was sent, with the query: a destination carries its own. */
  readonly rest: string;
  /** The same as an identifier: decoded, without the query. */
  readonly id: string;
  body(): Promise<Uint8Array>;
}

export type Handler = (call: Call) => Promise<Response>;

/**
 * `:id` is one segment; `*` is a destination and may hold slashes, even end in `/pause`. The first row that fits is taken.
 */
const ROUTES: readonly (readonly [methods: string, path: string, handler: Handler])[] = [
  ['POST', '/v2/publish/*', publish],
  ['POST', '/v2/enqueue/*', enqueue],
  ['POST', '/v2/batch', batch],
  ['GET', '/v2/schedules', listSchedules],
  // The SDK sends PATCH where the documentation says POST.
  ['PATCH POST', '/v2/schedules/:id/pause', pauseSchedule],
  ['PATCH POST', '/v2/schedules/:id/resume', resumeSchedule],
  ['POST', '/v2/schedules/*', createSchedule],
  ['GET', '/v2/schedules/:id', getSchedule],
  ['DELETE', '/v2/schedules/:id', deleteSchedule],
  ['DELETE', '/v2/messages', cancelMessages],
  ['GET', '/v2/messages/:id', getMessage],
  ['DELETE', '/v2/messages/:id', cancelMessage],
  ['GET', '/v2/events', listEvents],
  ['GET', '/v2/logs', listLogs],
  ['GET', '/v2/dlq', listDeadLetters],
  ['DELETE', '/v2/dlq', deleteDeadLetters],
  ['POST', '/v2/dlq/retry', retryDeadLetters],
  ['POST', '/v2/dlq/retry/:id', retryDeadLetter],
  ['GET', '/v2/dlq/:id', getDeadLetter],
  ['DELETE', '/v2/dlq/:id', deleteDeadLetter],
  ['GET', '/v2/queues', listQueues],
  ['POST', '/v2/queues', upsertQueue],
  ['POST', '/v2/queues/:id/pause', pauseQueue],
  ['POST', '/v2/queues/:id/resume', resumeQueue],
  ['GET', '/v2/queues/:id', getQueue],
  ['DELETE', '/v2/queues/:id', deleteQueue],
  ['GET', '/v2/keys', async ({ store }) => Response.json(store.keys())],
  ['POST', '/v2/keys/rotate', async ({ store }) => Response.json(store.rotateKeys())],
];

/** Answers as QStash does; errors as `{"error": …}`. `basePath` is taken off the request's path. */
export function createApi(
  parts: ApiParts,
  options: { token: string; basePath: string },
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (!isAuthorized(request, options.token)) return fail(401, 'unauthorized: the token is missing or wrong');
    const url = new URL(request.url);
    const path = url.pathname.startsWith(options.basePath) ? url.pathname.slice(options.basePath.length) : url.pathname;
    const found = findRoute(request.method, path);
    if (found.handler === null) return fail(found.status, `${request.method} ${path} is not offered`);
    const body = async () => new Uint8Array(await request.arrayBuffer());
    const { variable } = found;
    try {
      const id = decodeURIComponent(variable);
      return await found.handler({ ...parts, request, query: url.searchParams, rest: variable + url.search, id, body });
    } catch (error) {
      if (error instanceof ApiError) return fail(error.status, error.message);
      if (error instanceof SyntaxError || error instanceof URIError)
        return fail(400, `malformed request: ${error.message}`);
      return fail(500, `internal error: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}

type Found =
  | { readonly handler: Handler; readonly variable: string }
  | { readonly handler: null; readonly status: 404 | 405 };

function findRoute(method: string, path: string): Found {
  const fitting = COMPILED.filter(({ pattern }) => pattern.test(path));
  const route = fitting.find(({ methods }) => methods.includes(method));
  if (route === undefined) return { handler: null, status: fitting.length === 0 ? 404 : 405 };
  return { handler: route.handler, variable: route.pattern.exec(path)?.[1] ?? '' };
}

const COMPILED = ROUTES.map(([methods, path, handler]) => ({
  methods: methods.split(' '),
  pattern: new RegExp(`^${path.replace(':id', '([^/]+)').replace('*', '(.+)')}$`),
  handler,
}));

function fail(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
