/** The queue lock and the announcement of a pause, as they stand now. Taking and giving them is the workers' business. */
import type { Redis } from '@upstash/redis';
import { type Lock, type LockState, parseLock, parsePause } from '../domain/lock.ts';
import type { Clock } from '../domain/time.ts';
import { KEY, lockKeys } from './keys.ts';
import { type RedisRead, readOne } from './redis-read.ts';

/** What `PTTL` answers for a key that is not there, and for one without an end. */
const NO_KEY = -2;
const NO_END = -1;

export interface LockGateway {
  readonly state: RedisRead<LockState>;
  /** Throws `RedisError`. */
  read(signal?: AbortSignal): Promise<LockState>;
}

/** `slots` is how many workers may send at once: a lock for each is read. */
export function createLock(client: Redis, clock: Clock, slots = 1): LockGateway {
  const locks = lockKeys(slots);
  const keys = [...locks, KEY.pause];
  const state: RedisRead<LockState> = {
    keys,
    count: keys.length,
    commands: (pipeline) => {
      for (const key of keys) pipeline.pttl(key);
    },
    parse: (values, ttls) => {
      const now = clock.nowEpochMs();
      const pause = values[slots] ?? null;
      const pauseTtlMs = Number(ttls[slots]);
      const announced = pause === null || pauseTtlMs === NO_KEY ? null : parsePause(pause);
      const states = locks.map((_, index) => {
        const ttlMs = Number(ttls[index]);
        return parseLock(heldValue(values[index] ?? null, ttlMs), ttlMs, now);
      });
      return {
        ...lockOf(states),
        announcedPause:
          announced === null ? null : { ...announced, expiresAtEpochMs: pauseTtlMs >= 0 ? now + pauseTtlMs : null },
      };
    },
  };
  return { state, read: (signal) => readOne(client, state, signal) };
}

/** Of several slots the first that a worker holds: a pause that holds another still waits for it. */
function lockOf(slots: readonly Lock[]): Omit<LockState, 'announcedPause'> {
  const held = slots.filter(({ kind }) => kind !== 'free');
  const working = held.filter(({ kind }) => kind !== 'paused');
  const lock = working[0] ?? held[0] ?? { kind: 'free' };
  if (slots.length === 1) return { lock };
  return { lock, otherSlotsHeld: Math.max(0, working.length - 1), freeSlots: slots.length - held.length };
}

/**
 * Value and TTL are read one after the other: a lock that ended in between is free, not one without end. A key that has no
 * end and no text is of another type, but it keeps every worker out all the same.
 */
function heldValue(value: string | null, ttlMs: number): string | null {
  if (ttlMs === NO_KEY) return null;
  return value === null && ttlMs === NO_END ? '(not a string)' : value;
}
