/**
 * One attempt at one email: validated, sent through the best provider, passed on to at most two others when a provider is
 * down. Ends in a result to be written, or in the email being given back because nothing speaks against it.
 *
 * The worse failure is sending twice, so an email that may have been sent stays with the provider that may have sent it.
 */
import type { OutgoingEmail, SendOutcome } from '../data/email-function.ts';
import { FaultError } from '../data/fault.ts';
import { type EmailResult, isProvider, type Provider, type QueuedEmail } from '../domain/email.ts';
import { findEmailFault } from '../domain/email-validation.ts';
import { formatInstant } from '../domain/format.ts';
import { safeMessageId } from '../domain/message-id.ts';
import { classifySendFailure, type SendFailure, unanswered } from '../domain/send-failure.ts';
import { type Clock, MINUTE_MS } from '../domain/time.ts';
import { markUnanswered, unansweredProvider } from '../domain/unanswered-mark.ts';
import type { ProviderChoice } from './provider-choice.ts';
import { describe } from './queue-processor-ports.ts';
import { kindOfSendFault } from './send-fault.ts';

export type AttemptEnd =
  | { readonly kind: 'result'; readonly result: EmailResult }
  /** The run ended before it was sent. */
  | { readonly kind: 'not-started' }
  | {
      readonly kind: 'give-back';
      readonly retryAtEpochMs: number | null;
      /** For `last_error`; null leaves what stands there. */
      readonly note: string | null;
      /** Why no other email would fare better, so that the run ends; null when only this one is concerned. */
      readonly obstacle: Obstacle | null;
    };

/** What keeps every email from being sent. */
export type Obstacle =
  | { readonly kind: 'used-up'; readonly resetsAtEpochMs: number }
  | { readonly kind: 'resting'; readonly untilEpochMs: number }
  | { readonly kind: 'unavailable'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

export interface AttemptParts {
  readonly choice: ProviderChoice;
  readonly send: (email: OutgoingEmail) => Promise<SendOutcome>;
  readonly clock: Clock;
  /** Asked before every send: the run goes on and the email is surely ours for as long as a send can take. */
  readonly mayStart: (id: string) => boolean;
  /** Waits at most so long; false when the run ends meanwhile. */
  readonly wait: (ms: number) => Promise<boolean>;
}

/** Providers that may be tried after the first one that is down. */
const MAX_FAILOVERS = 2;
/** Longer than this no email waits for a resting provider: it goes back to the queue. */
export const MAX_WAIT_MS = 10_000;
/** Nor does it when it waited so often and was told each time to come later still. */
const MAX_ROUNDS = 8;
/** When to come back where nobody says when. */
const COME_BACK_MS = MINUTE_MS;
const REPAIR_MS = 5 * MINUTE_MS;

/** Never throws for what can go wrong outside. */
export async function attemptEmail(email: QueuedEmail, parts: AttemptParts): Promise<AttemptEnd> {
  const fault = findEmailFault(email);
  if (fault !== null) return end(email, { outcome: 'discard', error: fault, reason: fault });

  const only = unansweredProvider(email.lastError);
  const tried = new Set<Provider>();
  const failed: Provider[] = [];
  let last: { provider: Provider; message: string; latencyMs: number | null } | null = null;

  // What is left to say when the email can go no further in this attempt.
  const giveUp = (back: GiveBack | typeof NOT_STARTED): AttemptEnd => {
    if (last === null) {
      return only === null || back.kind === 'not-started' ? back : { ...back, note: null, obstacle: null };
    }
    const error = only === null ? last.message : markUnanswered(last.message, only);
    return end(email, { outcome: 'retry', error, ...asked(last, failed) });
  };

  for (let rounds = 0, isLimited = false; ; ) {
    const choice = await parts.choice.choose({ email, tried, only });
    if (choice.kind === 'used-up') return giveUp(usedUp(choice.resetsAtEpochMs));
    if (choice.kind === 'none') return giveUp(resting(parts.clock.nowEpochMs() + COME_BACK_MS));
    if (choice.kind === 'wait') {
      const waitMs = choice.untilEpochMs - parts.clock.nowEpochMs();
      if (waitMs > MAX_WAIT_MS) return giveUp(restingUntil(choice.untilEpochMs, parts.clock));
      // Waiting for a provider's own pace is no failure, and may be repeated as long as the run lasts.
      rounds += isLimited ? 1 : 0;
      isLimited = false;
      if (rounds > MAX_ROUNDS) return giveUp({ ...restingUntil(choice.untilEpochMs, parts.clock), obstacle: null });
      if (!(await parts.wait(waitMs))) return giveUp(NOT_STARTED);
      continue;
    }

    const { provider } = choice;
    if (!parts.mayStart(email.id)) {
      parts.choice.notSent(provider);
      return giveUp(NOT_STARTED);
    }
    const startedAt = parts.clock.nowEpochMs();
    const answer = await sendOnce(email, provider, parts.send);
    const latencyMs = answer.latencyMs ?? parts.clock.nowEpochMs() - startedAt;
    if (answer.kind === 'sent') {
      parts.choice.sent(provider, answer.by);
      const messageId = answer.messageId === null ? {} : { messageId: answer.messageId };
      return end(email, { outcome: 'sent', ...messageId, ...asked({ provider: answer.by, latencyMs }, failed) });
    }
    if (answer.kind === 'function-failed') {
      parts.choice.notSent(provider);
      return giveUp(obstructed(answer.obstacle, parts.clock));
    }

    const { failure } = answer;
    parts.choice.failed(provider, failure, email.emailType);
    switch (failure.kind) {
      case 'permanent':
        return end(email, {
          outcome: 'discard',
          error: failure.message,
          reason: failure.message,
          ...asked({ provider, latencyMs }, failed),
        });
      case 'unanswered':
      case 'transient': {
        const mark = failure.kind === 'unanswered' ? provider : only;
        const error = mark === null ? failure.message : markUnanswered(failure.message, mark);
        return end(email, { outcome: 'retry', error, ...asked({ provider, latencyMs }, [...failed, provider]) });
      }
      case 'quota':
        break;
      case 'rate-limited':
        // It rests now, so the next choice is another one, or to wait for whoever is back first.
        isLimited = true;
        break;
      case 'outage':
      case 'refused':
        last = { provider, message: failure.message, latencyMs };
        tried.add(provider);
        failed.push(provider);
        if (failed.length > MAX_FAILOVERS) return giveUp(NOT_STARTED);
        break;
      default:
        failure.kind satisfies never;
    }
  }
}

const NOT_STARTED = { kind: 'not-started' } as const;

type Answer =
  /** `by` whom it was sent: another provider than was asked, where the function recognised an earlier send by its key. */
  | {
      readonly kind: 'sent';
      readonly by: Provider;
      readonly messageId: string | null;
      readonly latencyMs: number | null;
    }
  | { readonly kind: 'failed'; readonly failure: SendFailure; readonly latencyMs: number | null }
  | { readonly kind: 'function-failed'; readonly obstacle: Obstacle; readonly latencyMs: null };

async function sendOnce(email: QueuedEmail, provider: Provider, send: AttemptParts['send']): Promise<Answer> {
  try {
    const outcome = await send(outgoing(email, provider));
    const { latencyMs } = outcome;
    if (outcome.ok) {
      const by = isProvider(outcome.provider) ? outcome.provider : provider;
      return { kind: 'sent', by, messageId: safeMessageId(outcome.messageId ?? ''), latencyMs };
    }
    return { kind: 'failed', failure: failureOf(provider, outcome), latencyMs };
  } catch (error) {
    const message = describe(error);
    const kind = error instanceof FaultError ? kindOfSendFault(error.fault) : 'unanswered';
    if (kind === 'unanswered') return { kind: 'failed', failure: unanswered(message), latencyMs: null };
    return { kind: 'function-failed', obstacle: { kind, message }, latencyMs: null };
  }
}

function failureOf(provider: Provider, outcome: Extract<SendOutcome, { ok: false }>): SendFailure {
  const failure = classifySendFailure(provider, outcome.message);
  const retryAfterMs = outcome.retryAfterMs ?? failure.retryAfterMs;
  if (outcome.status !== 400) return { ...failure, retryAfterMs };
  // The function itself refused the request: it does not know the provider, or the email lacks something (WIRE.md).
  return { ...failure, kind: /provider/i.test(outcome.message) ? 'refused' : 'permanent' };
}

function outgoing(email: QueuedEmail, provider: Provider): OutgoingEmail {
  const { subject, html, text, from, fromName } = email.content;
  return {
    to: email.recipientEmail,
    subject: subject ?? '',
    html: html ?? '',
    ...(text === null ? {} : { text }),
    ...(from === null ? {} : { from }),
    ...(fromName === null ? {} : { fromName }),
    provider,
    idempotencyKey: email.id,
  };
}

function end(email: QueuedEmail, result: Omit<EmailResult, 'id' | 'attempt'>): AttemptEnd {
  return { kind: 'result', result: { id: email.id, attempt: email.attempts, ...result } };
}

function asked(
  { provider, latencyMs }: { provider: Provider; latencyMs: number | null },
  failed: readonly Provider[],
): Pick<EmailResult, 'provider' | 'latencyMs' | 'failedProviders'> {
  return {
    provider,
    ...(latencyMs === null ? {} : { latencyMs: Math.max(0, Math.round(latencyMs)) }),
    ...(failed.length === 0 ? {} : { failedProviders: failed }),
  };
}

type GiveBack = Extract<AttemptEnd, { kind: 'give-back' }>;

function usedUp(resetsAtEpochMs: number): GiveBack {
  const note = `Every provider's quota is used up until ${formatInstant(resetsAtEpochMs)}.`;
  const obstacle = { kind: 'used-up', resetsAtEpochMs } as const;
  return { kind: 'give-back', retryAtEpochMs: resetsAtEpochMs, note, obstacle };
}

function resting(untilEpochMs: number): GiveBack {
  const note = 'No provider could take it.';
  return { kind: 'give-back', retryAtEpochMs: untilEpochMs, note, obstacle: { kind: 'resting', untilEpochMs } };
}

function restingUntil(untilEpochMs: number, clock: Clock): GiveBack {
  return resting(Number.isFinite(untilEpochMs) ? untilEpochMs : clock.nowEpochMs() + REPAIR_MS);
}

function obstructed(obstacle: Obstacle, clock: Clock): GiveBack {
  const note = 'message' in obstacle ? obstacle.message : null;
  return { kind: 'give-back', retryAtEpochMs: clock.nowEpochMs() + COME_BACK_MS, note, obstacle };
}
