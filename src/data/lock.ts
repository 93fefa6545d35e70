/** The queue lock and the announcement of a pause, as they stand now. Taking and giving them is the workers' business. */
import type { Redis } from '@upstash/redis';
import { type LockState, parseLock, parsePause } from '../domain/lock.ts';
import type { Clock } from '../domain/time.ts';
import { KEY } from './keys.ts';
import { type RedisRead, readOne } from './redis-read.ts';

/** What `PTTL` answers for a key that is not there. */
const NO_KEY = -2;

export interface LockGateway {
  readonly state: RedisRead<LockState>;
  /** Throws `RedisError`. */
  read(signal?: AbortSignal): Promise<LockState>;
}

export function createLock(client: Redis, clock: Clock): LockGateway {
  const state: RedisRead<LockState> = {
    keys: [KEY.lock, KEY.pause],
    count: 2,
    commands: (pipeline) => {
      pipeline.pttl(KEY.lock).pttl(KEY.pause);
    },
    parse: ([lock = null, pause = null], [lockTtl, pauseTtl]) => {
      const now = clock.nowEpochMs();
      const lockTtlMs = Number(lockTtl);
      const pauseTtlMs = Number(pauseTtl);
      // Value and TTL are read one after the other: a lock that ended in between is free, not one without end.
      const held = lockTtlMs === NO_KEY ? null : lock;
      const announced = pause === null || pauseTtlMs === NO_KEY ? null : parsePause(pause);
      return {
        lock: parseLock(held, lockTtlMs, now),
        announcedPause:
          announced === null ? null : { ...announced, expiresAtEpochMs: pauseTtlMs >= 0 ? now + pauseTtlMs : null },
      };
    },
  };
  return { state, read: (signal) => readOne(client, state, signal) };
}
