/** How long the email endpoint takes for the first, the second, … email that reaches it, and the best time that any worker can have then. */
import { seededRandom } from '../../src/sandbox/random.ts';

export interface Latency {
  readonly name: string;
  readonly medianMs: number;
  /** Equal to the median: always the same. Above it: log-normal. */
  readonly p99Ms: number;
}

export const NO_LATENCY: Latency = { name: '0 ms', medianMs: 0, p99Ms: 0 };
export const FIXED: Latency = { name: '300 ms', medianMs: 300, p99Ms: 300 };
export const HEAVY_TAIL: Latency = { name: 'heavy tail', medianMs: 120, p99Ms: 1_500 };

/** In ms, by order of arrival, so that everybody who is measured gets the same ones in the same order. */
export function latenciesOf({ medianMs, p99Ms }: Latency, count: number): readonly number[] {
  const random = seededRandom('draining');
  return Array.from({ length: count }, () => Math.round(random.logNormal(medianMs, p99Ms)));
}

/** The list schedule: every lane takes the next email as soon as it is free, and nothing else costs time. In ms. */
export function limitMs(latencies: readonly number[], lanes: number): number {
  const freeAtMs = Array.from({ length: lanes }, () => 0);
  for (const latencyMs of latencies) {
    const lane = freeAtMs.indexOf(Math.min(...freeAtMs));
    freeAtMs[lane] = (freeAtMs[lane] ?? 0) + latencyMs;
  }
  return Math.max(...freeAtMs);
}
