/**
 * Taking, keeping and giving back the queue lock, and pausing, which takes the same lock (DESIGN §6.2, §6.3). Correctness never
 * hangs on it, leases in Postgres see to that; it coordinates workers of every version and lets an operator stop them all.
 *
 * A slot is free, a worker's, a pause's, or an unknown holder's. A pause that finds a worker is announced and waits; whoever
 * touches the lock next (the worker giving way, another worker that comes too late, the operator's console) hands it over.
 */
import type { Redis } from '@upstash/redis';
import { formatPause, type Lock, type Pause, parseLock, parsePause } from '../domain/lock.ts';
import { type Clock, SECOND_MS } from '../domain/time.ts';
import { KEY, lockKeys } from './keys.ts';
import { ACQUIRE, ADVANCE, EXTEND, INSPECT, PAUSE, RELEASE, RENEW, RESUME } from './queue-lock-scripts.ts';

export const MAX_SLOTS = 16;

/** A worker of ours that did not renew its lock for so long is dead: one that lives does so every five seconds. */
export const SILENT_MS = 25 * SECOND_MS;

export type Acquired =
  /** `takenOver` is the dead worker whose lock it was. */
  | { readonly kind: 'acquired'; readonly slot: number; readonly takenOver: Lock | null }
  /** `askAgainInMs`: when a worker of ours that holds it would have been silent for too long; null where nobody knows. */
  | {
      readonly kind: 'busy';
      readonly lock: Exclude<Lock, { kind: 'free' }>;
      readonly askAgainInMs: number | null;
    };

export type Renewed =
  | { readonly kind: 'ours'; readonly announcedPause: Pause | null }
  | { readonly kind: 'lost'; readonly lock: Lock };

/** A pause that stands; `value` is how it is named when it is advanced, extended or lifted. */
export type StandingPause = Pause & { readonly value: string; readonly expiresAtEpochMs: number | null };

export type PauseStep =
  /** Everything stands still. */
  | { readonly kind: 'paused' }
  /** Announced; `holders` others still work, `holder` is one of them. */
  | { readonly kind: 'waiting'; readonly holders: number; readonly holder: Lock }
  /** Another pause was there before; it is left as it is. */
  | { readonly kind: 'exists'; readonly pause: StandingPause }
  /** Somebody lifted it meanwhile, or it ended. */
  | { readonly kind: 'gone' };

export interface QueueLockState {
  /** Slots that are not free, by their number from 1. */
  readonly held: readonly { readonly slot: number; readonly lock: Exclude<Lock, { kind: 'free' }> }[];
  readonly announcedPause: StandingPause | null;
  /** The pause that holds or waits, whichever there is. */
  readonly pause: StandingPause | null;
}

/** All verbs throw `RedisError`. A command whose answer was lost may have taken effect: the lock then ends by its TTL. */
export interface QueueLock {
  /** `holder` is the value to write, unique for each run. Takes over from a worker that was silent for {@link SILENT_MS}. */
  acquire(holder: string, ttlMs: number): Promise<Acquired>;
  renew(holder: string, slot: number, ttlMs: number): Promise<Renewed>;
  /** Compare-and-delete. False when it was no longer ours. */
  release(holder: string): Promise<boolean>;
  /** Announces a pause and takes what is free; with `force` what is held as well. */
  pause(pause: Pause, options: { readonly forMs: number; readonly force?: boolean }): Promise<PauseStep>;
  /** Takes what became free since. To be repeated until it is no longer `waiting`. */
  advance(value: string, options?: { readonly force?: boolean }): Promise<PauseStep>;
  /** Prolongs to `forMs` from now, never shortens. Null when there is no such pause any more. */
  extend(
    pause: StandingPause,
    options: { readonly forMs: number; readonly reason?: string | undefined },
  ): Promise<StandingPause | null>;
  /** Lifts exactly this pause, also one that still waits. False when it was gone. */
  resume(value: string): Promise<boolean>;
  state(): Promise<QueueLockState>;
}

/** `slots` is how many may work at once, 1 to 16. */
export function createQueueLock(client: Redis, clock: Clock, slots = 1, silentMs = SILENT_MS): QueueLock {
  const keys = [KEY.pause, ...lockKeys(MAX_SLOTS)];
  const run = (script: string, args: readonly (string | number)[], others: readonly string[] = []) =>
    client.eval<string[], unknown>(script, [...keys, ...others], args.map(String));
  const standingPause = (value: unknown, ttl: unknown): StandingPause => ({
    ...pauseOf(value),
    value: String(value),
    expiresAtEpochMs: Number(ttl) >= 0 ? clock.nowEpochMs() + Number(ttl) : null,
  });
  const lockOf = (value: unknown, ttl: unknown = -1) => parseLock(String(value), Number(ttl), clock.nowEpochMs());
  const stepOf = (reply: unknown): PauseStep => {
    const [outcome, second, third] = reply as readonly unknown[];
    if (outcome === 'done') return { kind: 'paused' };
    if (outcome === 'gone') return { kind: 'gone' };
    if (outcome === 'exists') return { kind: 'exists', pause: standingPause(second, third) };
    return { kind: 'waiting', holders: Number(second), holder: lockOf(third) };
  };

  return {
    acquire: async (holder, ttlMs) => {
      const reply = await run(ACQUIRE, [holder, ttlMs, slots, silentMs], [KEY.lockSeen]);
      const [outcome, second, third, askAgainInMs] = reply as readonly unknown[];
      if (outcome === 'acquired')
        return { kind: 'acquired', slot: Number(second), takenOver: third === '' ? null : lockOf(third) };
      const lock = lockOf(second, third);
      return {
        kind: 'busy',
        lock: lock.kind === 'free' ? unknownHolder(String(second)) : lock,
        askAgainInMs: Number(askAgainInMs) || null,
      };
    },
    renew: async (holder, slot, ttlMs) => {
      const [outcome, value] = (await run(RENEW, [holder, ttlMs, slot])) as readonly unknown[];
      if (outcome === 'lost') return { kind: 'lost', lock: lockOf(value) };
      return { kind: 'ours', announcedPause: value === '' ? null : pauseOf(value) };
    },
    release: async (holder) => Number(await run(RELEASE, [holder, slots])) > 0,
    pause: async (pause, { forMs, force = false }) =>
      stepOf(await run(PAUSE, [formatPause(pause), forMs, slots, force ? 1 : 0])),
    advance: async (value, { force = false } = {}) => stepOf(await run(ADVANCE, [value, slots, force ? 1 : 0])),
    extend: async (pause, { forMs, reason }) => {
      const value = reason === undefined ? pause.value : formatPause({ ...pause, reason });
      const [changed, left] = (await run(EXTEND, [pause.value, value, forMs])) as readonly unknown[];
      return Number(changed) === 0 ? null : standingPause(value, left);
    },
    resume: async (value) => Number(await run(RESUME, [value])) > 0,
    state: async () => {
      const flat = (await run(INSPECT, [])) as readonly unknown[];
      const held: { slot: number; lock: Exclude<Lock, { kind: 'free' }> }[] = [];
      let announcedPause: StandingPause | null = null;
      let holdingPause: StandingPause | null = null;
      for (let index = 0; index + 2 < flat.length; index += 3) {
        const [slot, value, ttl] = [Number(flat[index]), flat[index + 1], flat[index + 2]];
        const lock = lockOf(value, ttl);
        if (slot === 0) announcedPause = standingPause(value, ttl);
        else if (lock.kind !== 'free') held.push({ slot, lock });
        if (slot > 0 && String(value).startsWith('pause/')) holdingPause ??= standingPause(value, ttl);
      }
      return { held, announcedPause, pause: announcedPause ?? holdingPause };
    },
  };
}

function unknownHolder(value: string): Exclude<Lock, { kind: 'free' }> {
  return { kind: 'unknown-holder', value, expiresAtEpochMs: null };
}

/** A value that somebody else wrote in a format of their own still is a pause: it begins with `pause/`. */
function pauseOf(value: unknown): Pause {
  const text = String(value);
  return parsePause(text) ?? { operator: 'unknown', host: 'unknown', startedAtEpochMs: 0, reason: text };
}
