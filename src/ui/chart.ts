/** The time-series chart's choices as tables, series and ranges, and what its cursor reads. Pure. */
import type { MetricPoint } from '../domain/metric.ts';
import { SERIES, type Series } from '../domain/metric-series.ts';
import { HOUR_MS, MINUTE_MS } from '../domain/time.ts';

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
