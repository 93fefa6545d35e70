/** The time-series chart's choices as tables, series and ranges, and what its cursor reads. Pure. */
import { formatCount, formatLatency, formatPercent } from '../domain/format.ts';
import type { MetricPoint } from '../domain/metric.ts';
import { HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import type { Role } from './line.ts';

export interface Series {
  readonly id: string;
  readonly title: string;
  readonly traces: readonly ChartTrace[];
  /** With its unit. */
  format(value: number): string;
  /** The top of the axis where it does not follow the values. */
  readonly top?: number;
  /** The axis never ends below this, so that noise does not look like a mountain. */
  readonly leastTop: number;
}

export interface ChartTrace {
  readonly name: string;
  readonly role: Role;
  pick(point: MetricPoint): number | null;
  /** Zero is what is wished for: then there is nothing to draw. */
  readonly hidesZero?: boolean;
}

export const SERIES: readonly Series[] = [
  {
    id: 'quota',
    title: 'Quota used',
    format: formatPercent,
    top: 100,
    leastTop: 100,
    traces: [
      { name: 'month', role: 'second', pick: (point) => point.monthlyQuotaUsedPercent },
      { name: 'day', role: 'first', pick: (point) => point.dailyQuotaUsedPercent },
    ],
  },
  {
    id: 'queue',
    title: 'Queue depth',
    format: formatCount,
    leastTop: 10,
    traces: [{ name: 'waiting', role: 'first', pick: (point) => point.queueDepth }],
  },
  {
    id: 'sent',
    title: 'Sent/failed',
    format: formatCount,
    leastTop: 10,
    traces: [
      { name: 'sent', role: 'first', pick: (point) => point.sent },
      { name: 'failed', role: 'critical', pick: (point) => point.failed, hidesZero: true },
    ],
  },
  {
    id: 'latency',
    title: 'p95 latency',
    format: formatLatency,
    leastTop: 100,
    traces: [{ name: 'p95', role: 'first', pick: (point) => point.p95Ms }],
  },
  {
    id: 'providers',
    title: 'Healthy providers',
    format: formatCount,
    leastTop: 4,
    traces: [
      { name: 'of', role: 'muted', pick: (point) => point.totalProviders },
      { name: 'healthy', role: 'first', pick: (point) => point.healthyProviders },
    ],
  },
];

export const RANGES = [
  { id: '15m', title: '15 min', ms: 15 * MINUTE_MS },
  { id: '1h', title: '1 h', ms: HOUR_MS },
  { id: '6h', title: '6 h', ms: 6 * HOUR_MS },
  { id: '24h', title: '24 h', ms: 24 * HOUR_MS },
] as const;

export interface ChartChoice {
  readonly series: number;
  readonly range: number;
  /** The instant of the point that the cursor is on. */
  readonly cursorAtEpochMs: number | null;
  readonly isZoomed: boolean;
}

export const FIRST_CHART: ChartChoice = { series: 0, range: 2, cursorAtEpochMs: null, isZoomed: false };

export function seriesOf(chart: ChartChoice): Series {
  return SERIES[chart.series % SERIES.length] ?? (SERIES[0] as Series);
}

export function rangeOf(chart: ChartChoice): (typeof RANGES)[number] {
  return RANGES[chart.range] ?? RANGES[2];
}

/** The cursor one point further back (-1) or on (+1) among the points that are shown; past the newest it goes away. */
export function movedCursor(
  chart: ChartChoice,
  points: readonly MetricPoint[],
  step: -1 | 1,
  nowEpochMs: number,
): ChartChoice {
  const shown = points.filter(({ atEpochMs }) => atEpochMs > nowEpochMs - rangeOf(chart).ms && atEpochMs <= nowEpochMs);
  if (shown.length === 0) return { ...chart, cursorAtEpochMs: null };
  const { cursorAtEpochMs: at } = chart;
  if (at === null) return { ...chart, cursorAtEpochMs: step < 0 ? (shown.at(-1)?.atEpochMs ?? null) : null };
  const target =
    step < 0 ? shown.findLast((point) => point.atEpochMs < at) : shown.find((point) => point.atEpochMs > at);
  if (target === undefined) return step > 0 ? { ...chart, cursorAtEpochMs: null } : chart;
  return { ...chart, cursorAtEpochMs: target.atEpochMs };
}

/** The next round number at or above `value`: 1, 2 or 5 and zeros. */
export function roundTop(value: number, least: number): number {
  const wanted = Math.max(value, least);
  if (!Number.isFinite(wanted) || wanted <= 0) return Math.max(1, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = [1, 2, 4, 5, 8, 10].find((each) => each * power >= wanted - 1e-9) ?? 10;
  return factor * power;
}
