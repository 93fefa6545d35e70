/**
 * The `send` action: idempotency, quota, the provider, and the outbox line that is written before anybody is answered.
 *
 * A key that was delivered in the last 24 hours is answered with that delivery. A key that is being sent right now waits
 * for that send and shares its result. A key seen with another recipient or subject is refused: that is a mistake of the
 * caller, and sending would be worse than not sending.
 */
import type { Clock } from '../../domain/time.ts';
import { nextUtcMidnightEpochMs } from '../../domain/time.ts';
import type { Outbox, SendAttempt } from './outbox.ts';
import { PROFILES } from './profiles.ts';
import type { ProviderAnswer, SimulatedProviders } from './provider.ts';
import type { Quotas, Reservation } from './quota.ts';
import type { TrackRecord } from './track-record.ts';
import type { Email } from './transport.ts';

export interface SendOutcome {
  readonly attempt: SendAttempt;
  /** True when the caller must not get this answer: the provider is silent, or its answer is lost on the way. */
  readonly isUnanswered: boolean;
}

export type Sender = (email: Email, signal: AbortSignal) => Promise<SendOutcome>;

export function createSender(parts: {
  readonly outbox: Outbox;
  readonly quotas: Quotas;
  readonly providers: SimulatedProviders;
  readonly record: TrackRecord;
  readonly clock: Clock;
}): Sender {
  const { outbox, quotas, providers, record, clock } = parts;
  const inFlight = new Map<string, { readonly email: Email; readonly result: Promise<SendOutcome> }>();
  const nextDraw = new Map<string, number>();

  const takeDraw = (email: Email): number => {
    const draw = nextDraw.get(email.provider) ?? outbox.nextDraw(email.provider);
    nextDraw.set(email.provider, draw + 1);
    return draw;
  };

  const write = (email: Email, result: AttemptResult): SendAttempt => {
    const attempt: SendAttempt = {
      atEpochMs: clock.nowEpochMs(),
      provider: email.provider,
      idempotencyKey: email.idempotencyKey ?? null,
      to: email.to,
      subject: email.subject,
      failure: null,
      message: null,
      messageId: null,
      latencyMs: 0,
      repeat: false,
      draw: null,
      ...result,
    };
    outbox.record(attempt);
    return attempt;
  };

  const sendNew = async (email: Email, signal: AbortSignal): Promise<SendOutcome> => {
    const reservation = quotas.reserve(email.provider);
    if (!reservation.granted) {
      const message = quotaMessage(email, reservation, clock.nowEpochMs());
      return { attempt: write(email, { outcome: 'failed', failure: 'quota', message }), isUnanswered: false };
    }
    try {
      const draw = takeDraw(email);
      const answer = await providers.handle(email, draw, signal);
      const attempt = write(email, { ...toResult(answer), latencyMs: answer.latencyMs, draw });
      judge(record, attempt);
      const isUnanswered = answer.ok ? answer.isAnswerLost : answer.failure === 'unanswered';
      return { attempt, isUnanswered };
    } finally {
      reservation.release();
    }
  };

  const repeat = (email: Email, first: SendAttempt): SendOutcome => {
    const { outcome, failure, message, messageId, provider } = first;
    const known = { outcome, failure, message, messageId, repeat: true };
    return { attempt: write({ ...email, provider }, known), isUnanswered: false };
  };

  return async (email, signal) => {
    const key = email.idempotencyKey;
    if (key === undefined) return sendNew(email, signal);

    const first = outbox.firstDelivery(key, clock.nowEpochMs());
    const running = inFlight.get(key);
    const earlier = first ?? running?.email;
    if (earlier !== undefined && !isSameEmail(earlier, email)) {
      return { attempt: write(email, REUSED_KEY), isUnanswered: false };
    }
    if (first !== null) return repeat(email, first);
    if (running !== undefined) {
      const { attempt, isUnanswered } = await running.result;
      return { ...repeat(email, attempt), isUnanswered };
    }
    const result = sendNew(email, signal).finally(() => inFlight.delete(key));
    inFlight.set(key, { email, result });
    return result;
  };
}

type AttemptResult = Pick<SendAttempt, 'outcome'> & Partial<SendAttempt>;

const REUSED_KEY: AttemptResult = {
  outcome: 'failed',
  failure: 'permanent',
  message: '409 invalid_idempotent_request: This idempotency key was used for another email. Use a new one.',
};

function isSameEmail(a: Pick<Email, 'to' | 'subject'>, b: Pick<Email, 'to' | 'subject'>): boolean {
  return a.to === b.to && a.subject === b.subject;
}

function toResult(answer: ProviderAnswer): AttemptResult {
  if (answer.ok) return { outcome: 'delivered', messageId: answer.messageId };
  return { outcome: 'failed', failure: answer.failure, message: answer.message };
}

/** What a send says about its provider. A bad address or a full quota says nothing: the provider did its work. */
export function judge(record: TrackRecord, attempt: SendAttempt): void {
  if (attempt.repeat || attempt.failure === 'permanent' || attempt.failure === 'quota') return;
  const { atEpochMs, latencyMs, message } = attempt;
  record.add(attempt.provider, { atEpochMs, ok: attempt.outcome === 'delivered', latencyMs, error: message });
}

function quotaMessage(email: Email, refusal: Reservation & { granted: false }, nowEpochMs: number): string {
  const profile = PROFILES[email.provider];
  if (refusal.exhausted === 'daily') {
    const { sent, limit } = refusal.use.day;
    const resetsAt = new Date(nextUtcMidnightEpochMs(nowEpochMs)).toISOString();
    return `${profile.dailyQuota} ${sent} of ${limit} sent today. Resets at ${resetsAt}.`;
  }
  const { sent, limit } = refusal.use.month;
  const now = new Date(nowEpochMs);
  const resetsAt = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString();
  return `${profile.monthlyQuota} ${sent} of ${limit} sent this month. Resets at ${resetsAt}.`;
}
