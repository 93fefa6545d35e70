/**
 * How often the dashboard refreshes: fast while somebody uses it or something is wrong, slower the longer nobody looks and nothing
 * changes, so that a console that is left open stays inside a free tier (DESIGN §8). Pure.
 */
import { MINUTE_MS, SECOND_MS } from './time.ts';
import type { VerdictLevel } from './verdict-reason.ts';

/** `fixed`: asked for, set by a budget, or free of charge. */
export type Cadence = { readonly kind: 'adaptive' } | { readonly kind: 'fixed'; readonly intervalMs: number };

export interface Situation {
  /** Null: nothing is known yet. */
  readonly level: VerdictLevel | null;
  /** An action, a run, or a pause that does not stand yet. */
  readonly isUnderWay: boolean;
  /** Since the last key, or since the console was opened. */
  readonly sinceKeyMs: number;
  /** Since the verdict or its reasons were others. */
  readonly sinceChangeMs: number;
}

export const FAST_MS = 5 * SECOND_MS;
/** Whoever comes back to a screen sees nothing that is older. */
export const SLOWEST_MS = MINUTE_MS;

interface Step {
  /** Quiet for at least as long: no key, no other verdict. */
  readonly quietMs: number;
  readonly everyMs: number;
}

/** In words and for the costs: each row holds from its quiet time on. */
export const CALM_STEPS: readonly Step[] = [
  { quietMs: 0, everyMs: FAST_MS },
  { quietMs: 2 * MINUTE_MS, everyMs: 15 * SECOND_MS },
  { quietMs: 10 * MINUTE_MS, everyMs: 30 * SECOND_MS },
  { quietMs: 30 * MINUTE_MS, everyMs: SLOWEST_MS },
];

/** A warning that stands for hours, dead letters say, is no news any more. What is critical stays urgent. */
export const WARNING_STEPS: readonly Step[] = [
  { quietMs: 0, everyMs: FAST_MS },
  { quietMs: 30 * MINUTE_MS, everyMs: 30 * SECOND_MS },
];

/** From one refresh to the next, in ms. */
export function refreshEveryMs(cadence: Cadence, situation: Situation): number {
  if (cadence.kind === 'fixed') return cadence.intervalMs;
  const { level, isUnderWay, sinceKeyMs, sinceChangeMs } = situation;
  if (isUnderWay || level === null || level === 'critical' || level === 'unreachable') return FAST_MS;
  const steps = level === 'ok' ? CALM_STEPS : WARNING_STEPS;
  const quietMs = Math.min(sinceKeyMs, sinceChangeMs);
  return steps.findLast((step) => quietMs >= step.quietMs)?.everyMs ?? FAST_MS;
}

/** What nothing tells to have changed is read anew with every so many refreshes, and not more rarely than {@link GOOD_FOR_MS}. */
const REFRESHES_GOOD_FOR = 12;
const GOOD_FOR_MS = 6 * MINUTE_MS;

/** How old a part of the picture may grow that nothing tells to have changed, in ms. */
export function goodForMs(everyMs: number): number {
  return Math.min(everyMs * REFRESHES_GOOD_FOR, GOOD_FOR_MS);
}
