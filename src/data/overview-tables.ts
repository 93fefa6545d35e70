/**
 * The overview of a database without our migration, put together from its plain tables: exact counts without rows, and the
 * deliveries of a day page by page (PostgREST cuts answers at 1,000 rows). Leases are unknown there.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import { QUEUE_STATUSES, type QueueStatus } from '../domain/email.ts';
import type { ProviderDeliveries, QueueOverview, ThroughputBucket } from '../domain/queue.ts';
import { type Clock, DAY_MS, MINUTE_MS } from '../domain/time.ts';
import { count, epochMs, lenient, type ParsedList, parseEach } from './parse.ts';
import { createQuota } from './quota.ts';
import { answerOf, countOf, rowsOf } from './supabase.ts';

const BUCKET_MS = 5 * MINUTE_MS;
const BUCKETS = 24;
const PAGE_ROWS = 1_000;
/** The four providers together may send about 1,000 a day; what is beyond this many rows is left out. */
const MAX_PAGES = 20;

/** Throws `FaultError`. A dozen requests, in parallel. */
export async function readOverviewFromTables(
  client: SupabaseClient,
  clock: Clock,
  signal?: AbortSignal,
): Promise<QueueOverview> {
  const now = clock.nowEpochMs();
  const tables = { client, signal };
  const firstBucket = Math.floor(now / BUCKET_MS) * BUCKET_MS - (BUCKETS - 1) * BUCKET_MS;
  const nowIso = new Date(now).toISOString();
  const isDue = `next_retry_at.lte.${nowIso}`;
  const isNotDue = `next_retry_at.gt.${nowIso}`;
  const [
    counts,
    undelayed,
    dueRetries,
    retries,
    processing,
    lastCompletedAt,
    deadLetters,
    unreviewed,
    quota,
    logs,
    enqueued,
  ] = await Promise.all([
    readCounts(tables),
    firstOf(tables, { status: 'queued', column: 'created_at', or: 'next_retry_at.is.null' }),
    firstOf(tables, { status: 'queued', column: 'next_retry_at', or: isDue }),
    firstOf(tables, { status: 'queued', column: 'next_retry_at', or: isNotDue }),
    firstOf(tables, { status: 'processing', column: 'updated_at' }),
    readLastCompleted(tables),
    countOf(deadLettersOf(client), signal),
    countOf(deadLettersOf(client).is('reviewed_at', null), signal),
    createQuota(client, clock).read(signal),
    readRecent(tables, {
      table: 'email_logs',
      columns: 'provider,status,latency_ms,created_at',
      sinceEpochMs: now - DAY_MS,
      schema: LogRow,
    }),
    readRecent(tables, {
      table: 'email_queue',
      columns: 'created_at',
      sinceEpochMs: firstBucket,
      schema: CreatedRow,
    }),
  ]);
  return {
    counts,
    ready: undelayed.count + dueRetries.count,
    oldestReadyAtEpochMs: earliest(undelayed.atEpochMs, dueRetries.atEpochMs),
    waitingRetry: retries.count,
    nextRetryAtEpochMs: retries.atEpochMs,
    expiredLeases: 0,
    oldestProcessingAtEpochMs: processing.atEpochMs,
    lastCompletedAtEpochMs: lastCompletedAt,
    deadLetters,
    unreviewedDeadLetters: unreviewed,
    quotas: quota.quotas,
    deliveries24h: deliveriesOf(logs.values),
    throughput: throughputOf(logs.values, enqueued.values, firstBucket),
    schemaVersion: null,
    databaseAtEpochMs: null,
    skipped: quota.skipped + logs.skipped + enqueued.skipped,
  };
}

interface Tables {
  readonly client: SupabaseClient;
  readonly signal: AbortSignal | undefined;
}

function deadLettersOf(client: SupabaseClient) {
  return client.from('email_dead_letter_queue').select('id', { head: true, count: 'exact' });
}

async function readCounts({ client, signal }: Tables): Promise<Record<QueueStatus, number>> {
  const counts = await Promise.all(
    QUEUE_STATUSES.map(async (status) => {
      const query = client.from('email_queue').select('id', { head: true, count: 'exact' }).eq('status', status);
      return [status, await countOf(query, signal)] as const;
    }),
  );
  return Object.fromEntries(counts) as Record<QueueStatus, number>;
}

/** The count of rows and the earliest time among them, in one request. `or` is a filter in PostgREST's own words. */
async function firstOf(
  { client, signal }: Tables,
  { status, column, or }: { status: QueueStatus; column: string; or?: string },
): Promise<{ count: number; atEpochMs: number | null }> {
  const ofStatus = client.from('email_queue').select(column, { count: 'exact' }).eq('status', status);
  const filtered = or === undefined ? ofStatus : ofStatus.or(or);
  const { data, count: rows } = await answerOf(filtered.order(column).limit(1), signal);
  const [first] = z.array(z.record(z.string(), z.unknown())).catch([]).parse(data);
  return { count: rows ?? 0, atEpochMs: lenient(epochMs).parse(first?.[column]) };
}

/** From the logs, where there is an index to go by; `email_queue` has none on `updated_at`. */
async function readLastCompleted({ client, signal }: Tables): Promise<number | null> {
  const query = client
    .from('email_logs')
    .select('created_at')
    .in('status', ['sent', 'delivered'])
    .order('created_at', { ascending: false })
    .limit(1);
  const { values } = parseEach(CreatedRow, await rowsOf(query, signal));
  return values[0]?.createdAt ?? null;
}

interface RecentRows<T> {
  readonly table: string;
  readonly columns: string;
  readonly sinceEpochMs: number;
  readonly schema: z.ZodType<T>;
}

/** Rows created since, page by page, newest first. */
async function readRecent<T>(
  { client, signal }: Tables,
  { table, columns, sinceEpochMs, schema }: RecentRows<T>,
): Promise<ParsedList<T>> {
  const rows: unknown[] = [];
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = client
      .from(table)
      .select(columns)
      .gte('created_at', new Date(sinceEpochMs).toISOString())
      .order('created_at', { ascending: false })
      .order('id')
      .range(page * PAGE_ROWS, (page + 1) * PAGE_ROWS - 1);
    const next = await rowsOf(query, signal);
    rows.push(...next);
    if (next.length < PAGE_ROWS) break;
  }
  return parseEach(schema, rows);
}

type Log = z.output<typeof LogRow>;

function deliveriesOf(logs: readonly Log[]): readonly ProviderDeliveries[] {
  return [...Map.groupBy(logs, ({ provider }) => provider)]
    .map(([provider, own]) => ({
      provider,
      sent: own.filter(isSent).length,
      failed: own.filter(isFailed).length,
      p95Ms: p95Of(own.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]))),
    }))
    .sort((a, b) => a.provider.localeCompare(b.provider));
}

function throughputOf(
  logs: readonly Log[],
  enqueued: readonly { createdAt: number }[],
  firstBucket: number,
): readonly ThroughputBucket[] {
  const indexOf = ({ createdAt }: { createdAt: number }) => Math.floor((createdAt - firstBucket) / BUCKET_MS);
  const logsByBucket = Map.groupBy(logs, indexOf);
  const enqueuedByBucket = Map.groupBy(enqueued, indexOf);
  return Array.from({ length: BUCKETS }, (_, index) => {
    const own = logsByBucket.get(index) ?? [];
    return {
      atEpochMs: firstBucket + index * BUCKET_MS,
      sent: own.filter(isSent).length,
      failed: own.filter(isFailed).length,
      enqueued: enqueuedByBucket.get(index)?.length ?? 0,
    };
  });
}

function isSent({ status }: Log): boolean {
  return status === 'sent' || status === 'delivered';
}

function isFailed({ status }: Log): boolean {
  return status === 'failed' || status === 'bounced';
}

/** As `percentile_disc(0.95)` has it. */
function p95Of(latencies: readonly number[]): number | null {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? null;
}

const LogRow = z
  .object({ provider: z.string(), status: z.string(), latency_ms: lenient(count), created_at: epochMs })
  .transform((row) => ({
    provider: row.provider,
    status: row.status,
    latencyMs: row.latency_ms,
    createdAt: row.created_at,
  }));

const CreatedRow = z.object({ created_at: epochMs }).transform(({ created_at }) => ({ createdAt: created_at }));

function earliest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
