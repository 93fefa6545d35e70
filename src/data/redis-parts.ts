/**
 * The parts of the picture that are in Redis, read as rarely as they change: Upstash bills each command (DESIGN §8). One pipeline
 * reads the plain strings, in a single MGET, and what is due; what those strings tell to have changed is read in a second.
 */
import type { LockState } from '../domain/lock.ts';
import { type Clock, SECOND_MS, utcDay } from '../domain/time.ts';
import { createAlerts } from './alerts.ts';
import { createHealthCache } from './health-cache.ts';
import { KEY, lockKeys } from './keys.ts';
import { createLock } from './lock.ts';
import { createMetrics } from './metrics.ts';
import type { RedisConnection } from './redis.ts';
import { type ReadResult, type RedisRead, readAll } from './redis-read.ts';
import { createRuns } from './runs.ts';
import { createStats } from './stats.ts';

export type RedisPartName = 'lock' | 'health' | 'alerts' | 'metrics' | 'stats' | 'runs';

/** `unchanged`: the value known is as good as one read now. */
export type PartResult = ReadResult<unknown> | { readonly ok: true; readonly isUnchanged: true };

export interface RedisParts {
  /**
   * What does not look changed and was read within `goodForMs` is not read again. 0 reads everything, in one round trip.
   * Rejects never; every part has an answer.
   */
  read(signal: AbortSignal, goodForMs: number): Promise<Readonly<Record<RedisPartName, PartResult>>>;
}

/**
 * The strings that are another value when a part has changed. The monitor replaces the health report in the step that writes
 * alerts, metrics and its run; our other writers leave a mark. What legacy programs write besides is found when it is due.
 */
const toldBy = (slots: number) => ({
  lock: [...lockKeys(slots), KEY.pause],
  health: [KEY.healthLatest, KEY.healthError],
  alerts: [KEY.healthLatest, KEY.healthError, KEY.alertsMark],
  metrics: [KEY.healthLatest],
  stats: [KEY.runsMark],
  runs: [KEY.healthLatest, KEY.healthError, KEY.runsMark],
});

type ToldBy = Readonly<Record<RedisPartName, readonly string[]>>;

/** Who holds the lock renews it every few seconds; its end need not be told to the second. */
const HELD_LOCK_GOOD_FOR_MS = 15 * SECOND_MS;

interface Known {
  readonly atEpochMs: number;
  readonly strings: Strings;
  readonly isHeld: boolean;
}

type Strings = Readonly<Record<string, string | null>>;

/** `slots` is how many workers may hold the lock at once. */
export function createRedisParts({ client }: RedisConnection, clock: Clock, slots = 1): RedisParts {
  const told: ToldBy = toldBy(slots);
  const names = Object.keys(told) as RedisPartName[];
  const stringsRead = readStrings(told);
  const gateways: Readonly<Record<RedisPartName, RedisRead<unknown>>> = {
    lock: createLock(client, clock, slots).state,
    health: createHealthCache(client).state,
    alerts: createAlerts(client, clock).feed,
    metrics: createMetrics(client, clock).series,
    stats: createStats(client).daily,
    runs: createRuns(client).feed,
  };
  const known = new Map<RedisPartName, Known>();
  const chosen = (wanted: readonly RedisPartName[]) => Object.fromEntries(wanted.map((name) => [name, gateways[name]]));

  return {
    read: async (signal, goodForMs) => {
      const now = clock.nowEpochMs();
      const due = names.filter((name) => isDue(name, known.get(name), { now, goodForMs }));
      const { strings, ...first } = await readAll(client, { strings: stringsRead, ...chosen(due) }, signal);
      const results = first as Partial<Record<RedisPartName, PartResult>>;
      const rest = names.filter((name) => !due.includes(name));
      if (strings.ok) {
        const changed = rest.filter((name) => isChanged(told[name], known.get(name), strings.value));
        for (const name of rest) results[name] = { ok: true, isUnchanged: true };
        Object.assign(results, await readChanged(changed, strings.value));
      } else for (const name of rest) results[name] = strings;
      for (const name of names) note(name, results[name], { now, strings: strings.ok ? strings.value : null });
      return results as Record<RedisPartName, PartResult>;

      async function readChanged(changed: readonly RedisPartName[], values: Strings): Promise<typeof results> {
        if (changed.length === 0) return {};
        // All of it is here already.
        const health = changed.includes('health') ? { health: parsed(gateways.health, values) } : {};
        const others = changed.filter((name) => name !== 'health');
        return others.length === 0 ? health : { ...health, ...(await readAll(client, chosen(others), signal)) };
      }
    },
  };

  function note(
    name: RedisPartName,
    result: PartResult | undefined,
    { now, strings }: { now: number; strings: Strings | null },
  ): void {
    if (result === undefined || !result.ok || strings === null) known.delete(name);
    else if ('value' in result)
      known.set(name, { atEpochMs: now, strings, isHeld: name === 'lock' && isHeld(result.value) });
  }
}

function readStrings(told: ToldBy): RedisRead<Strings> {
  const keys = [...new Set(Object.values(told).flat())];
  return {
    keys,
    count: 0,
    commands: () => undefined,
    parse: (values) => Object.fromEntries(keys.map((key, index) => [key, values[index] ?? null])),
  };
}

function parsed<T>(read: RedisRead<T>, strings: Strings): ReadResult<T> {
  return {
    ok: true,
    value: read.parse(
      read.keys.map((key) => strings[key] ?? null),
      [],
    ),
  };
}

function isDue(
  name: RedisPartName,
  known: Known | undefined,
  { now, goodForMs }: { now: number; goodForMs: number },
): boolean {
  if (known === undefined) return true;
  // The day's counts end at midnight by themselves.
  if (name === 'stats' && utcDay(known.atEpochMs) !== utcDay(now)) return true;
  const ageMs = now - known.atEpochMs;
  // A clock that was set back makes nothing good for longer.
  return ageMs < 0 || ageMs >= (known.isHeld ? Math.min(goodForMs, HELD_LOCK_GOOD_FOR_MS) : goodForMs);
}

function isChanged(keys: readonly string[], known: Known | undefined, strings: Strings): boolean {
  return keys.some((key) => known?.strings[key] !== strings[key]);
}

/** A pause has its end in advance; it is prolonged by hand. */
function isHeld(value: unknown): boolean {
  const { lock, announcedPause } = value as LockState;
  return lock.kind === 'worker' || lock.kind === 'unknown-holder' || announcedPause !== null;
}
