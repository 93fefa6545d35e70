/**
 * What recent sends say about each provider: success rate, latency, failures in a row, circuit.
 *
 * The circuit is `closed` until five sends fail in a row, then `open`; a minute after the last failure it is `half-open`,
 * and the next success closes it. It only advises: a caller who names a provider gets that provider.
 */
import type { Provider } from '../../domain/email.ts';
import { type Clock, MINUTE_MS } from '../../domain/time.ts';

const WINDOW_MS = 15 * MINUTE_MS;
const WINDOW_SENDS = 50;
const FAILURES_TO_OPEN = 5;
const OPEN_FOR_MS = MINUTE_MS;
const OPEN_SCORE = 15;

export interface SendResult {
  readonly atEpochMs: number;
  readonly ok: boolean;
  readonly latencyMs: number;
  /** The provider's words; null when it succeeded. */
  readonly error: string | null;
}

export interface ProviderRecord {
  /** 0–100: the success rate of the window, less for slowness; at most 15 while the circuit is open. */
  readonly healthScore: number;
  /** 0–100, over the last 50 sends of the last 15 minutes; 100 without any. */
  readonly successRatePercent: number;
  readonly averageLatencyMs: number;
  /** Sends since the outbox began. */
  readonly totalRequests: number;
  readonly consecutiveFailures: number;
  readonly circuitState: 'closed' | 'open' | 'half-open';
  readonly lastError: string | null;
  /** Sends in the window. */
  readonly observed: number;
}

export interface TrackRecord {
  add(provider: Provider, result: SendResult): void;
  of(provider: Provider): ProviderRecord;
}

interface History {
  window: SendResult[];
  totalRequests: number;
  consecutiveFailures: number;
  lastFailure: SendResult | null;
}

export function createTrackRecord(clock: Clock): TrackRecord {
  const histories = new Map<Provider, History>();
  const historyOf = (provider: Provider): History =>
    histories.get(provider) ?? { window: [], totalRequests: 0, consecutiveFailures: 0, lastFailure: null };
  return {
    add: (provider, result) => {
      const history = historyOf(provider);
      histories.set(provider, {
        window: [...history.window, result].slice(-WINDOW_SENDS),
        totalRequests: history.totalRequests + 1,
        consecutiveFailures: result.ok ? 0 : history.consecutiveFailures + 1,
        lastFailure: result.ok ? history.lastFailure : result,
      });
    },
    of: (provider) => describe(historyOf(provider), clock.nowEpochMs()),
  };
}

function describe(history: History, nowEpochMs: number): ProviderRecord {
  const window = history.window.filter((result) => nowEpochMs - result.atEpochMs <= WINDOW_MS);
  const succeeded = window.filter((result) => result.ok).length;
  const successRatePercent = window.length === 0 ? 100 : (succeeded / window.length) * 100;
  const averageLatencyMs =
    window.length === 0 ? 0 : window.reduce((sum, result) => sum + result.latencyMs, 0) / window.length;
  const circuitState = circuit(history, nowEpochMs);
  const score = Math.round(successRatePercent * speedFactor(averageLatencyMs));
  return {
    healthScore: circuitState === 'open' ? Math.min(score, OPEN_SCORE) : score,
    successRatePercent: Math.round(successRatePercent * 10) / 10,
    averageLatencyMs: Math.round(averageLatencyMs),
    totalRequests: history.totalRequests,
    consecutiveFailures: history.consecutiveFailures,
    circuitState,
    lastError: history.consecutiveFailures > 0 ? (history.lastFailure?.error ?? null) : null,
    observed: window.length,
  };
}

function circuit(history: History, nowEpochMs: number): ProviderRecord['circuitState'] {
  if (history.consecutiveFailures < FAILURES_TO_OPEN || history.lastFailure === null) return 'closed';
  return nowEpochMs - history.lastFailure.atEpochMs < OPEN_FOR_MS ? 'open' : 'half-open';
}

/** 1 up to one second, then falling to one half at ten seconds and beyond. */
function speedFactor(averageLatencyMs: number): number {
  return 1 - Math.min(0.5, Math.max(0, (averageLatencyMs - 1_000) / 18_000));
}
