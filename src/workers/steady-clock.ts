/**
 * A clock to measure how long something may last, on machines whose clock is set: it never goes back, and where wall time and
 * the time since start disagree it believes the longer one, so that a lease is rather given up than believed in too long.
 */
import type { Clock } from '../domain/time.ts';

export function createSteadyClock(clock: Clock): Clock {
  const startedAtEpochMs = clock.nowEpochMs();
  const startedAtMs = performance.now();
  let aheadMs = 0;
  return {
    nowEpochMs: () => {
      const sinceStartMs = performance.now() - startedAtMs;
      // A machine that slept has only wall time to tell; a clock that was set back tells nothing.
      aheadMs = Math.max(aheadMs, clock.nowEpochMs() - startedAtEpochMs - sinceStartMs);
      return startedAtEpochMs + sinceStartMs + aheadMs;
    },
  };
}
