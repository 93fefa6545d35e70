/**
 * Deliveries by provider over time: one call of `email_provider_history()`. On a database without our migration the newest rows
 * of `email_logs` are counted here instead.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import {
  bucketMsFor,
  bucketStart,
  bucketsFrom,
  type DeliveryPoint,
  type ProviderHistory,
} from '../domain/provider-history.ts';
import { type Clock, MINUTE_MS } from '../domain/time.ts';
import { FaultError, SYSTEM, unreadable } from './fault.ts';
import { count, epochMs, lenient, parseEach } from './parse.ts';
import { answerOf, isMissingSchema, rowsOf } from './supabase.ts';

export interface ProviderHistories {
  /** The last `rangeMs`, up to a day. Throws `FaultError`. */
  read(rangeMs: number, signal?: AbortSignal): Promise<ProviderHistory>;
}

export function createProviderHistory(client: SupabaseClient, clock: Clock): ProviderHistories {
  return {
    read: async (rangeMs, signal) => {
      const bucketMs = bucketMsFor(rangeMs);
      const asked = { p_minutes: Math.round(rangeMs / MINUTE_MS), p_bucket_minutes: bucketMs / MINUTE_MS };
      try {
        return parseHistory((await answerOf(client.rpc('email_provider_history', asked), signal)).data);
      } catch (error) {
        if (!isMissingSchema(error)) throw error;
        return readFromLogs(client, { nowEpochMs: clock.nowEpochMs(), rangeMs, bucketMs }, signal);
      }
    },
  };
}

function parseHistory(value: unknown): ProviderHistory {
  const parsed = Answer.safeParse(value);
  if (!parsed.success) {
    const what = 'a history that this version cannot read';
    throw new FaultError(unreadable(SYSTEM.postgres, what), { cause: parsed.error });
  }
  const { now, since, bucketMinutes, buckets } = parsed.data;
  const { values, skipped } = parseEach(Bucket, buckets);
  return { sinceEpochMs: since, untilEpochMs: now, bucketMs: bucketMinutes * MINUTE_MS, buckets: values, skipped };
}

const PAGE_ROWS = 1_000;
/** The four providers together may send about 1,000 a day; what is older than this many rows is left out. */
const MAX_PAGES = 10;

async function readFromLogs(
  client: SupabaseClient,
  { nowEpochMs, rangeMs, bucketMs }: { nowEpochMs: number; rangeMs: number; bucketMs: number },
  signal: AbortSignal | undefined,
): Promise<ProviderHistory> {
  const wantedSince = bucketStart(nowEpochMs - rangeMs, bucketMs);
  const rows: unknown[] = [];
  let isWhole = false;
  for (let page = 0; page < MAX_PAGES && !isWhole; page += 1) {
    const query = client
      .from('email_logs')
      .select('provider,status,latency_ms,created_at')
      .gte('created_at', new Date(wantedSince).toISOString())
      .order('created_at', { ascending: false })
      .order('id')
      .range(page * PAGE_ROWS, (page + 1) * PAGE_ROWS - 1);
    const next = await rowsOf(query, signal);
    rows.push(...next);
    isWhole = next.length < PAGE_ROWS;
  }
  const { values, skipped } = parseEach(Log, rows);
  // Of the oldest bucket only a part was read.
  const oldest = values.at(-1)?.atEpochMs ?? wantedSince;
  const sinceEpochMs = isWhole ? wantedSince : bucketStart(oldest, bucketMs) + bucketMs;
  const points = values.filter(({ atEpochMs }) => atEpochMs >= sinceEpochMs && atEpochMs <= nowEpochMs);
  return { sinceEpochMs, untilEpochMs: nowEpochMs, bucketMs, buckets: bucketsFrom(points, bucketMs), skipped };
}

const Answer = z.object({ now: epochMs, since: epochMs, bucketMinutes: count, buckets: z.array(z.unknown()) });

const Bucket = z
  .object({ provider: z.string(), at: epochMs, sent: count, failed: count, p95Ms: count.nullable() })
  .transform(({ at, ...bucket }) => ({ atEpochMs: at, ...bucket }));

const Log = z
  .object({ provider: z.string(), status: z.string(), latency_ms: lenient(count), created_at: epochMs })
  .transform(
    ({ provider, status, latency_ms, created_at }): DeliveryPoint => ({
      provider,
      atEpochMs: created_at,
      outcome: OUTCOMES[status] ?? 'pending',
      latencyMs: latency_ms,
    }),
  );

const OUTCOMES: Readonly<Record<string, DeliveryPoint['outcome']>> = {
  sent: 'sent',
  delivered: 'sent',
  failed: 'failed',
  bounced: 'failed',
};
