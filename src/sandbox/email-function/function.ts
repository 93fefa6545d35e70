/**
 * The sandbox's email function: the handler that is deployed, with four simulated providers or a real SMTP server behind it, an
 * outbox of all that was sent, and controls for how the providers behave. As a web-standard handler, to be mounted by the sandbox.
 */
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import { type Clock, systemClock } from '../../domain/time.ts';
import { createHandler, type HandlerParts } from '../../email-function/handler.ts';
import { DEFAULT_SENDER } from '../../email-function/provider.ts';
import { createSmtp, type SmtpProvider } from '../../email-function/providers/smtp.ts';
import type { CheckMode } from '../../email-function/store.ts';
import { isAuthorized } from '../authorization.ts';
import { seededRandom } from '../random.ts';
import { openAnnouncements } from './announcements.ts';
import { type ControlChange, type Controls, createControls } from './controls.ts';
import { answerInspection } from './inspection.ts';
import { type Outbox, openOutbox } from './outbox.ts';
import { createQuotas } from './quota.ts';
import { createSimulatedProviders, probe } from './simulated.ts';
import { createSandboxStore, type Operators } from './store.ts';
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
  /** Where operators' decisions are kept; without it there are none. */
  readonly operators?: Operators;
  readonly processQueue?: HandlerParts['processQueue'];
  readonly log?: (line: string) => void;
}

export interface EmailFunction {
  fetch(request: Request): Promise<Response>;
  readonly providers: Controls;
  readonly outbox: Pick<Outbox, 'list' | 'summary' | 'record'>;
  /** Ends what still waits, then closes the journals. Idempotent. */
  stop(): Promise<void>;
}

export function createEmailFunction(options: EmailFunctionOptions): EmailFunction {
  const { clock = systemClock, wait = realWait, latencyFactor = 1, basePath = '/functions/v1/email', seed } = options;
  const outbox = openOutbox(options.folder, options.keepAttempts);
  const announcements = openAnnouncements(options.folder, clock);
  const controls = createControls(options.providers);
  const quotas = createQuotas(outbox, controls, clock);
  const smtp = options.smtpUrl === undefined ? null : createSmtpProviders(options.smtpUrl);
  const deliver = smtp === null ? null : smtp.send;
  const providers = createSimulatedProviders({ controls, quotas, outbox, deliver, seed, clock, wait, latencyFactor });
  const checkTimes = seededRandom(`${seed}/health`);
  const stopping = new AbortController();
  const running = new Set<Promise<Response>>();

  const passCheck = async (mode: CheckMode) => {
    const configured = PROVIDERS.map((name) => [name, controls.get(name)] as const).filter(
      ([, each]) => each.configured,
    );
    const slowestMs = Math.max(0, ...configured.map(([name, control]) => probe(name, control).latencyMs));
    const ms = mode === 'full' ? checkTimes.logNormal(FULL_CHECK_MS.median, FULL_CHECK_MS.p99) : slowestMs;
    await wait(ms * latencyFactor, stopping.signal);
  };
  const handler = createHandler({
    store: createSandboxStore({
      outbox,
      announcements,
      quotas,
      controls,
      providers,
      operators: options.operators ?? NOBODY,
      clock,
      passCheck,
    }),
    providers,
    keys: [options.serviceKey],
    clock,
    version: FUNCTION_VERSION,
    log: options.log ?? (() => {}),
    processQueue: options.processQueue ?? {
      missing: 'process-queue is not part of the sandbox. Run a worker: email-ops run queue-processor',
    },
    signal: stopping.signal,
    // No answer until the caller leaves or the platform ends the silence.
    loseAnswer: (until) => wait(IDLE_TIMEOUT_MS, until).catch(() => {}),
  });

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const path = url.pathname.startsWith(basePath) ? url.pathname.slice(basePath.length) : url.pathname;
    if (path === '' || path === '/' || request.method === 'OPTIONS') return handler(request);
    if (!isAuthorized(request, options.serviceKey)) return Response.json({ error: 'Unauthorized' }, { status: 401 });
    return answerInspection(request, path, url.searchParams, { outbox, controls });
  };

  return {
    fetch: async (request) => {
      const result = answer(request);
      running.add(result);
      return result.finally(() => running.delete(result));
    },
    providers: controls,
    outbox,
    stop: async () => {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await Promise.allSettled(running);
      smtp?.close();
      announcements.close();
      outbox.close();
    },
  };
}

const NOBODY: Operators = {
  refresh: async () => {},
  disabled: () => null,
  resetAtEpochMs: () => null,
  publish: () => {},
};

/** One server in the name of all four: the header `X-Email-Provider` tells which was meant. */
function createSmtpProviders(url: string): Pick<SmtpProvider, 'send' | 'close'> {
  const { send, close } = createSmtp({ name: 'resend', url, sender: DEFAULT_SENDER });
  return { send, close };
}
