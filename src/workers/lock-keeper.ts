/**
 * Keeps a run's lock while it works, and listens there for a pause: every five seconds one command does both. A Redis that
 * does not answer is no reason to stop before the lock could really be somebody else's.
 */
import type { QueueLock } from '../data/queue-lock.ts';
import type { Lock, Pause } from '../domain/lock.ts';
import type { Clock } from '../domain/time.ts';

/** How soon a worker sees that an operator wants to pause (DESIGN §6.3). */
export const LISTEN_EVERY_MS = 5_000;
/** The part of the TTL after which a lock that could not be renewed is given up. */
const TRUST = 0.8;

export interface LockKeeperOptions {
  readonly lock: Pick<QueueLock, 'renew'>;
  readonly holder: string;
  readonly slot: number;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly listenEveryMs?: number;
  readonly onPause: (pause: Pause) => void;
  /** `lock` is who has it now; null when nobody could be asked for too long. */
  readonly onLost: (lock: Lock | null) => void;
  readonly onFailed: (error: unknown) => void;
}

export interface LockKeeper {
  /** Ends it, and waits for a renewal that is under way. Idempotent. */
  stop(): Promise<void>;
}

export function createLockKeeper(options: LockKeeperOptions): LockKeeper {
  const { lock, holder, slot, ttlMs, clock } = options;
  const everyMs = Math.min(options.listenEveryMs ?? LISTEN_EVERY_MS, ttlMs / 3);
  let knownAtEpochMs = clock.nowEpochMs();
  let timer: NodeJS.Timeout | undefined;
  let renewing: Promise<void> = Promise.resolve();
  let isStopped = false;

  const schedule = () => {
    if (isStopped) return;
    timer = setTimeout(() => {
      renewing = renew().then(schedule);
    }, everyMs);
  };

  /** Never rejects. */
  const renew = async (): Promise<void> => {
    const askedAt = clock.nowEpochMs();
    try {
      const renewed = await lock.renew(holder, slot, ttlMs);
      if (renewed.kind === 'lost') {
        isStopped = true;
        return options.onLost(renewed.lock);
      }
      knownAtEpochMs = askedAt;
      if (renewed.announcedPause !== null) options.onPause(renewed.announcedPause);
    } catch (error) {
      options.onFailed(error);
      if (clock.nowEpochMs() - knownAtEpochMs < ttlMs * TRUST) return;
      isStopped = true;
      options.onLost(null);
    }
  };

  schedule();
  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await renewing;
    },
  };
}
