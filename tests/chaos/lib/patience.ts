/** Waiting for what takes its time while systems are broken. */
import { setTimeout as delay } from 'node:timers/promises';

/** Tries again for half a minute: where another fault stands in the way, it waits. */
export async function persist<T>(act: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await delay(250);
    }
  }
}

/** False when it was not so in time; what rejects is not so. */
export async function until(isSo: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (performance.now() < deadlineMs) {
    if (await isSo().catch(() => false)) return true;
    await delay(50);
  }
  return false;
}
