/**
 * The queue in one value: one call of `email_ops_overview()`. On a database without our migration the plain tables are read
 * instead (`overview-tables.ts`), less often, because that costs a dozen requests.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import { isProvider, type Provider } from '../domain/email.ts';
import type { QueueOverview } from '../domain/queue.ts';
import { completeQuotas } from '../domain/quota.ts';
import { type Clock, SECOND_MS } from '../domain/time.ts';
import { FaultError, SYSTEM, unreadable } from './fault.ts';
import { readOverviewFromTables } from './overview-tables.ts';
import { count, epochMs, lenient, parseEach } from './parse.ts';
import { answerOf, isMissingSchema } from './supabase.ts';

/** While the migration is missing: how long what the tables told is good enough, and how often we ask for the function. */
export const TABLES_GOOD_FOR_MS = 30 * SECOND_MS;
export const ASK_AGAIN_AFTER_MS = 30 * SECOND_MS;

export interface OverviewReading {
  readonly overview: QueueOverview;
  /** When it was read: in the past where an earlier reading of the plain tables is good enough. */
  readonly atEpochMs: number;
}

export interface Overview {
  /** Throws `FaultError`. */
  read(signal?: AbortSignal): Promise<OverviewReading>;
}

export function createOverview(client: SupabaseClient, clock: Clock): Overview {
  let missingSinceEpochMs: number | null = null;
  let fromTables: OverviewReading | null = null;

  const readTables = async (signal: AbortSignal | undefined): Promise<OverviewReading> => {
    const now = clock.nowEpochMs();
    if (fromTables !== null && now - fromTables.atEpochMs < TABLES_GOOD_FOR_MS) return fromTables;
    fromTables = { overview: await readOverviewFromTables(client, clock, signal), atEpochMs: clock.nowEpochMs() };
    return fromTables;
  };

  return {
    read: async (signal) => {
      const now = clock.nowEpochMs();
      if (missingSinceEpochMs !== null && now - missingSinceEpochMs < ASK_AGAIN_AFTER_MS) return readTables(signal);
      try {
        const { data } = await answerOf(client.rpc('email_ops_overview'), signal);
        missingSinceEpochMs = null;
        return { overview: parseOverview(data), atEpochMs: clock.nowEpochMs() };
      } catch (error) {
        if (!isMissingSchema(error)) throw error;
        missingSinceEpochMs = now;
        return readTables(signal);
      }
    },
  };
}

/** Throws `FaultError` when the value as a whole is not what the function answers. */
export function parseOverview(value: unknown): QueueOverview {
  const parsed = Outer.safeParse(value);
  if (!parsed.success) {
    const what = 'an overview that this version cannot read';
    throw new FaultError(unreadable(SYSTEM.postgres, what), { cause: parsed.error });
  }
  const { now, quotas, deliveries24h, throughput, ...rest } = parsed.data;
  const knownQuotas = parseEach(Quota, quotas);
  const deliveries = parseEach(Deliveries, deliveries24h);
  const buckets = parseEach(Bucket, throughput);
  return {
    counts: rest.counts,
    ready: rest.ready,
    oldestReadyAtEpochMs: rest.oldestReadyAt,
    waitingRetry: rest.waitingRetry,
    nextRetryAtEpochMs: rest.nextRetryAt,
    expiredLeases: rest.expiredLeases,
    ...(rest.oldestProcessingAt === undefined ? {} : { oldestProcessingAtEpochMs: rest.oldestProcessingAt }),
    lastCompletedAtEpochMs: rest.lastCompletedAt,
    deadLetters: rest.deadLetters,
    unreviewedDeadLetters: rest.unreviewedDeadLetters,
    quotas: completeQuotas(knownQuotas.values),
    deliveries24h: deliveries.values,
    throughput: buckets.values,
    schemaVersion: rest.schemaVersion,
    databaseAtEpochMs: now,
    skipped: knownQuotas.skipped + deliveries.skipped + buckets.skipped,
  };
}

const time = epochMs.nullable();
const elements = z.array(z.unknown());

const Outer = z.object({
  schemaVersion: count,
  now: epochMs,
  counts: z.object({ queued: count, processing: count, failed: count, completed: count }),
  ready: count,
  oldestReadyAt: time,
  waitingRetry: count,
  nextRetryAt: time,
  expiredLeases: count,
  oldestProcessingAt: time.optional(),
  lastCompletedAt: time,
  deadLetters: count,
  unreviewedDeadLetters: count,
  quotas: elements,
  deliveries24h: elements,
  throughput: elements,
});

const Quota = z
  .object({
    provider: z.string().refine(isProvider),
    daySent: count,
    dayLimit: count,
    monthSent: count,
    monthLimit: count,
    countedAt: lenient(epochMs),
  })
  .transform(({ provider, daySent, dayLimit, monthSent, monthLimit, countedAt }) => ({
    provider: provider as Provider,
    day: { sent: daySent, limit: dayLimit },
    month: { sent: monthSent, limit: monthLimit },
    ...(countedAt === null ? {} : { countedAtEpochMs: countedAt }),
  }));

const Deliveries = z.object({ provider: z.string(), sent: count, failed: count, p95Ms: count.nullable() });

const Bucket = z
  .object({ at: epochMs, sent: count, failed: count, enqueued: count })
  .transform(({ at, ...bucket }) => ({ atEpochMs: at, ...bucket }));
