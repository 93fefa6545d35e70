/** Points of `email:metrics:timeseries`: how they are kept for a day and thinned for a chart. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from './time.ts';

/** One point. Fields that legacy monitors do not write are null, never zero. */
export interface MetricPoint {
  readonly atEpochMs: number;
  readonly healthyProviders: number;
  readonly totalProviders: number;
  /** 0–100. */
  readonly dailyQuotaUsedPercent: number;
  /** 0–100. */
  readonly monthlyQuotaUsedPercent: number;
  readonly bestProvider: string | null;
  readonly queueDepth: number | null;
  readonly oldestQueuedSeconds: number | null;
  readonly sent: number | null;
  readonly failed: number | null;
  readonly p95Ms: number | null;
}

/** Points in ascending order of time, at most 24 h, with the count of entries that could not be read. */
export interface MetricSeries {
  readonly points: readonly MetricPoint[];
  readonly skipped: number;
}

export const METRIC_WINDOW_MS = DAY_MS;

/** How far ahead of our clock a point may lie before it is taken for nonsense. Clocks differ, but not by an hour. */
export const METRIC_AHEAD_MS = HOUR_MS;

/**
 * The points of the last 24 h, ascending, one per instant; where both have one, the newer reading wins. Answers `known`
 * itself when nothing changes, so that what depends on it need not be drawn again. `known` is what an earlier call answered:
 * however long it is, points that only go on after its end cost no more than their own number and a copy.
 */
export function mergePoints(
  known: readonly MetricPoint[],
  newer: readonly MetricPoint[],
  nowEpochMs: number,
): readonly MetricPoint[] {
  const from = nowEpochMs - METRIC_WINDOW_MS;
  const until = nowEpochMs + METRIC_AHEAD_MS;
  const kept = pointsBetween(known, from, until);
  const fresh = newer.filter(({ atEpochMs }) => atEpochMs > from && atEpochMs <= until);
  if (fresh.length === 0) return kept;
  const lastAtEpochMs = kept.at(-1)?.atEpochMs ?? Number.NEGATIVE_INFINITY;
  const isAfter = fresh.every(({ atEpochMs }, index) => atEpochMs > (fresh[index - 1]?.atEpochMs ?? lastAtEpochMs));
  if (isAfter) return kept.concat(fresh);
  const byTime = new Map([...kept, ...fresh].map((point) => [point.atEpochMs, point]));
  return [...byTime.values()].sort((a, b) => a.atEpochMs - b.atEpochMs);
}

/** Those after `fromEpochMs` until `toEpochMs` of points in ascending order; `points` itself where that is all of them. */
export function pointsBetween(
  points: readonly MetricPoint[],
  fromEpochMs: number,
  toEpochMs: number,
): readonly MetricPoint[] {
  const first = indexAfter(points, fromEpochMs);
  const end = indexAfter(points, toEpochMs);
  return first === 0 && end === points.length ? points : points.slice(first, end);
}

/** Of the first point that is later, by halving. */
function indexAfter(points: readonly MetricPoint[], atEpochMs: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.atEpochMs ?? 0) <= atEpochMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface ChartWindow {
  readonly fromEpochMs: number;
  readonly toEpochMs: number;
  /** Columns of the chart. */
  readonly buckets: number;
  /** Points at most so far apart belong together; columns between them are interpolated. Default: three monitor intervals. */
  readonly bridgeMs?: number;
}

/** What one column shows: from the lowest to the highest value in it, so that no spike is lost. */
export interface ChartBucket {
  readonly min: number;
  readonly max: number;
  readonly last: number;
}

/**
 * Thins `points` (ascending) to one bucket per column. A gap in the data, or a point without the value, stays a gap: null.
 * Total: an empty or reversed window answers nothing but nulls.
 */
export function downsample(
  points: readonly MetricPoint[],
  pick: (point: MetricPoint) => number | null,
  window: ChartWindow,
): readonly (ChartBucket | null)[] {
  const count = Math.max(0, Math.floor(window.buckets) || 0);
  const buckets: (ChartBucket | null)[] = new Array(count).fill(null);
  const bucketMs = (window.toEpochMs - window.fromEpochMs) / count;
  if (!(bucketMs > 0)) return buckets;
  const bridgeMs = window.bridgeMs ?? 15 * MINUTE_MS;
  let previous: { index: number; atEpochMs: number; value: number } | null = null;
  // From a moment before the window begins, so that the point on its edge is in.
  for (const point of pointsBetween(points, window.fromEpochMs - 1, window.toEpochMs)) {
    const value = pick(point);
    const index = Math.floor((point.atEpochMs - window.fromEpochMs) / bucketMs);
    if (index < 0 || index >= count) continue;
    if (value === null || !Number.isFinite(value)) {
      previous = null;
      continue;
    }
    if (previous !== null && point.atEpochMs - previous.atEpochMs <= bridgeMs)
      bridge(buckets, previous, { index, value });
    buckets[index] = widened(buckets[index] ?? null, value);
    previous = { index, atEpochMs: point.atEpochMs, value };
  }
  return buckets;
}

function widened(bucket: ChartBucket | null, value: number): ChartBucket {
  if (bucket === null) return { min: value, max: value, last: value };
  return { min: Math.min(bucket.min, value), max: Math.max(bucket.max, value), last: value };
}

/** Fills the empty columns between two neighbouring points by a straight line. */
function bridge(
  buckets: (ChartBucket | null)[],
  from: { index: number; value: number },
  to: { index: number; value: number },
): void {
  for (let index = from.index + 1; index < to.index; index += 1) {
    const share = (index - from.index) / (to.index - from.index);
    const value = from.value + (to.value - from.value) * share;
    buckets[index] = { min: value, max: value, last: value };
  }
}
