/** Deliveries of each provider over time, in buckets; how they are made from rows, and filled for a chart. Pure. */
import { MINUTE_MS } from './time.ts';

/** What a provider did in the time that begins at `atEpochMs`. */
export interface ProviderBucket {
  readonly provider: string;
  readonly atEpochMs: number;
  readonly sent: number;
  readonly failed: number;
  /** Of sent and failed alike; null where no latency is known. */
  readonly p95Ms: number | null;
}

export interface ProviderHistory {
  readonly sinceEpochMs: number;
  /** The database's time when it answered. */
  readonly untilEpochMs: number;
  readonly bucketMs: number;
  /** Ascending; empty buckets are left out. */
  readonly buckets: readonly ProviderBucket[];
  readonly skipped: number;
}

/** A delivery, as a history is made of them. */
export interface DeliveryPoint {
  readonly provider: string;
  readonly atEpochMs: number;
  readonly outcome: 'sent' | 'failed' | 'pending';
  readonly latencyMs: number | null;
}

/** How long a bucket is for a range, so that a chart has neither too few nor too many. */
export function bucketMsFor(rangeMs: number): number {
  const found = BUCKETS.find(({ upToMs }) => rangeMs <= upToMs);
  return (found ?? LONGEST).bucketMs;
}

const LONGEST = { upToMs: 24 * 60 * MINUTE_MS, bucketMs: 15 * MINUTE_MS };
const BUCKETS = [
  { upToMs: 60 * MINUTE_MS, bucketMs: MINUTE_MS },
  { upToMs: 6 * 60 * MINUTE_MS, bucketMs: 5 * MINUTE_MS },
  LONGEST,
];

/** One provider's buckets without gaps: a bucket in which nothing happened has zeros, and no latency. */
export function bucketsOf(history: ProviderHistory, provider: string): readonly ProviderBucket[] {
  const { sinceEpochMs, untilEpochMs, bucketMs } = history;
  const own = new Map(
    history.buckets.filter((each) => each.provider === provider).map((bucket) => [bucket.atEpochMs, bucket]),
  );
  const count = Math.min(MOST_BUCKETS, Math.max(0, Math.floor((untilEpochMs - sinceEpochMs) / bucketMs) + 1));
  return Array.from({ length: count }, (_, index) => {
    const atEpochMs = sinceEpochMs + index * bucketMs;
    return own.get(atEpochMs) ?? { provider, atEpochMs, sent: 0, failed: 0, p95Ms: null };
  });
}

/** No more than the database answers; a nonsensical span must not fill the memory. */
const MOST_BUCKETS = 400;

/** What `email_provider_history` answers, made from rows where the database lacks it. */
export function bucketsFrom(points: readonly DeliveryPoint[], bucketMs: number): readonly ProviderBucket[] {
  const groups = Map.groupBy(points, ({ provider, atEpochMs }) => `${bucketStart(atEpochMs, bucketMs)} ${provider}`);
  return [...groups.values()]
    .flatMap((own) => {
      const [first] = own;
      if (first === undefined) return [];
      const of = (outcome: DeliveryPoint['outcome']) => own.filter((point) => point.outcome === outcome).length;
      return [
        {
          provider: first.provider,
          atEpochMs: bucketStart(first.atEpochMs, bucketMs),
          sent: of('sent'),
          failed: of('failed'),
          p95Ms: p95Of(own.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]))),
        },
      ];
    })
    .sort((a, b) => a.atEpochMs - b.atEpochMs || a.provider.localeCompare(b.provider));
}

/** Buckets begin where the database has them begin: its origin is a midnight, and our buckets divide a day. */
export function bucketStart(atEpochMs: number, bucketMs: number): number {
  return Math.floor(atEpochMs / bucketMs) * bucketMs;
}

/** As `percentile_disc(0.95)` has it. */
function p95Of(latencies: readonly number[]): number | null {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * 0.95) - 1)] ?? null;
}
