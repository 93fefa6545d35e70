/**
 * The `send` action. A key that was delivered in the last 24 hours is answered with that delivery; one that is being sent right
 * now waits for that send and shares its result; one that was used for another email is refused, because that is a mistake of
 * the caller, and sending would be worse than not sending.
 *
 * A provider whose circuit is open, or that an operator disabled, is not asked: the answer begins with 503, which callers
 * understand as 'it did not send, another one may'. `ignoreCircuit` asks it all the same, for an operator's test.
 */
import type { Provider } from '../domain/email.ts';
import { type SendFailureKind, safeReason } from '../domain/send-failure.ts';
import { type Clock, nextUtcMidnightEpochMs, nextUtcMonthEpochMs, SECOND_MS } from '../domain/time.ts';
import { disabledWords } from './assessment.ts';
import type { Email, EmailProvider, SendResult } from './provider.ts';
import type { Admission, Admitted, FunctionStore } from './store.ts';

export interface SendParts {
  readonly store: FunctionStore;
  readonly providers: Readonly<Record<Provider, EmailProvider>>;
  readonly clock: Clock;
  /** Told what nobody else is told: the store failed, and the send went on without it. */
  readonly log: (line: string) => void;
}

export type SendAnswer =
  | { readonly kind: 'sent'; readonly provider: string; readonly messageId: string | null; readonly isRepeat: boolean }
  | {
      readonly kind: 'failed';
      readonly failure: SendFailureKind;
      readonly message: string;
      readonly retryAfterMs: number | null;
    }
  /** Nothing was sent, because the function's own memory is out of reach. */
  | { readonly kind: 'unavailable'; readonly message: string };

export interface Answered {
  readonly answer: SendAnswer;
  /** The sandbox plays a lost answer. */
  readonly isAnswerLost: boolean;
}

export type Sender = (email: Email, options: { ignoreCircuit: boolean; signal: AbortSignal }) => Promise<Answered>;

/** Waits between tries of writing down what became of a send: forgetting a success would send its repetition. */
const FINISH_AGAIN_MS = [200, 1_000] as const;
/** How long a repetition waits for another instance that is sending the same key. */
const AWAIT_MS = 8_000;
const AWAIT_STEP_MS = 250;

export function createSender(parts: SendParts): Sender {
  const inFlight = new Map<string, Promise<Answered>>();
  return async (email, options) => {
    const key = email.idempotencyKey;
    if (key === undefined) return sendOnce(parts, email, options);
    // Those that waited go on one after the other: the store knows by then what became of the first.
    for (let running = inFlight.get(key); running !== undefined; running = inFlight.get(key)) {
      await running.catch(() => undefined);
    }
    const result = sendOnce(parts, email, options).finally(() => inFlight.delete(key));
    inFlight.set(key, result);
    return result;
  };
}

type Options = { readonly ignoreCircuit: boolean; readonly signal: AbortSignal };

async function sendOnce(parts: SendParts, email: Email, options: Options): Promise<Answered> {
  const provider = parts.providers[email.provider];
  if (!provider.isConfigured)
    return answered(failed('refused', `401 not_configured: ${provider.name} has no API key here.`));
  const admission = await begin(parts, email, provider, options);
  if (admission.kind !== 'go') return answered(refusalOf(admission, parts.clock.nowEpochMs()));
  const startedAtMs = performance.now();
  const result = await provider.send(email, options.signal);
  const latencyMs = result.latencyMs ?? Math.round(performance.now() - startedAtMs);
  await finish(parts, email, admission, result, latencyMs);
  return { answer: answerOf(email, result), isAnswerLost: result.isAnswerLost === true };
}

type Begun = Admission | { readonly kind: 'unknown' };

/** Asks the store, again while another instance sends the same key. */
async function begin(
  { store, log }: SendParts,
  email: Email,
  provider: EmailProvider,
  options: Options,
): Promise<Begun> {
  const untilMs = performance.now() + AWAIT_MS;
  try {
    for (;;) {
      const admission = await store.begin(email, { ignoreCircuit: options.ignoreCircuit });
      if (admission.kind !== 'in-flight' || performance.now() >= untilMs || options.signal.aborted) return admission;
      await new Promise((resolve) => setTimeout(resolve, AWAIT_STEP_MS));
    }
  } catch (error) {
    // Without a key nobody could tell a repetition anyway, and some providers can tell it themselves.
    const isSafe = email.idempotencyKey === undefined || provider.knowsKeys;
    log(`[email-function] The store cannot be asked${isSafe ? ', sent all the same' : ''}: ${wordsOf(error)}`);
    return isSafe ? { kind: 'go', claim: null } : { kind: 'unknown' };
  }
}

function refusalOf(admission: Exclude<Begun, Admitted>, nowEpochMs: number): SendAnswer {
  switch (admission.kind) {
    case 'sent-before':
      return { kind: 'sent', provider: admission.provider, messageId: admission.messageId, isRepeat: true };
    case 'key-reused':
      return failed(
        'permanent',
        '409 invalid_idempotent_request: This idempotency key was used for another email. Use a new one.',
      );
    case 'in-flight':
      return failed('unanswered', '409 concurrent_idempotent_requests: This key is being sent at this moment.');
    case 'circuit-open': {
      const at = new Date(admission.retryAtEpochMs).toISOString();
      const after = retryAfter(Math.min(admission.retryAtEpochMs - nowEpochMs, PROBE_EVERY_MS));
      return failed('outage', `503 circuit_open: Its last sends failed, so it is left alone until ${at}. ${after}`);
    }
    case 'disabled':
      return failed(
        'outage',
        `503 provider_disabled: ${disabledWords(admission.disabled)} ${retryAfter(admission.disabled.untilEpochMs - nowEpochMs)}`,
      );
    case 'unknown':
      // Worded as the platform words a function that did not start, which callers know: nothing was sent.
      return { kind: 'unavailable', message: 'The send failed to start: the function cannot reach its database' };
  }
}

/** A circuit that is being probed closes soon: whoever comes back only after a minute would keep it open. */
const PROBE_EVERY_MS = 5 * SECOND_MS;

/** As providers word it, so that callers wait as they do for them. */
function retryAfter(ms: number): string {
  return `Retry after ${Math.max(1, Math.ceil(ms / SECOND_MS))} seconds.`;
}

/** Writes down what became of the send. Never throws: the email is out, or not, whatever the store says. */
async function finish(
  { store, clock, log }: SendParts,
  email: Email,
  admission: Admitted,
  result: SendResult,
  latencyMs: number,
): Promise<void> {
  const end = {
    kind: result.ok ? ('sent' as const) : result.kind,
    messageId: result.ok ? result.messageId : null,
    message: result.ok ? null : result.message,
    latencyMs,
    usedUpUntilEpochMs: usedUpUntil(result, clock.nowEpochMs()),
  };
  for (let tries = 0; ; tries += 1) {
    try {
      return await store.finish(email, admission, end);
    } catch (error) {
      const waitMs = FINISH_AGAIN_MS[tries];
      if (waitMs === undefined)
        return log(`[email-function] What became of a send was not written down: ${wordsOf(error)}`);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

function usedUpUntil(result: SendResult, nowEpochMs: number): number | null {
  if (result.ok || result.kind !== 'quota') return null;
  const resetsAt = result.period === 'month' ? nextUtcMonthEpochMs(nowEpochMs) : nextUtcMidnightEpochMs(nowEpochMs);
  return result.retryAfterMs === null ? resetsAt : nowEpochMs + result.retryAfterMs;
}

function answerOf({ provider }: Email, result: SendResult): SendAnswer {
  if (result.ok) return { kind: 'sent', provider, messageId: result.messageId, isRepeat: false };
  return { kind: 'failed', failure: result.kind, message: result.message, retryAfterMs: result.retryAfterMs };
}

function failed(failure: SendFailureKind, message: string): Extract<SendAnswer, { kind: 'failed' }> {
  return { kind: 'failed', failure, message, retryAfterMs: null };
}

function answered(answer: SendAnswer): Answered {
  return { answer, isAnswerLost: false };
}

function wordsOf(error: unknown): string {
  return safeReason(error instanceof Error ? error.message : String(error));
}
