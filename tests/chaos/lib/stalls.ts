/** How long this process stood still, as it does on a busy machine: what is measured in time is allowed so much more. */
export interface Stalls {
  /** Since the beginning. */
  totalMs(): number;
  stop(): void;
}

const EVERY_MS = 100;

export function watchStalls(): Stalls {
  let lastMs = performance.now();
  let totalMs = 0;
  const lateMs = () => Math.max(0, performance.now() - lastMs - EVERY_MS);
  const timer = setInterval(() => {
    totalMs += lateMs();
    lastMs = performance.now();
  }, EVERY_MS);
  return { totalMs: () => totalMs + lateMs(), stop: () => clearInterval(timer) };
}
