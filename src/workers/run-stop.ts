/** The one stop of a run: the first reason wins, and from then on nothing is started. */
import type { Stop } from './queue-run-summary.ts';

export interface RunStop {
  readonly signal: AbortSignal;
  reason(): Stop | null;
  stop(reason: Stop): void;
  /** Waits so long, or not at all when it is over already; false when the run stops meanwhile, or has no time left. */
  wait(ms: number): Promise<boolean>;
  /** Lets go of timer and signal. */
  close(): void;
}

/** Stops by itself after `budgetMs`, and when `told` aborts. */
export function createRunStop(told: AbortSignal, budgetMs: number): RunStop {
  const stopping = new AbortController();
  const deadlineMs = performance.now() + budgetMs;
  let first: Stop | null = null;
  const stop = (reason: Stop) => {
    if (first !== null) return;
    first = reason;
    stopping.abort();
  };
  const onTold = () => stop({ kind: 'told' });
  if (told.aborted) onTold();
  told.addEventListener('abort', onTold, { once: true });
  const timer = setTimeout(() => stop({ kind: 'time' }), budgetMs);

  return {
    signal: stopping.signal,
    reason: () => first,
    stop,
    wait: async (ms) => {
      const leftMs = deadlineMs - performance.now();
      return leftMs > 0 && waitUnlessAborted(Math.min(Math.max(0, ms), leftMs), stopping.signal);
    },
    close: () => {
      clearTimeout(timer);
      told.removeEventListener('abort', onTold);
    },
  };
}

function waitUnlessAborted(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
