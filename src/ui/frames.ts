/** When to draw: at once after a pause, and never more than ten times a second however much happens. */

export interface Frames {
  /** Something may have changed. `isKey`: somebody waits for the answer to a key, which data must not delay. */
  request(isKey: boolean): void;
  stop(): void;
}

const LEAST_GAP_MS = 100;

/** `nowMs` is a monotonic clock. */
export function createFrames(draw: () => void, nowMs: () => number = () => performance.now()): Frames {
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastKeyMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;

  const drawNow = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    lastMs = nowMs();
    draw();
  };
  return {
    request: (isKey) => {
      const now = nowMs();
      if (isKey && now - lastKeyMs >= LEAST_GAP_MS) {
        lastKeyMs = now;
        drawNow();
        return;
      }
      if (timer !== null) return;
      const waitMs = lastMs + LEAST_GAP_MS - now;
      if (waitMs <= 0) drawNow();
      else timer = setTimeout(drawNow, waitMs);
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
