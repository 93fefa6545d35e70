/** The passing of simulated time, as a seam: programs really wait, tests need not. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after `ms`; rejects with the signal's reason when it is aborted before. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const realWait: Wait = async (ms, signal) => {
  signal.throwIfAborted();
  if (ms > 0) await sleep(ms, undefined, { signal });
};
