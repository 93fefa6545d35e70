/** The queue lock and the announcement of a pause, as they stand now. Taking and giving them is the workers' business. */
import type { Redis } from '@upstash/redis';
import { type LockState, parseLock, parsePause } from '../domain/lock.ts';
import type { Clock } from '../domain/time.ts';
import { KEY } from './keys.ts';
import { type RedisRead, readOne } from './redis-read.ts';

/** What `PTTL` answers for a key that is not there, and for one without an end. */
const NO_KEY = -2;
const NO_END = -1;

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
      const held = heldValue(lock, lockTtlMs);
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

/**
 * Value and TTL are read one after the other: a lock that ended in between is free, not one without end. A key that has no
 * end and no text is of another type, but it keeps every worker out all the same.
 */
function heldValue(value: string | null, ttlMs: number): string | null {
  if (ttlMs === NO_KEY) return null;
  return value === null && ttlMs === NO_END ? '(not a string)' : value;
}
