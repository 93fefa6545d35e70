/** Will the queue clear, when, and which quota runs out first? Forecasts from what was sent and enqueued lately. */
import type { Provider } from './email.ts';
import type { QueueOverview, ThroughputBucket } from './queue.ts';
import { type ProviderQuota, remaining, remainingToday } from './quota.ts';
import { expectedScheduleOf } from './schedule.ts';
import { MINUTE_MS, nextUtcMidnightEpochMs } from './time.ts';

export type DrainForecast =
  | { readonly kind: 'empty' }
  /** Nothing is due before this; nobody has to do anything. */
  | { readonly kind: 'waiting'; readonly untilEpochMs: number }
  | { readonly kind: 'clearing'; readonly etaMinutes: number }
  /** Every run takes what came since the one before. */
  | { readonly kind: 'steady' }
  /** Emails have been due for a while and none leaves. */
  | { readonly kind: 'stalled' }
  /** More comes in than goes out. */
  | { readonly kind: 'growing'; readonly perMinute: number }
  /** `left` emails stay when every quota is used up; sending goes on at `endsAtEpochMs`. */
  | { readonly kind: 'quota-limited'; readonly endsAtEpochMs: number; readonly left: number };

export interface QuotaForecast {
  readonly provider: Provider;
  readonly perHour: number;
  /** When its day or its month is used up at this rate; null when it lasts until the day ends, or nothing is sent. */
  readonly runsOutAtEpochMs: number | null;
}

/** Long enough to even out runs every two minutes, short enough to be now. */
export const RATE_WINDOW_MS = 30 * MINUTE_MS;

const LATELY_MS = 10 * MINUTE_MS;
const BUCKET_MS = 5 * MINUTE_MS;

export function drainForecast(overview: QueueOverview, nowEpochMs: number): DrainForecast {
  const waiting = overview.counts.queued + overview.counts.processing;
  if (waiting === 0) return { kind: 'empty' };
  if (overview.ready === 0 && overview.counts.processing === 0 && overview.nextRetryAtEpochMs !== null) {
    return { kind: 'waiting', untilEpochMs: Math.max(nowEpochMs, overview.nextRetryAtEpochMs) };
  }
  const quotaLeft = overview.quotas.reduce((sum, quota) => sum + remainingToday(quota), 0);
  const quotaLimited = {
    kind: 'quota-limited',
    endsAtEpochMs: quotaReturnsAtEpochMs(overview.quotas, nowEpochMs),
    left: waiting - quotaLeft,
  } as const;
  const isQuotaKnown = overview.quotas.length > 0;
  if (isQuotaKnown && quotaLeft === 0) return quotaLimited;
  const { sentPerMinute, enqueuedPerMinute } = ratesOf(overview, nowEpochMs);
  const expectedPerMinute = Math.min(enqueuedPerMinute, lastingEnqueuedPerMinute(overview, nowEpochMs));
  const isBehind = waitsLong(overview, nowEpochMs);
  if (sentPerMinute === 0) return { kind: isBehind ? 'stalled' : 'steady' };
  if (isQuotaKnown && quotaLeft < waiting) return quotaLimited;
  const netPerMinute = sentPerMinute - expectedPerMinute;
  if (netPerMinute <= 0) {
    const perMinute = enqueuedPerMinute - sentPerMinute;
    return isBehind && perMinute >= 1 ? { kind: 'growing', perMinute } : { kind: 'steady' };
  }
  return { kind: 'clearing', etaMinutes: waiting / netPerMinute };
}

/** Between two runs a queue always grows; only what outlasts a second run is behind. */
function waitsLong({ oldestReadyAtEpochMs }: QueueOverview, nowEpochMs: number): boolean {
  return (
    oldestReadyAtEpochMs !== null &&
    nowEpochMs - oldestReadyAtEpochMs >= 2 * expectedScheduleOf('queue-processor').intervalMs
  );
}

/** One forecast per known quota. A provider's rate is its share of the last 24 h in what is sent now. */
export function quotaForecast(overview: QueueOverview, nowEpochMs: number): readonly QuotaForecast[] {
  const total = overview.deliveries24h.reduce((sum, { sent }) => sum + sent, 0);
  // A day's quota outlives single runs: the longer window.
  const sentPerMinute = sentPerMinuteSince(overview, nowEpochMs, RATE_WINDOW_MS);
  return overview.quotas.map((quota) => {
    const sent = overview.deliveries24h.find(({ provider }) => provider === quota.provider)?.sent ?? 0;
    const perMinute = total === 0 ? 0 : (sentPerMinute * sent) / total;
    return {
      provider: quota.provider,
      perHour: perMinute * 60,
      runsOutAtEpochMs: runsOutAtEpochMs(quota, perMinute, nowEpochMs),
    };
  });
}

/** When a used-up quota is there again: the next UTC midnight, or the next month where every provider's month is used up. */
export function quotaReturnsAtEpochMs(quotas: readonly ProviderQuota[], nowEpochMs: number): number {
  const isMonthGone = quotas.length > 0 && quotas.every((quota) => remaining(quota.month) === 0);
  if (!isMonthGone) return nextUtcMidnightEpochMs(nowEpochMs);
  const now = new Date(nowEpochMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
}

/**
 * What leaves and what comes, per minute, in the last ten minutes, so that a run that has just begun counts at once, or in
 * the last half hour where nothing left in them. Both over the same time: their difference is what the depth does.
 */
export function ratesOf(
  overview: QueueOverview,
  nowEpochMs: number,
): { readonly sentPerMinute: number; readonly enqueuedPerMinute: number } {
  const lately = sentPerMinuteSince(overview, nowEpochMs, LATELY_MS);
  const windowMs = lately > 0 ? LATELY_MS : RATE_WINDOW_MS;
  return {
    sentPerMinute: sentPerMinuteSince(overview, nowEpochMs, windowMs),
    enqueuedPerMinute: perMinuteSince(overview, nowEpochMs, windowMs, ({ enqueued }) => enqueued),
  };
}

/** Smaller differences are none. */
const STILL_PER_MINUTE = 0.05;

/** Where the depth goes at these rates. */
export function trendOf({
  sentPerMinute,
  enqueuedPerMinute,
}: ReturnType<typeof ratesOf>): 'rising' | 'falling' | 'still' {
  const netPerMinute = enqueuedPerMinute - sentPerMinute;
  if (Math.abs(netPerMinute) < STILL_PER_MINUTE) return 'still';
  return netPerMinute > 0 ? 'rising' : 'falling';
}

function sentPerMinuteSince(overview: QueueOverview, nowEpochMs: number, windowMs: number): number {
  return perMinuteSince(overview, nowEpochMs, windowMs, ({ sent }) => sent);
}

function perMinuteSince(
  overview: QueueOverview,
  nowEpochMs: number,
  windowMs: number,
  pick: (bucket: ThroughputBucket) => number,
): number {
  const recent = bucketsSince(overview, nowEpochMs, windowMs);
  const begin = recent[0]?.atEpochMs;
  if (begin === undefined) return 0;
  return recent.reduce((total, bucket) => total + pick(bucket), 0) / minutesFrom(begin, nowEpochMs);
}

/** A window that has just begun would turn one email into a flood. */
function minutesFrom(beginEpochMs: number, nowEpochMs: number): number {
  return Math.max(1, (nowEpochMs - beginEpochMs) / MINUTE_MS);
}

/**
 * What will go on coming, per minute: the median of the last half hour's buckets, for a newsletter enqueued in one go is a
 * burst to be worked off, not a queue that grows. Where the two newest buckets agree on more, it lasts already.
 */
function lastingEnqueuedPerMinute(overview: QueueOverview, nowEpochMs: number): number {
  const recent = bucketsSince(overview, nowEpochMs, RATE_WINDOW_MS);
  const whole = recent.filter(({ atEpochMs }) => atEpochMs + BUCKET_MS <= nowEpochMs);
  const counts = whole.map(({ enqueued }) => enqueued).sort((a, b) => a - b);
  const [low, high] = [counts[Math.floor((counts.length - 1) / 2)], counts[Math.floor(counts.length / 2)]];
  const median = ((low ?? 0) + (high ?? 0)) / 2 / (BUCKET_MS / MINUTE_MS);
  // A bucket of a few seconds says nothing yet.
  const told = recent.filter(({ atEpochMs }) => atEpochMs + MINUTE_MS <= nowEpochMs).slice(-2);
  const newest = told.map(({ atEpochMs, enqueued }) => {
    return enqueued / minutesFrom(atEpochMs, Math.min(nowEpochMs, atEpochMs + BUCKET_MS));
  });
  return Math.max(median, newest.length < 2 ? 0 : Math.min(...newest));
}

function bucketsSince(overview: QueueOverview, nowEpochMs: number, windowMs: number): readonly ThroughputBucket[] {
  return overview.throughput.filter(({ atEpochMs }) => atEpochMs > nowEpochMs - windowMs && atEpochMs <= nowEpochMs);
}

function runsOutAtEpochMs(quota: ProviderQuota, perMinute: number, nowEpochMs: number): number | null {
  const left = remainingToday(quota);
  if (left === 0) return nowEpochMs;
  if (perMinute <= 0) return null;
  const atEpochMs = nowEpochMs + (left / perMinute) * MINUTE_MS;
  return atEpochMs < nextUtcMidnightEpochMs(nowEpochMs) ? atEpochMs : null;
}
