/**
 * The four simulated providers: the rules by which each takes time, accepts, refuses or stays silent, and its line in the outbox,
 * which is written before anybody is answered. With SMTP, what they accept is really sent.
 */
import { randomUUID } from 'node:crypto';
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import type { HealthCheck } from '../../domain/provider-state.ts';
import { type Clock, nextUtcMidnightEpochMs, nextUtcMonthEpochMs, SECOND_MS } from '../../domain/time.ts';
import type { Email, EmailProvider, SendResult } from '../../email-function/provider.ts';
import { type Random, seededRandom } from '../random.ts';
import type { Controls, ProviderControl } from './controls.ts';
import type { Outbox, SendAttempt } from './outbox.ts';
import { PROFILES, REJECTED_LOCAL_PARTS } from './profiles.ts';
import type { Quotas, Reservation } from './quota.ts';
import type { Wait } from './wait.ts';

const SLOW_FACTOR = 10;
const OUTAGE_ANSWER_MS = 50;
const CHECK_TIMEOUT_MS = 5_000;

export interface SimulationParts {
  readonly controls: Controls;
  readonly quotas: Quotas;
  readonly outbox: Outbox;
  /** Really sends; null: nothing leaves. */
  readonly deliver: ((email: Email, signal: AbortSignal) => Promise<SendResult>) | null;
  readonly seed: string;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly latencyFactor: number;
}

export function createSimulatedProviders(parts: SimulationParts): Record<Provider, EmailProvider> {
  const { outbox } = parts;
  const nextDraw = new Map<Provider, number>();
  const takeDraw = (provider: Provider): number => {
    const draw = nextDraw.get(provider) ?? outbox.nextDraw(provider);
    nextDraw.set(provider, draw + 1);
    return draw;
  };
  const simulation = { ...parts, isOverRate: createRateLimit(parts.clock) };
  const create = (name: Provider): EmailProvider => ({
    name,
    get isConfigured() {
      return parts.controls.get(name).configured;
    },
    knowsKeys: false,
    checkEveryMs: 0,
    send: async (email, signal) => {
      const reservation = parts.quotas.reserve(name);
      if (!reservation.granted) {
        const { message, period } = quotaRefusal(name, reservation, parts.clock.nowEpochMs());
        outbox.record(attemptOf(email, parts.clock, { outcome: 'failed', failure: 'quota', message }));
        return { ok: false, kind: 'quota', message, period, retryAfterMs: null, latencyMs: 0 };
      }
      try {
        const draw = takeDraw(name);
        const result = await handle(email, draw, signal, simulation);
        const line = { ...resultLine(result), latencyMs: result.latencyMs ?? 0, draw };
        outbox.record(attemptOf(email, parts.clock, line));
        return result;
      } finally {
        reservation.release();
      }
    },
    checkHealth: async () => probe(name, parts.controls.get(name)),
    readQuota: async () => {
      if (PROFILES[name].quotaSource !== 'api') return null;
      const { day, month } = parts.quotas.use(name);
      return { daily: day, monthly: month };
    },
  });
  return Object.fromEntries(PROVIDERS.map((name) => [name, create(name)])) as Record<Provider, EmailProvider>;
}

/** What a check would find now, and how long it would take before any latency factor. */
export function probe(provider: Provider, control: ProviderControl): HealthCheck {
  const latencyMs = control.mode === 'slow' ? control.medianMs * SLOW_FACTOR : control.medianMs;
  switch (control.mode) {
    case 'outage':
      return { status: 'error', latencyMs: OUTAGE_ANSWER_MS, message: PROFILES[provider].outage };
    case 'hang':
    case 'mute': {
      const message = `No answer within ${CHECK_TIMEOUT_MS / SECOND_MS} s.`;
      return { status: 'error', latencyMs: CHECK_TIMEOUT_MS, message };
    }
    case 'slow':
      return { status: 'degraded', latencyMs, message: 'Answers slowly.' };
    case 'ok':
    case 'flaky':
      return { status: 'ok', latencyMs, message: 'Operational.' };
  }
}

/** A line of the outbox for this email; what is not given is as for an email that nobody was asked about. */
export function attemptOf(
  email: Email,
  clock: Clock,
  line: Pick<SendAttempt, 'outcome'> & Partial<SendAttempt>,
): SendAttempt {
  return {
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
    ...line,
  };
}

type Simulation = SimulationParts & { readonly isOverRate: (provider: Provider, perSecond: number) => boolean };

/** `draw` picks the random stream, so the same seed and draw meet the same fate. Throws only when it is aborted. */
async function handle(email: Email, draw: number, signal: AbortSignal, parts: Simulation): Promise<SendResult> {
  const control = parts.controls.get(email.provider);
  const random = seededRandom(`${parts.seed}/${email.provider}/${draw}`);
  const latencyMs = Math.round(drawLatencyMs(control, random) * parts.latencyFactor);
  if (control.mode === 'hang') return { ...refusal('unanswered', 'No answer.'), latencyMs: 0, isAnswerLost: true };

  const refused = refuse(control, email, random, parts);
  if (refused !== null || parts.deliver === null) await parts.wait(refused?.answerMs ?? latencyMs, signal);
  if (refused !== null) return { ...refused.result, latencyMs: refused.answerMs ?? latencyMs };

  const startedAtMs = performance.now();
  const result = parts.deliver === null ? accepted(email) : await parts.deliver(email, signal);
  const tookMs = parts.deliver === null ? latencyMs : Math.round(performance.now() - startedAtMs);
  return { ...result, latencyMs: tookMs, ...(result.ok && control.mode === 'mute' ? { isAnswerLost: true } : {}) };
}

interface Refused {
  readonly result: Extract<SendResult, { ok: false }>;
  /** Milliseconds until it refuses; not given: as long as a send would take. */
  readonly answerMs?: number;
}

function refuse(control: ProviderControl, email: Email, random: Random, parts: Simulation): Refused | null {
  const profile = PROFILES[email.provider];
  if (control.mode === 'outage') {
    const answerMs = Math.round(OUTAGE_ANSWER_MS * parts.latencyFactor);
    return { result: refusal('outage', profile.outage), answerMs };
  }
  if (control.ratePerSecond !== null && parts.isOverRate(email.provider, control.ratePerSecond)) {
    return { result: refusal('rate-limited', profile.rateLimited), answerMs: 0 };
  }
  if (!isAddress(email.to)) return { result: refusal('permanent', profile.invalidAddress) };
  if (isRejected(email.to)) return { result: refusal('permanent', profile.rejectedAddress) };
  if (random.next() < control.failureRate) {
    const message = profile.transient[Math.floor(random.next() * profile.transient.length)] ?? profile.outage;
    return { result: refusal('transient', message) };
  }
  return null;
}

function refusal(kind: Refused['result']['kind'], message: string): Refused['result'] {
  return { ok: false, kind, message, retryAfterMs: null, period: 'day' };
}

function accepted({ provider }: Email): SendResult {
  return { ok: true, messageId: `${provider}-${randomUUID()}` };
}

function resultLine(result: SendResult): Pick<SendAttempt, 'outcome'> & Partial<SendAttempt> {
  if (result.ok) return { outcome: 'delivered', messageId: result.messageId };
  return { outcome: 'failed', failure: FAILURES[result.kind], message: result.message };
}

/** As the outbox has always told them. */
const FAILURES: Readonly<Record<Refused['result']['kind'], SendAttempt['failure']>> = {
  permanent: 'permanent',
  quota: 'quota',
  unanswered: 'unanswered',
  'rate-limited': 'rate-limited',
  outage: 'transient',
  refused: 'transient',
  transient: 'transient',
};

function quotaRefusal(provider: Provider, refused: Reservation & { granted: false }, nowEpochMs: number) {
  const profile = PROFILES[provider];
  const isDay = refused.exhausted === 'daily';
  const { sent, limit } = isDay ? refused.use.day : refused.use.month;
  const resetsAt = isDay ? nextUtcMidnightEpochMs(nowEpochMs) : nextUtcMonthEpochMs(nowEpochMs);
  const words = isDay ? profile.dailyQuota : profile.monthlyQuota;
  const count = `${sent} of ${limit} sent ${isDay ? 'today' : 'this month'}`;
  const message = `${words} ${count}. Resets at ${new Date(resetsAt).toISOString()}.`;
  return { message, period: isDay ? ('day' as const) : ('month' as const) };
}

function drawLatencyMs(control: ProviderControl, random: Random): number {
  const drawn = random.logNormal(control.medianMs, control.p99Ms);
  return control.mode === 'slow' ? drawn * SLOW_FACTOR : drawn;
}

/** Enough of the grammar to refuse what every provider refuses. */
function isAddress(text: string): boolean {
  return text.length <= 254 && /^[^\s@<>,;"]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]{2,}$/i.test(text);
}

/** `bounce@…` and `bounce+anything@…`, see {@link REJECTED_LOCAL_PARTS}. */
function isRejected(address: string): boolean {
  const local = address.split(/[@+]/, 1)[0]?.toLowerCase();
  return REJECTED_LOCAL_PARTS.some((part) => part === local);
}

/** Counts the sends of the running second for each provider. */
function createRateLimit(clock: Clock): (provider: Provider, perSecond: number) => boolean {
  const recent = new Map<Provider, number[]>();
  return (provider, perSecond) => {
    const now = clock.nowEpochMs();
    const times = (recent.get(provider) ?? []).filter((at) => now - at < SECOND_MS);
    const isOver = times.length >= perSecond;
    recent.set(provider, isOver ? times : [...times, now]);
    return isOver;
  };
}
