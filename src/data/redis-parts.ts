/**
 * The parts of the picture that are in Redis, read as rarely as they change: Upstash bills each command (DESIGN §8). One pipeline
 * reads the plain strings, in a single MGET, and what is due; what those strings tell to have changed is read in a second.
 */
import type { LockState } from '../domain/lock.ts';
import { type Clock, SECOND_MS, utcDay } from '../domain/time.ts';
import { createAlerts } from './alerts.ts';
import { createHealthCache } from './health-cache.ts';
import { KEY } from './keys.ts';
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
const TOLD_BY = {
  lock: [KEY.lock, KEY.pause],
  health: [KEY.healthLatest, KEY.healthError],
  alerts: [KEY.healthLatest, KEY.healthError, KEY.alertsMark],
  metrics: [KEY.healthLatest],
  stats: [KEY.runsMark],
  runs: [KEY.healthLatest, KEY.healthError, KEY.runsMark],
} as const satisfies Readonly<Record<RedisPartName, readonly string[]>>;

const NAMES = Object.keys(TOLD_BY) as RedisPartName[];
const STRING_KEYS = [...new Set<string>(Object.values(TOLD_BY).flat())];

/** Who holds the lock renews it every few seconds; its end need not be told to the second. */
const HELD_LOCK_GOOD_FOR_MS = 15 * SECOND_MS;

interface Known {
  readonly atEpochMs: number;
  readonly strings: Strings;
  readonly isHeld: boolean;
}

type Strings = Readonly<Record<string, string | null>>;

export function createRedisParts({ client }: RedisConnection, clock: Clock): RedisParts {
  const gateways: Readonly<Record<RedisPartName, RedisRead<unknown>>> = {
    lock: createLock(client, clock).state,
    health: createHealthCache(client).state,
    alerts: createAlerts(client, clock).feed,
    metrics: createMetrics(client, clock).series,
    stats: createStats(client).daily,
    runs: createRuns(client).feed,
  };
  const known = new Map<RedisPartName, Known>();
  const chosen = (names: readonly RedisPartName[]) => Object.fromEntries(names.map((name) => [name, gateways[name]]));

  return {
    read: async (signal, goodForMs) => {
      const now = clock.nowEpochMs();
      const due = NAMES.filter((name) => isDue(name, known.get(name), { now, goodForMs }));
      const { strings, ...first } = await readAll(client, { strings: STRINGS, ...chosen(due) }, signal);
      const results = first as Partial<Record<RedisPartName, PartResult>>;
      const rest = NAMES.filter((name) => !due.includes(name));
      if (strings.ok) {
        const changed = rest.filter((name) => isChanged(name, known.get(name), strings.value));
        for (const name of rest) results[name] = { ok: true, isUnchanged: true };
        Object.assign(results, await readChanged(changed, strings.value));
      } else for (const name of rest) results[name] = strings;
      for (const name of NAMES) note(name, results[name], { now, strings: strings.ok ? strings.value : null });
      return results as Record<RedisPartName, PartResult>;

      async function readChanged(names: readonly RedisPartName[], values: Strings): Promise<typeof results> {
        if (names.length === 0) return {};
        // All of it is here already.
        const health = names.includes('health') ? { health: parsed(gateways.health, values) } : {};
        const others = names.filter((name) => name !== 'health');
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

const STRINGS: RedisRead<Strings> = {
  keys: STRING_KEYS,
  count: 0,
  commands: () => undefined,
  parse: (values) => Object.fromEntries(STRING_KEYS.map((key, index) => [key, values[index] ?? null])),
};

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

function isChanged(name: RedisPartName, known: Known | undefined, strings: Strings): boolean {
  return TOLD_BY[name].some((key) => known?.strings[key] !== strings[key]);
}

/** A pause has its end in advance; it is prolonged by hand. */
function isHeld(value: unknown): boolean {
  const { lock, announcedPause } = value as LockState;
  return lock.kind === 'worker' || lock.kind === 'unknown-holder' || announcedPause !== null;
}
