/** How long this process stood still, as it does on a busy machine: what is measured in time is allowed so much more. */
export interface Stalls {
  /** Since the beginning. */
  totalMs(): number;
  /** Others left it so little of the machine that nothing can be said about times. */
  isStarved(): boolean;
  stop(): void;
}

const EVERY_MS = 100;

/** Of the time. */
const STARVED = 0.15;

export function watchStalls(): Stalls {
  const startedAtMs = performance.now();
  let lastMs = startedAtMs;
  let stalledMs = 0;
  let isStopped = false;
  const look = () => {
    if (isStopped) return;
    stalledMs += Math.max(0, performance.now() - lastMs - EVERY_MS);
    lastMs = performance.now();
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    totalMs: () => {
      look();
      return stalledMs;
    },
    isStarved: () => {
      look();
      return stalledMs > STARVED * (lastMs - startedAtMs);
    },
    stop: () => {
      look();
      isStopped = true;
      clearInterval(timer);
    },
  };
}
