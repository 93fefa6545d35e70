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

/** `*` is the variable part and may hold slashes. The first row that fits is taken. */
const ROUTES: readonly (readonly [methods: string, path: string, handler: Handler])[] = [
  ['POST', '/v2/publish/*', publish],
  ['POST', '/v2/enqueue/*', enqueue],
  ['POST', '/v2/batch', batch],
  ['GET', '/v2/schedules', listSchedules],
  // The SDK sends PATCH where the documentation says POST.
  ['PATCH POST', '/v2/schedules/*/pause', pauseSchedule],
  ['PATCH POST', '/v2/schedules/*/resume', resumeSchedule],
  ['POST', '/v2/schedules/*', createSchedule],
  ['GET', '/v2/schedules/*', getSchedule],
  ['DELETE', '/v2/schedules/*', deleteSchedule],
  ['DELETE', '/v2/messages', cancelMessages],
  ['GET', '/v2/messages/*', getMessage],
  ['DELETE', '/v2/messages/*', cancelMessage],
  ['GET', '/v2/events', listEvents],
  ['GET', '/v2/logs', listLogs],
  ['GET', '/v2/dlq', listDeadLetters],
  ['DELETE', '/v2/dlq', deleteDeadLetters],
  ['POST', '/v2/dlq/retry', retryDeadLetters],
  ['POST', '/v2/dlq/retry/*', retryDeadLetter],
  ['GET', '/v2/dlq/*', getDeadLetter],
  ['DELETE', '/v2/dlq/*', deleteDeadLetter],
  ['GET', '/v2/queues', listQueues],
  ['POST', '/v2/queues', upsertQueue],
  ['POST', '/v2/queues/*/pause', pauseQueue],
  ['POST', '/v2/queues/*/resume', resumeQueue],
  ['GET', '/v2/queues/*', getQueue],
  ['DELETE', '/v2/queues/*', deleteQueue],
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
  let isKnownPath = false;
  for (const [methods, pattern, handler] of ROUTES) {
    const variable = match(pattern, path);
    if (variable === null) continue;
    isKnownPath = true;
    if (methods.split(' ').includes(method)) return { handler, variable };
  }
  return { handler: null, status: isKnownPath ? 405 : 404 };
}

/** What `*` stands for, empty when there is none; null when the path does not fit. */
function match(pattern: string, path: string): string | null {
  const [before = '', after] = pattern.split('*');
  if (after === undefined) return path === pattern ? '' : null;
  if (path.length <= before.length + after.length || !path.startsWith(before) || !path.endsWith(after)) return null;
  return path.slice(before.length, path.length - after.length);
}

function fail(status: number, error: string): Response {
  return Response.json({ error }, { status });
}
