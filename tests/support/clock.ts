import type { Clock } from '../../src/domain/time.ts';

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
  set(epochMs: number): void;
}

export function manualClock(startEpochMs = Date.parse('2026-11-23T12:00:00Z')): ManualClock {
  let now = startEpochMs;
  return {
    nowEpochMs: () => now,
    advance: (ms) => {
      now += ms;
    },
    set: (epochMs) => {
      now = epochMs;
    },
  };
}
