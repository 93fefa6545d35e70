/** One simulated provider handling one email: the rules by which it takes time, accepts, refuses or stays silent. */
import type { Provider } from '../../domain/email.ts';
import { type Clock, SECOND_MS } from '../../domain/time.ts';
import { type Random, seededRandom } from '../random.ts';
import type { Controls, ProviderControl } from './controls.ts';
import { PROFILES, REJECTED_LOCAL_PARTS } from './profiles.ts';
import type { Email, Transport } from './transport.ts';
import type { Wait } from './wait.ts';

const SLOW_FACTOR = 10;
const OUTAGE_ANSWER_MS = 50;

export type ProviderAnswer =
  | { readonly ok: true; readonly messageId: string; readonly latencyMs: number; readonly isAnswerLost: boolean }
  | {
      readonly ok: false;
      readonly failure: 'transient' | 'permanent' | 'unanswered';
      readonly message: string;
      readonly latencyMs: number;
    };

export interface SimulatedProviders {
  /** `draw` picks the random stream, so the same seed and draw meet the same fate. Never throws but on abort. */
  handle(email: Email, draw: number, signal: AbortSignal): Promise<ProviderAnswer>;
}

export function createSimulatedProviders(options: {
  readonly controls: Controls;
  readonly transport: Transport;
  readonly seed: string;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly latencyFactor: number;
}): SimulatedProviders {
  const { controls, transport, wait } = options;
  const isOverRate = createRateLimit(options.clock);

  return {
    handle: async (email, draw, signal) => {
      const { provider } = email;
      const control = controls.get(provider);
      const random = seededRandom(`${options.seed}/${provider}/${draw}`);
      const latencyMs = Math.round(drawLatencyMs(control, random) * options.latencyFactor);

      if (control.mode === 'hang') return { ok: false, failure: 'unanswered', message: 'No answer.', latencyMs: 0 };
      const refusal = refuse(control, email, random, isOverRate);
      if (refusal !== null || !transport.isReal) await wait(refusal?.answerMs ?? latencyMs, signal);
      if (refusal !== null) return { ok: false, ...refusal.answer, latencyMs: refusal.answerMs ?? latencyMs };

      const startedAtMs = performance.now();
      const delivery = await transport.deliver(email);
      const tookMs = transport.isReal ? Math.round(performance.now() - startedAtMs) : latencyMs;
      if (!delivery.ok) return { ...delivery, latencyMs: tookMs };
      return { ok: true, messageId: delivery.messageId, latencyMs: tookMs, isAnswerLost: control.mode === 'mute' };
    },
  };

  function refuse(
    control: ProviderControl,
    email: Email,
    random: Random,
    overRate: (provider: Provider, perSecond: number) => boolean,
  ): Refusal | null {
    const profile = PROFILES[email.provider];
    if (!control.configured) {
      return { answer: { failure: 'transient', message: `${email.provider} is not configured.` }, answerMs: 0 };
    }
    if (control.mode === 'outage') {
      const answerMs = Math.round(OUTAGE_ANSWER_MS * options.latencyFactor);
      return { answer: { failure: 'transient', message: profile.outage }, answerMs };
    }
    if (control.ratePerSecond !== null && overRate(email.provider, control.ratePerSecond)) {
      return { answer: { failure: 'transient', message: profile.rateLimited }, answerMs: 0 };
    }
    if (!isAddress(email.to)) return { answer: { failure: 'permanent', message: profile.invalidAddress } };
    if (isRejected(email.to)) return { answer: { failure: 'permanent', message: profile.rejectedAddress } };
    if (random.next() < control.failureRate) {
      const message = profile.transient[Math.floor(random.next() * profile.transient.length)] ?? profile.outage;
      return { answer: { failure: 'transient', message } };
    }
    return null;
  }
}

interface Refusal {
  readonly answer: { readonly failure: 'transient' | 'permanent'; readonly message: string };
  /** Milliseconds until it refuses; not given: as long as a send would take. */
  readonly answerMs?: number;
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
