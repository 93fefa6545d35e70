/**
 * The sandbox's email function: WIRE.md's `POST <supabase>/functions/v1/email`, with four simulated providers or a real
 * SMTP server behind it, and an outbox of all that was sent. As a web-standard handler, to be mounted by the sandbox.
 */
import { randomUUID } from 'node:crypto';
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import { type Clock, systemClock } from '../../domain/time.ts';
import { isAuthorized } from '../authorization.ts';
import { seededRandom } from '../random.ts';
import { openAlerts } from './alerts.ts';
import { createAssess } from './assessment.ts';
import { type ControlChange, type Controls, createControls } from './controls.ts';
import { type HealthMode, healthAnswer } from './health.ts';
import { answerInspection } from './inspection.ts';
import { type Outbox, openOutbox } from './outbox.ts';
import { createSimulatedProviders } from './provider.ts';
import { createQuotas } from './quota.ts';
import { type FunctionRequest, parseRequest } from './requests.ts';
import { createRouter } from './route.ts';
import { createSender, judge, type SendOutcome } from './send.ts';
import { smtpTransport } from './smtp.ts';
import { createTrackRecord } from './track-record.ts';
import { type Email, simulatedTransport } from './transport.ts';
import { realWait, type Wait } from './wait.ts';

export const FUNCTION_VERSION = 'sandbox-1';

/** Supabase ends a silent function after this time with 504. */
const IDLE_TIMEOUT_MS = 150_000;
const FULL_CHECK_MS = { median: 2_500, p99: 5_000 };

export interface EmailFunctionOptions {
  /** Where the journals live; made if missing. */
  readonly folder: string;
  /** What callers must present as bearer token or apikey. */
  readonly serviceKey: string;
  readonly seed: string;
  readonly clock?: Clock;
  /** Path it is mounted under, stripped from requests. */
  readonly basePath?: string;
  /** Sends really, by SMTP. */
  readonly smtpUrl?: string | undefined;
  /** Multiplies every simulated latency; 0: none at all. */
  readonly latencyFactor?: number;
  readonly wait?: Wait;
  /** How providers differ from an ordinary day from the start. */
  readonly providers?: Partial<Record<Provider, ControlChange>>;
  /** Attempts the outbox holds before it drops the oldest. */
  readonly keepAttempts?: number;
}

export interface EmailFunction {
  fetch(request: Request): Promise<Response>;
  readonly providers: Controls;
  readonly outbox: Pick<Outbox, 'list' | 'summary' | 'record'>;
  /** Ends what still waits, then closes the journals. Idempotent. */
  stop(): Promise<void>;
}

export function createEmailFunction(options: EmailFunctionOptions): EmailFunction {
  const { clock = systemClock, wait = realWait, latencyFactor = 1, basePath = '/functions/v1/email' } = options;
  const outbox = openOutbox(options.folder, options.keepAttempts);
  const alerts = openAlerts(options.folder, clock);
  const controls = createControls(options.providers);
  const quotas = createQuotas(outbox, controls, clock);
  const record = createTrackRecord(clock);
  for (const attempt of outbox.list({ limit: Number.POSITIVE_INFINITY }).toReversed()) judge(record, attempt);

  const assess = createAssess({ controls, quotas, record });
  const router = createRouter(assess, clock);
  const transport = options.smtpUrl === undefined ? simulatedTransport() : smtpTransport(options.smtpUrl);
  const { seed } = options;
  const providers = createSimulatedProviders({ controls, transport, seed, clock, wait, latencyFactor });
  const send = createSender({ outbox, quotas, providers, record, clock });
  const checkTimes = seededRandom(`${seed}/health`);
  const stopping = new AbortController();
  const running = new Set<Promise<Response>>();

  const answerSend = async (email: Email, caller: AbortSignal): Promise<Response> => {
    const startedAtMs = performance.now();
    const outcome = await send(email, stopping.signal);
    if (outcome.isUnanswered) return silence(wait, AbortSignal.any([caller, stopping.signal]));
    return describeSend(outcome, Math.round(performance.now() - startedAtMs));
  };

  const answerHealth = async (mode: HealthMode): Promise<Response> => {
    const startedAtMs = performance.now();
    const slowestProbeMs = Math.max(...PROVIDERS.map((name) => assess(name).probeMs));
    const checkMs = {
      full: checkTimes.logNormal(FULL_CHECK_MS.median, FULL_CHECK_MS.p99),
      ping: slowestProbeMs,
      status: 0,
    };
    await wait(checkMs[mode] * latencyFactor, stopping.signal);
    const answer = healthAnswer(mode, assess, alerts, clock.nowEpochMs());
    return json(200, { ...answer, durationMs: Math.round(performance.now() - startedAtMs) });
  };

  const act = async (request: FunctionRequest, caller: AbortSignal): Promise<Response> => {
    switch (request.action) {
      case 'send':
        return answerSend(request.email, caller);
      case 'route': {
        const answer = router.recommend(request.emailType, request.forceRefresh);
        return json(200, { success: true, ...answer, durationMs: 0 });
      }
      case 'health':
        return answerHealth(request.mode);
      case 'process-queue':
        return json(501, {
          success: false,
          error: 'process-queue is not part of the sandbox. Run a worker: email-ops run queue-processor',
        });
    }
  };

  const answer = async (request: Request): Promise<Response> => {
    if (request.method === 'OPTIONS') return new Response(null, { status: 204 });
    if (!isAuthorized(request, options.serviceKey)) return json(401, { error: 'Unauthorized' });
    const url = new URL(request.url);
    const path = url.pathname.startsWith(basePath) ? url.pathname.slice(basePath.length) : url.pathname;
    if (path !== '' && path !== '/') return answerInspection(request, path, url.searchParams, { outbox, controls });
    if (request.method !== 'POST') return json(405, { error: 'Method not allowed: use POST' });
    const parsed = parseRequest(await request.text());
    return parsed.ok ? act(parsed.request, request.signal) : json(400, { success: false, ...parsed.bad });
  };

  const guarded = async (request: Request): Promise<Response> => {
    try {
      return await answer(request);
    } catch (error) {
      if (stopping.signal.aborted) return json(503, { error: 'The function is stopping' });
      const reason = error instanceof Error ? error.message : String(error);
      return json(500, { success: false, message: `Internal error: ${reason}` });
    }
  };

  return {
    fetch: async (request) => {
      const result = guarded(request).then(sign);
      running.add(result);
      return result.finally(() => running.delete(result));
    },
    providers: controls,
    outbox,
    stop: async () => {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await Promise.allSettled(running);
      transport.close();
      alerts.close();
      outbox.close();
    },
  };
}

/** No answer until the caller leaves or the platform ends the silence. */
async function silence(wait: Wait, until: AbortSignal): Promise<Response> {
  await wait(IDLE_TIMEOUT_MS, until).catch(() => {});
  return json(504, { error: 'The function did not answer in time' });
}

/** A failed send carries its reason in `message` (WIRE.md). */
function describeSend({ attempt }: SendOutcome, responseTime: number): Response {
  const { provider, messageId, message } = attempt;
  if (attempt.outcome === 'failed') return json(500, { success: false, message, provider, responseTime });
  const text = attempt.repeat ? 'Email was sent before under this idempotency key' : 'Email sent successfully';
  return json(200, { success: true, message: text, provider, messageId, responseTime });
}

function json(status: number, body: Record<string, unknown>): Response {
  return Response.json({ ...body, requestId: randomUUID(), version: FUNCTION_VERSION }, { status });
}

function sign(response: Response): Response {
  response.headers.set('access-control-allow-origin', '*');
  response.headers.set('access-control-allow-methods', 'GET, POST, OPTIONS');
  response.headers.set('access-control-allow-headers', 'authorization, x-client-info, apikey, content-type');
  return response;
}
