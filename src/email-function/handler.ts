/**
 * The email function (WIRE.md): one address, an `action` in the body, as a web-standard handler. What it talks to and what it
 * remembers is handed in: the same handler runs deployed, in the sandbox, and in tests.
 */
import type { Provider } from '../domain/email.ts';
import { safeReason } from '../domain/send-failure.ts';
import { type Clock, SECOND_MS } from '../domain/time.ts';
import { createAuthorization } from './authorization.ts';
import { healthAnswer } from './health.ts';
import { limitedText } from './limited-text.ts';
import type { EmailProvider } from './provider.ts';
import { type FunctionRequest, type HealthMode, parseRequest } from './requests.ts';
import { createRouter } from './route.ts';
import { createSender } from './send.ts';
import type { FunctionStore } from './store.ts';

export interface HandlerParts {
  readonly store: FunctionStore;
  readonly providers: Readonly<Record<Provider, EmailProvider>>;
  /** What callers must present, any of them, as bearer token or apikey. */
  readonly keys: readonly string[];
  readonly clock: Clock;
  /** Goes into every answer. */
  readonly version: string;
  readonly log: (line: string) => void;
  /** Null where there is no queue to process: then the sentence says why. */
  readonly processQueue: ProcessQueue | { readonly missing: string };
  /** Aborted when the function stops. */
  readonly signal?: AbortSignal;
  /** Only in the sandbox: how the answer of a send gets lost. */
  readonly loseAnswer?: (caller: AbortSignal) => Promise<void>;
}

export type ProcessQueue = (options: {
  readonly batchSize: number | undefined;
  readonly concurrency: number | undefined;
  readonly signal: AbortSignal;
}) => Promise<{ readonly ok: boolean; readonly body: Record<string, unknown> }>;

export type Handler = (request: Request) => Promise<Response>;

/** A body beyond this is refused. The largest email that providers take is 10 MB, and JSON may double it. */
const MAX_BODY_BYTES = 25_000_000;
const METHODS = 'POST, OPTIONS';

export function createHandler(parts: HandlerParts): Handler {
  const signal = parts.signal ?? new AbortController().signal;
  const isAuthorized = createAuthorization(parts.keys);
  const send = createSender(parts);
  const router = createRouter(parts);
  const json = (status: number, body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    Response.json({ ...body, requestId: crypto.randomUUID(), version: parts.version }, { status, headers });

  const answerSend = async (
    { email, ignoreCircuit }: Extract<FunctionRequest, { action: 'send' }>,
    caller: AbortSignal,
  ): Promise<Response> => {
    const startedAtMs = performance.now();
    const { answer, isAnswerLost } = await send(email, { ignoreCircuit, signal });
    if (isAnswerLost && parts.loseAnswer !== undefined) {
      await parts.loseAnswer(AbortSignal.any([caller, signal]));
      return json(504, { error: 'The function did not answer in time' });
    }
    const responseTime = Math.round(performance.now() - startedAtMs);
    switch (answer.kind) {
      case 'sent': {
        const { provider, messageId } = answer;
        const message = answer.isRepeat
          ? 'Email was sent before under this idempotency key'
          : 'Email sent successfully';
        return json(200, { success: true, message, provider, messageId, responseTime });
      }
      case 'failed': {
        // A failed send carries its reason in `message` (WIRE.md).
        const { message, retryAfterMs } = answer;
        const headers: Record<string, string> =
          retryAfterMs === null ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / SECOND_MS)) };
        return json(500, { success: false, message, provider: email.provider, responseTime }, headers);
      }
      case 'unavailable':
        return json(503, { error: answer.message });
    }
  };

  const answerHealth = async (mode: HealthMode): Promise<Response> => {
    const startedAtMs = performance.now();
    const answer = await healthAnswer(mode, { ...parts, signal });
    return json(200, { ...answer, durationMs: Math.round(performance.now() - startedAtMs) });
  };

  const act = async (request: FunctionRequest, caller: AbortSignal): Promise<Response> => {
    switch (request.action) {
      case 'send':
        return answerSend(request, caller);
      case 'route': {
        const startedAtMs = performance.now();
        const answer = await router.recommend(request.emailType, request.forceRefresh);
        return json(200, { success: true, ...answer, durationMs: Math.round(performance.now() - startedAtMs) });
      }
      case 'health':
        return answerHealth(request.mode);
      case 'process-queue': {
        if ('missing' in parts.processQueue) return json(501, { success: false, error: parts.processQueue.missing });
        const { ok, body } = await parts.processQueue({ ...request, signal });
        return json(ok ? 200 : 500, { success: ok, ...body });
      }
    }
  };

  const answer = async (request: Request): Promise<Response> => {
    if (request.method === 'OPTIONS') return new Response(null, { status: 204 });
    if (!(await isAuthorized(request))) return json(401, { error: 'Unauthorized' });
    if (request.method !== 'POST') return json(405, { error: 'Method not allowed: use POST' }, { allow: METHODS });
    const text = await readText(request);
    if (text === null) return json(413, { success: false, error: 'The body is too large' });
    const parsed = parseRequest(text);
    return parsed.ok ? act(parsed.request, request.signal) : json(400, { success: false, ...parsed.bad });
  };

  return async (request) => {
    try {
      return allowOrigins(await answer(request));
    } catch (error) {
      if (signal.aborted) return allowOrigins(json(503, { error: 'The function is stopping' }));
      const reason = safeReason(error instanceof Error ? error.message : String(error));
      parts.log(`[email-function] ${reason}`);
      // Not in the shape of a failed send: whether anything was sent is not known here.
      return allowOrigins(json(500, { error: `Internal error: ${reason}` }));
    }
  };
}

/** Null when it is longer than allowed. */
async function readText(request: Request): Promise<string | null> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) return null;
  const { text, isWhole } = await limitedText(request, MAX_BODY_BYTES);
  return isWhole ? text : null;
}

/** Browsers may call it from anywhere, if they have a key. */
function allowOrigins(response: Response): Response {
  response.headers.set('access-control-allow-origin', '*');
  response.headers.set('access-control-allow-methods', METHODS);
  response.headers.set('access-control-allow-headers', 'authorization, x-client-info, apikey, content-type');
  return response;
}
