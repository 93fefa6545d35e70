/** Telling people by webhook, from whatever looks at the system anyway: `work`, `serve` and the dashboard. */
import { createTold } from '../data/told.ts';
import { createWebhook } from '../data/webhook.ts';
import { goodForMs } from '../domain/cadence.ts';
import { standingOf } from '../domain/notice.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { MINUTE_MS } from '../domain/time.ts';
import { verdictOf } from '../domain/verdict.ts';
import type { Logger } from '../workers/worker.ts';
import type { Systems } from './connect.ts';

export interface Notifier {
  /** Tells what is news in it, at most once in `LOOK_EVERY_MS`. Never rejects: what goes wrong is logged. */
  look(snapshot: Snapshot): Promise<void>;
}

/** News may be as old as that; six minutes where another program wrote it, without a mark. Each look costs one Redis command, and where nothing else looks, a snapshot. */
export const LOOK_EVERY_MS = 2 * MINUTE_MS;
/** A dashboard has its snapshot anyway. */
export const LOOK_AGAIN_MS = 15_000;

/** Null where no webhook is configured, where nothing may be changed, and in a sandbox, of which nobody wants to hear. */
export function createNotifier(systems: Systems, log: Logger, signal: AbortSignal): Notifier | null {
  const { redis, config, clock } = systems;
  const { webhook } = config;
  if (redis === null || webhook === null || config.readOnly || config.environment.isSandbox) return null;
  const told = createTold(redis.client);
  const post = createWebhook(webhook).post;
  let lastEpochMs = Number.NEGATIVE_INFINITY;
  return {
    look: async (snapshot) => {
      if (clock.nowEpochMs() < lastEpochMs + LOOK_AGAIN_MS) return;
      lastEpochMs = clock.nowEpochMs();
      try {
        const standing = standingOf(snapshot, verdictOf(snapshot));
        const notices = await told.take(standing);
        for (const [index, notice] of notices.entries()) {
          try {
            await post(notice, signal);
          } catch (error) {
            await told.giveBack(notices.slice(index), standing);
            throw error;
          }
        }
        if (notices.length > 0) log.info(`[notify] Told by webhook: ${notices.map(({ event }) => event).join(', ')}.`);
      } catch (error) {
        if (signal.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        log.warn(`[notify] Not told, tried again later: ${why}`);
      }
    },
  };
}

/** Looks at the system by itself until `signal` aborts. Resolves at once where there is nobody to tell. */
export async function keepTelling(systems: Systems, log: Logger, signal: AbortSignal): Promise<void> {
  const notifier = createNotifier(systems, log, signal);
  if (notifier === null) return;
  const reader = await systems.snapshotReader();
  while (!signal.aborted) {
    const snapshot = await reader.read(signal, { goodForMs: goodForMs(LOOK_EVERY_MS) }).catch(() => null);
    if (snapshot !== null) await notifier.look(snapshot);
    await rest(LOOK_EVERY_MS, signal);
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
