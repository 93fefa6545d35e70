/**
 * What recent sends say about a provider: success rate, latency, health score. Sends lose half their weight every five
 * minutes, so that a bad hour is forgotten and no history has to be kept; `email_function_finish` does the same in SQL.
 *
 * Health score, 0–100 = 100 × S × L, where
 *   S = (successes + 2) / (sends + 2), both weighted: two imagined successes, so that one failure alone is no verdict
 *   L = 1 up to an average of one second, then falling evenly to one half at ten seconds and beyond
 * and with regard to the circuit: at most 15 while it is open (a provider under 20 is passed over), and between 25 and 60 while
 * it is half-open, because its probes need somebody to ask for it.
 */
import { type Circuit, CLOSED, circuitStateAt, settle, type Verdict } from './circuit.ts';
import { MINUTE_MS } from './time.ts';

export const HALF_LIFE_MS = 5 * MINUTE_MS;
const IMAGINED_SUCCESSES = 2;
const OPEN_SCORE = 15;
const HALF_OPEN_SCORES = { min: 25, max: 60 } as const;
/** Less weight than this is nothing known. */
const FORGOTTEN_BELOW = 0.05;

export interface SendRecord {
  readonly circuit: Circuit;
  /** Sends that say something about the provider, ever. */
  readonly totalRequests: number;
  readonly successfulRequests: number;
  readonly consecutiveFailures: number;
  /** Weighted as of `weighedAtEpochMs`. */
  readonly weight: number;
  readonly successWeight: number;
  /** Milliseconds times weight. */
  readonly latencyWeight: number;
  readonly weighedAtEpochMs: number;
  /** The provider's words, while it fails. */
  readonly lastError: string | null;
}

export const NO_RECORD: SendRecord = {
  circuit: CLOSED,
  totalRequests: 0,
  successfulRequests: 0,
  consecutiveFailures: 0,
  weight: 0,
  successWeight: 0,
  latencyWeight: 0,
  weighedAtEpochMs: 0,
  lastError: null,
};

export interface SendReport {
  readonly verdict: Verdict;
  readonly latencyMs: number;
  readonly error: string | null;
}

/** The record after a send ended. */
export function recordSend(
  record: SendRecord,
  { verdict, latencyMs, error }: SendReport,
  nowEpochMs: number,
): SendRecord {
  const circuit = settle(record.circuit, verdict, nowEpochMs);
  if (verdict === 'neutral') return { ...record, circuit };
  const kept = decay(record, nowEpochMs);
  const success = verdict === 'success' ? 1 : 0;
  return {
    circuit,
    totalRequests: record.totalRequests + 1,
    successfulRequests: record.successfulRequests + success,
    consecutiveFailures: success === 1 ? 0 : record.consecutiveFailures + 1,
    weight: record.weight * kept + 1,
    successWeight: record.successWeight * kept + success,
    latencyWeight: record.latencyWeight * kept + latencyMs,
    weighedAtEpochMs: Math.max(nowEpochMs, record.weighedAtEpochMs),
    lastError: success === 1 ? null : error,
  };
}

export interface Standing {
  readonly circuitState: Circuit['state'];
  /** 0–100. */
  readonly healthScore: number;
  /** 0–100, to a tenth; 100 where nothing is known. */
  readonly successRatePercent: number;
  readonly averageLatencyMs: number;
  /** Recent sends, weighted. */
  readonly observed: number;
}

/** How the provider stands now. */
export function standingOf(record: SendRecord, nowEpochMs: number): Standing {
  const kept = decay(record, nowEpochMs);
  const isForgotten = record.weight * kept < FORGOTTEN_BELOW;
  const observed = isForgotten ? 0 : record.weight * kept;
  const successes = isForgotten ? 0 : record.successWeight * kept;
  const averageLatencyMs = isForgotten ? 0 : record.latencyWeight / record.weight;
  const circuitState = circuitStateAt(record.circuit, nowEpochMs);
  const smoothed = (successes + IMAGINED_SUCCESSES) / (observed + IMAGINED_SUCCESSES);
  return {
    circuitState,
    healthScore: limit(Math.round(100 * smoothed * speedFactor(averageLatencyMs)), circuitState),
    successRatePercent: observed === 0 ? 100 : Math.round((successes / observed) * 1_000) / 10,
    averageLatencyMs: Math.round(averageLatencyMs),
    observed,
  };
}

function limit(score: number, circuitState: Circuit['state']): number {
  if (circuitState === 'open') return Math.min(score, OPEN_SCORE);
  if (circuitState === 'closed') return score;
  return Math.min(HALF_OPEN_SCORES.max, Math.max(HALF_OPEN_SCORES.min, score));
}

function speedFactor(averageLatencyMs: number): number {
  return 1 - Math.min(0.5, Math.max(0, (averageLatencyMs - 1_000) / 18_000));
}

/** What remains of a weight: 1 now, a half after five minutes. A clock that was set back takes nothing. */
function decay({ weighedAtEpochMs }: SendRecord, nowEpochMs: number): number {
  return 2 ** (-Math.max(0, nowEpochMs - weighedAtEpochMs) / HALF_LIFE_MS);
}
