/**
 * What the health monitor keeps in Redis: it reads all of it in one pipeline and writes all of it in another. What it
 * remembers between two checks is in a key of ours, `email:monitor:state`.
 */
import type { Redis } from '@upstash/redis';
import { z } from 'zod';
import type { Admission, SeenAlert } from '../domain/alert-cooldown.ts';
import type { DepthPoint, LockSighting } from '../domain/alert-rules.ts';
import { parseLock } from '../domain/lock.ts';
import type { MetricPoint } from '../domain/metric.ts';
import type { RunFeed, RunRecord } from '../domain/run.ts';
import { DAY_MS, HOUR_MS } from '../domain/time.ts';
import { KEY, lockKeys } from './keys.ts';
import { epochMs, jsonOrUndefined, parseEachJson } from './parse.ts';
import { MAX_SLOTS } from './queue-lock.ts';
import { INSPECT } from './queue-lock-scripts.ts';
import { RedisError } from './redis-fault.ts';
import { listOf, type ReadResult, type RedisRead, readAll } from './redis-read.ts';
import { createRuns, formatRun, MAX_RUNS } from './runs.ts';
import { pushAlerts, seenAlerts } from './seen-alerts.ts';

/** What is remembered from check to check. Null: never known. */
export interface MonitorMemory {
  readonly healthFailures: number;
  /** Those that nobody had reviewed. */
  readonly deadLetters: number | null;
  readonly lastProcessorRunAtEpochMs: number | null;
  /** By lock value: since when it has been seen. */
  readonly holders: Readonly<Record<string, number>>;
}

export interface MonitorReading {
  readonly memory: MonitorMemory;
  readonly seen: Readonly<Record<string, SeenAlert>>;
  /** One for each slot of the lock that is held; `value` is what stands there. */
  readonly locks: readonly (LockSighting & { readonly value: string })[];
  /** Of the last two hours, ascending. */
  readonly points: readonly DepthPoint[];
}

export interface MonitorWriting {
  readonly atEpochMs: number;
  readonly memory: MonitorMemory;
  /** The email function's answer as it came, or why there is none. */
  readonly health: { readonly report: string } | { readonly error: string };
  /** Null: nothing to add, because the providers' state is not known. */
  readonly point: MetricPoint | null;
  readonly alerts: Admission;
  readonly run: RunRecord;
}

export interface MonitorStore {
  read(nowEpochMs: number): Promise<MonitorReading>;
  write(writing: MonitorWriting): Promise<void>;
}

const STATE = 'email:monitor:state';
const HEALTH_TTL_SECONDS = 300;
const ERROR_TTL_SECONDS = 60;
/** A day of silence, and the monitor starts to learn anew. */
const MEMORY_TTL_SECONDS = 2 * 24 * 3_600;

/** Failures are the connection's own errors. */
export function createMonitorStore(redis: Redis): MonitorStore {
  return {
    read: async (nowEpochMs) => {
      const reads = { own: ownRead(nowEpochMs), runs: createRuns(redis).feed, seen: seenAlerts };
      const results = await readAll(redis, reads);
      const own = valueOrThrow(results.own);
      const lastProcessorRunAtEpochMs = lastProcessorRun(valueOrThrow(results.runs), own.memory);
      return { ...own, memory: { ...own.memory, lastProcessorRunAtEpochMs }, seen: valueOrThrow(results.seen) };
    },
    write: async (writing) => {
      const { atEpochMs, health, point, alerts } = writing;
      const pipeline = redis.pipeline();
      if ('report' in health) {
        pipeline.set(KEY.healthLatest, health.report, { ex: HEALTH_TTL_SECONDS });
        pipeline.del(KEY.healthError);
      } else {
        // The last good data stay until they expire: old news with its age is better than none.
        const failure = { error: health.error, timestamp: new Date(atEpochMs).toISOString() };
        pipeline.set(KEY.healthError, JSON.stringify(failure), { ex: ERROR_TTL_SECONDS });
      }
      pushAlerts(pipeline, alerts, atEpochMs);
      if (point !== null) {
        pipeline.zadd(KEY.metrics, { score: atEpochMs, member: formatPoint(point) });
        pipeline.zremrangebyscore(KEY.metrics, '-inf', atEpochMs - DAY_MS);
      }
      pipeline.set(STATE, JSON.stringify(writing.memory), { ex: MEMORY_TTL_SECONDS });
      pipeline.lpush(KEY.runs, formatRun(writing.run));
      pipeline.ltrim(KEY.runs, 0, MAX_RUNS - 1);
      await pipeline.exec();
    },
  };
}

function ownRead(nowEpochMs: number): RedisRead<Omit<MonitorReading, 'seen'>> {
  return {
    keys: [STATE],
    count: 2,
    commands: (pipeline) => {
      pipeline.zrange(KEY.metrics, nowEpochMs - 2 * HOUR_MS, nowEpochMs, { byScore: true });
      // All slots that there can be: workers elsewhere may be configured for more than we are.
      pipeline.eval(INSPECT, [KEY.pause, ...lockKeys(MAX_SLOTS)], []);
    },
    parse: ([state = null], [points, slots]) => {
      const memory = memorySchema.safeParse(jsonOrUndefined(state)).data ?? NOTHING_REMEMBERED;
      return {
        memory,
        locks: locksIn(listOf(slots), memory, nowEpochMs),
        points: parseEachJson(pointSchema, listOf(points)).values,
      };
    },
  };
}

/** From `[slot, value, PTTL, …]`. Slot 0 is the announcement of a pause, which holds nothing yet. */
function locksIn(flat: readonly unknown[], { holders }: MonitorMemory, nowEpochMs: number): MonitorReading['locks'] {
  const locks: MonitorReading['locks'][number][] = [];
  for (let index = 0; index + 2 < flat.length; index += 3) {
    const value = String(flat[index + 1]);
    if (Number(flat[index]) === 0) continue;
    const lock = parseLock(value, Number(flat[index + 2]), nowEpochMs);
    locks.push({ value, lock, sinceEpochMs: holders[value] ?? nowEpochMs });
  }
  return locks;
}

function valueOrThrow<T>(result: ReadResult<T>): T {
  if (!result.ok) throw new RedisError(result.fault);
  return result.value;
}

const whole = z.number().int().nonnegative();

const memorySchema = z.object({
  healthFailures: whole.catch(0),
  deadLetters: whole.nullable().catch(null),
  lastProcessorRunAtEpochMs: whole.nullable().catch(null),
  holders: z.record(z.string(), whole).catch({}),
});

const NOTHING_REMEMBERED: MonitorMemory = {
  healthFailures: 0,
  deadLetters: null,
  lastProcessorRunAtEpochMs: null,
  holders: {},
};

const pointSchema = z
  .object({ timestamp: epochMs, queue_depth: whole })
  .transform(({ timestamp, queue_depth }) => ({ atEpochMs: timestamp, queueDepth: queue_depth }));

/** A run that was skipped counts: somebody called the processor. */
function lastProcessorRun({ runs }: RunFeed, { lastProcessorRunAtEpochMs }: MonitorMemory): number | null {
  const newest = runs.find(({ worker }) => worker === 'queue-processor');
  if (newest === undefined) return lastProcessorRunAtEpochMs;
  return Math.max(lastProcessorRunAtEpochMs ?? 0, Math.round(newest.startedAtEpochMs + newest.durationMs));
}

/** The member of the sorted set, in the field names of WIRE.md. */
function formatPoint(point: MetricPoint): string {
  return JSON.stringify({
    timestamp: point.atEpochMs,
    healthy_providers: point.healthyProviders,
    total_providers: point.totalProviders,
    daily_quota_used: point.dailyQuotaUsedPercent,
    monthly_quota_used: point.monthlyQuotaUsedPercent,
    best_provider: point.bestProvider,
    ...withoutNulls({
      queue_depth: point.queueDepth,
      oldest_queued_s: point.oldestQueuedSeconds,
      sent: point.sent,
      failed: point.failed,
      p95_ms: point.p95Ms,
    }),
  });
}

/** Readers take a field that is missing for unknown; null might reach a chart as zero. */
function withoutNulls(fields: Readonly<Record<string, number | null>>): Record<string, number | null> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
