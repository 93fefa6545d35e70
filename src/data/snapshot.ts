/**
 * Reads the whole picture: Redis and Postgres side by side, a round trip each and a second to Redis where something changed
 * there, QStash on its own slow cadence. A part that fails keeps its last value and is marked stale; none waits for another's recovery (DESIGN §3, §8).
 */
import type { Fault, Loaded } from '../domain/loaded.ts';
import { failedAfter, loaded } from '../domain/loaded.ts';
import type { ScheduleOverview } from '../domain/schedule.ts';
import type { Environment, ReadCost, Snapshot } from '../domain/snapshot.ts';
import { type Clock, MINUTE_MS, SECOND_MS } from '../domain/time.ts';
import { faultOfThrown, notConfigured, SYSTEM } from './fault.ts';
import { createOverview } from './overview.ts';
import type { RedisConnection } from './redis.ts';
import { createRedisParts, type PartResult, type RedisPartName } from './redis-parts.ts';
import type { ReadResult } from './redis-read.ts';
import type { Schedules } from './schedules.ts';
import type { SupabaseConnection } from './supabase.ts';

/** Null for what is not configured. The connections stay the caller's: closing the reader does not close them. */
export interface SnapshotSources {
  readonly redis: RedisConnection | null;
  readonly supabase: SupabaseConnection | null;
  readonly qstash: Schedules | null;
  readonly clock: Clock;
  readonly environment: Environment;
  /** How many workers may hold the queue lock at once; 1 unless told. */
  readonly lockSlots?: number;
  /** Called with each part as it arrives, before the snapshot is whole. */
  readonly onPart?: PartListener;
}

export type PartName = 'lock' | 'health' | 'alerts' | 'metrics' | 'stats' | 'runs' | 'queue' | 'schedules';
type Parts = Pick<Snapshot, PartName>;
export type PartListener = <P extends PartName>(name: P, part: Snapshot[P]) => void;

export interface ReadOptions {
  /**
   * How old a part of Redis may be that nothing tells to have changed. 0 unless told: everything is read. More makes a refresh
   * one command where nothing happens; what legacy programs write may then be seen so much later.
   */
  readonly goodForMs?: number;
}

export interface SnapshotReader {
  /** Deeply frozen. Rejects only when `signal` aborts or the reader is closed: every failure is in its part. */
  read(signal?: AbortSignal, options?: ReadOptions): Promise<Snapshot>;
  /** The next read looks at QStash, however short ago that was: something was changed there. */
  expireSchedules(): void;
  /** What looking has cost so far. */
  cost(): ReadCost;
  /** Cancels what is in flight. Idempotent. */
  close(): void;
}

/** Schedules change rarely, and QStash limits how often it is asked. */
export const SCHEDULES_EVERY_MS = MINUTE_MS;
/** So long after a schedule was due, QStash tells what came of it. */
const CALLED_AFTER_MS = 5 * SECOND_MS;
/** How long the first snapshot waits for QStash, so that a one-shot `status` shows it. */
export const FIRST_SCHEDULES_WAIT_MS = 1_500;

export function createSnapshotReader(sources: SnapshotSources): SnapshotReader {
  const { redis, supabase, qstash, clock, lockSlots } = sources;
  const closing = new AbortController();
  const parts = createParts(sources);
  const redisParts = redis === null ? null : createRedisParts(redis, clock, lockSlots);
  const overview = supabase === null ? null : createOverview(supabase.client, clock);
  const schedules = qstash === null ? null : createSlowPart(qstash, { parts, clock, signal: closing.signal });

  const refreshRedis = async (signal: AbortSignal, goodForMs: number) => {
    if (redisParts === null) return;
    const results = await redisParts.read(signal, goodForMs);
    if (signal.aborted) return;
    for (const [name, result] of Object.entries(results) as [RedisPartName, PartResult][]) {
      if ('isUnchanged' in result) parts.confirm(name, clock.nowEpochMs());
      else parts.settle(name, result as ReadResult<never>, clock.nowEpochMs());
    }
  };
  const refreshQueue = async (signal: AbortSignal) => {
    if (overview === null) return;
    try {
      const reading = await overview.read(signal);
      if (!signal.aborted) parts.settle('queue', { ok: true, value: reading.overview }, reading.atEpochMs);
    } catch (error) {
      const fault = faultOfThrown(SYSTEM.postgres, error);
      if (!signal.aborted) parts.settle('queue', { ok: false, fault }, clock.nowEpochMs());
    }
  };
  const cost = (): ReadCost => ({
    redisCommands: redis?.usage().commands ?? 0,
    redisRoundTrips: redis?.usage().roundTrips ?? 0,
    postgresRoundTrips: supabase?.usage().requests ?? 0,
    qstashRequests: qstash?.usage().requests ?? 0,
  });

  return {
    cost,
    read: async (callerSignal, { goodForMs = 0 } = {}) => {
      const signal = callerSignal === undefined ? closing.signal : AbortSignal.any([closing.signal, callerSignal]);
      signal.throwIfAborted();
      await Promise.all([refreshRedis(signal, goodForMs), refreshQueue(signal), schedules?.refresh(signal)]);
      signal.throwIfAborted();
      const takenAtEpochMs = clock.nowEpochMs();
      return deepFreeze({
        version: 1,
        takenAtEpochMs,
        environment: { ...sources.environment },
        ...parts.all(),
        cost: cost(),
      });
    },
    expireSchedules: () => schedules?.expire(),
    close: () => closing.abort(),
  };
}

interface PartStore {
  all(): Parts;
  settle<P extends PartName>(name: P, result: ReadResult<ValueOf<P>>, atEpochMs: number): void;
  /** What is known of it was found to be so still. */
  confirm(name: PartName, atEpochMs: number): void;
}

type ValueOf<P extends PartName> = Snapshot[P] extends Loaded<infer T> ? T : never;

/** The last known state of every part; at first only why there is none. */
function createParts({ redis, supabase, qstash, onPart }: SnapshotSources): PartStore {
  const missing = (
    source: unknown,
    system: (typeof SYSTEM)[keyof typeof SYSTEM],
  ): { state: 'failed'; error: Fault } => ({
    state: 'failed',
    error: source === null ? notConfigured(system) : { code: 'cancelled', message: `${system.name} is not read yet.` },
  });
  const fromRedis = missing(redis, SYSTEM.redis);
  const known: { -readonly [P in PartName]: Snapshot[P] } = {
    lock: fromRedis,
    health: fromRedis,
    alerts: fromRedis,
    metrics: fromRedis,
    stats: fromRedis,
    runs: fromRedis,
    queue: missing(supabase, SYSTEM.postgres),
    schedules: missing(qstash, SYSTEM.qstash),
  };
  return {
    all: () => ({ ...known }),
    settle: <P extends PartName>(name: P, result: ReadResult<ValueOf<P>>, atEpochMs: number) => {
      const previous = known[name] as Loaded<ValueOf<P>>;
      const next = result.ok ? loaded(result.value, atEpochMs) : failedAfter(previous, result.fault, atEpochMs);
      // A part is the Loaded of its own value; the compiler cannot follow that through the index.
      const part = deepFreeze(next) as unknown as Snapshot[P];
      (known as Record<P, Snapshot[P]>)[name] = part;
      onPart?.(name, part);
    },
    confirm: (name, atEpochMs) => {
      const part: Loaded<unknown> = known[name];
      if (part.state === 'ok')
        (known as Record<PartName, Loaded<unknown>>)[name] = Object.freeze({ ...part, atEpochMs });
    },
  };
}

/** QStash beside the others: asked once a minute and after a schedule was due, waited for only the first time, and then only shortly. */
function createSlowPart(
  gateway: Schedules,
  { parts, clock, signal: closing }: { parts: PartStore; clock: Clock; signal: AbortSignal },
) {
  let inFlight: Promise<void> | null = null;
  let startedAtEpochMs: number | null = null;
  let nextDueAtEpochMs = Number.POSITIVE_INFINITY;

  const fetchNow = async () => {
    try {
      const value = await gateway.read(closing);
      nextDueAtEpochMs = nextDue(value, clock.nowEpochMs());
      parts.settle('schedules', { ok: true, value }, clock.nowEpochMs());
    } catch (error) {
      const fault = faultOfThrown(SYSTEM.qstash, error);
      if (!closing.aborted) parts.settle('schedules', { ok: false, fault }, clock.nowEpochMs());
    } finally {
      inFlight = null;
    }
  };
  let isExpired = false;
  return {
    expire: () => {
      isExpired = true;
    },
    refresh: async (signal: AbortSignal): Promise<void> => {
      const isFirst = startedAtEpochMs === null;
      const now = clock.nowEpochMs();
      const isOld = startedAtEpochMs === null || now - startedAtEpochMs >= SCHEDULES_EVERY_MS;
      const isOvertaken = now >= nextDueAtEpochMs + CALLED_AFTER_MS;
      if (inFlight === null && (isOld || isExpired || isOvertaken)) {
        startedAtEpochMs = now;
        nextDueAtEpochMs = Number.POSITIVE_INFINITY;
        isExpired = false;
        inFlight = fetchNow();
      }
      if (isFirst && inFlight !== null) await waitFor(inFlight, FIRST_SCHEDULES_WAIT_MS, signal);
    },
  };
}

/** A time that passed without being moved on is no reason to ask again. */
function nextDue({ schedules }: ScheduleOverview, nowEpochMs: number): number {
  const ahead = schedules.flatMap(({ isPaused, nextRunAtEpochMs }) =>
    isPaused || nextRunAtEpochMs === null || nextRunAtEpochMs <= nowEpochMs ? [] : [nextRunAtEpochMs],
  );
  return Math.min(Number.POSITIVE_INFINITY, ...ahead);
}

/** Resolves when the work is done, the time is up or the signal aborts, whichever is first. */
async function waitFor(work: Promise<void>, timeoutMs: number, signal: AbortSignal): Promise<void> {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const timer = setTimeout(end, timeoutMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    await Promise.race([work, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** What is frozen already is not walked again: an unchanged time series costs nothing. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
