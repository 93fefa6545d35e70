/** When the dashboard reads again: when its interval is over, earlier when that becomes shorter, at once when something was done. */

export interface Refresher {
  /** Something was changed or asked for: everything is read. */
  wake(): void;
  /** The interval is another one. What is older than it is read at once. */
  review(): void;
  /** Reads until the signal aborts; what `read` throws before that is thrown. */
  loop(read: (isAsked: boolean) => Promise<void>): Promise<void>;
}

/** `everyMs` is the interval that holds at the moment. The first read counts as asked for. */
export function createRefresher(everyMs: () => number, signal: AbortSignal): Refresher {
  let wakeUp: () => void = () => undefined;
  let rearm: () => void = () => undefined;
  let isWoken = true;
  const rest = async (sinceMs: number) => {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    let timer: NodeJS.Timeout | undefined;
    rearm = () => {
      clearTimeout(timer);
      timer = setTimeout(resolve, Math.max(0, sinceMs + everyMs() - performance.now()));
    };
    wakeUp = resolve;
    signal.addEventListener('abort', wakeUp, { once: true });
    rearm();
    await over;
    clearTimeout(timer);
    rearm = () => undefined;
    signal.removeEventListener('abort', wakeUp);
  };
  return {
    wake: () => {
      isWoken = true;
      wakeUp();
    },
    review: () => rearm(),
    loop: async (read: (isAsked: boolean) => Promise<void>) => {
      while (!signal.aborted) {
        const isAsked = isWoken;
        isWoken = false;
        try {
          await read(isAsked);
        } catch (error) {
          if (!signal.aborted) throw error;
          return;
        }
        if (!isWoken && !signal.aborted) await rest(performance.now());
      }
    },
  };
}
