/** The time-series chart as a panel: real time below, units at the left, gaps as gaps, highest and lowest values kept. */
import { formatClock } from '../../../domain/format.ts';
import { lastValue } from '../../../domain/loaded.ts';
import {
  type ChartBucket,
  downsample,
  type MetricPoint,
  type MetricSeries,
  pointsBetween,
} from '../../../domain/metric.ts';
import type { Series } from '../../../domain/metric-series.ts';
import { HOUR_MS, MINUTE_MS } from '../../../domain/time.ts';
import { type ChartChoice, rangeOf, roundTop } from '../../chart.ts';
import type { Rect } from '../../layout.ts';
import { BLANK, fill, type Line, line, seg } from '../../line.ts';
import type { Panel, Span, Trace } from '../../panel.ts';
import { type PartBody, partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';

export interface ChartFrame {
  readonly id: string;
  readonly rect: Rect;
  readonly series: Series;
}

export function chartPanel(state: State, { id, rect, series }: ChartFrame): Panel {
  const range = rangeOf(state.chart);
  const part = shownPicture(state).metrics;
  const nowEpochMs = shownNow(state);
  const isRead = state.chart.cursorAtEpochMs !== null;
  // The values are what is looked for: the words before them give way.
  const [title = '', ...shortTitles] = [
    ...(isRead ? [] : [`${series.title}, ${range.title}`]),
    series.title,
    ...(isRead ? [] : [range.title]),
    '',
  ];
  const frame = { id, rect, title, shortTitles, part, nowEpochMs };
  return partPanel<MetricSeries>(frame, ({ points }, room) => {
    const reading = readingAt(points, state.chart, nowEpochMs);
    if (reading === null) {
      const text = `No measurement in the last ${range.title}. The health monitor writes one every 5 min.`;
      return { lines: [line(seg(text, 'muted'))] };
    }
    return {
      ...body({ points, series, room, nowEpochMs, chart: state.chart }),
      more: legend(series, reading, state.chart),
    };
  });
}

/** The point under the cursor, else the newest in the range. */
function readingAt(points: readonly MetricPoint[], chart: ChartChoice, nowEpochMs: number): MetricPoint | null {
  const from = nowEpochMs - rangeOf(chart).ms;
  const { cursorAtEpochMs } = chart;
  const under = cursorAtEpochMs === null ? undefined : points.find(({ atEpochMs }) => atEpochMs === cursorAtEpochMs);
  const newest = points.findLast(({ atEpochMs }) => atEpochMs > from);
  return under !== undefined && under.atEpochMs > from ? under : (newest ?? null);
}

function legend(series: Series, point: MetricPoint, { cursorAtEpochMs }: ChartChoice): Line {
  const values = [...series.traces].reverse().flatMap((trace, index) => {
    const value = trace.pick(point);
    const text = `${trace.name} ${value === null ? '–' : series.format(value)}`;
    return [...(index === 0 ? [] : [seg(' ')]), seg(text, trace.role)];
  });
  const isRead = cursorAtEpochMs === point.atEpochMs;
  return [...(isRead ? [seg(`at ${formatClock(point.atEpochMs)}`, 'selected'), seg(' ')] : []), ...values];
}

interface Drawing {
  readonly points: readonly MetricPoint[];
  readonly series: Series;
  readonly room: Rect;
  readonly nowEpochMs: number;
  readonly chart: ChartChoice;
}

function body(drawing: Drawing): PartBody {
  const { points, series, room, nowEpochMs, chart } = drawing;
  const rows = room.height - 1;
  const top = series.top ?? roundTop(highest(points, series, nowEpochMs - rangeOf(chart).ms), series.leastTop);
  const labels = yLabels(series, top, rows);
  const axis = Math.max(3, ...[...labels.values()].map((label) => label.length)) + 1;
  const cells = room.width - axis;
  if (rows < 2 || cells < 10) return { lines: [] };
  // The window moves by whole cells, so that a chart without news stays as it is.
  const cellMs = rangeOf(chart).ms / cells;
  const toEpochMs = Math.ceil(nowEpochMs / cellMs) * cellMs;
  const window = { fromEpochMs: toEpochMs - rangeOf(chart).ms, toEpochMs, buckets: cells * 2 };
  const dots = rows * 4;
  const traces = remembered(points, [series.id, ...Object.values(window), top, dots].join(), () =>
    series.traces.map(({ role, pick, hidesZero }): Trace => {
      const buckets = downsample(points, pick, window);
      const shown = hidesZero === true ? buckets.map((bucket) => (bucket?.max === 0 ? null : bucket)) : buckets;
      return { role, columns: joined(shown.map((bucket) => spanOf(bucket, top, dots))) };
    }),
  );
  const lines = Array.from({ length: rows }, (_, row) => axisLine(labels.get(row), axis));
  return {
    lines: [...lines, timeLine({ ...window, cells, axis })],
    plot: {
      rect: { x: axis, y: 0, width: cells, height: rows },
      traces,
      cursor: chart.cursorAtEpochMs === null ? null : columnOf(chart.cursorAtEpochMs, window),
    },
  };
}

/** Of the series since `fromEpochMs`, to the minute, so that it is looked for once a minute. */
function highest(points: readonly MetricPoint[], series: Series, fromEpochMs: number): number {
  const from = Math.floor(fromEpochMs / MINUTE_MS) * MINUTE_MS;
  return remembered(points, `highest ${series.id} ${from}`, () => {
    let found = 0;
    for (const point of pointsBetween(points, from, Number.POSITIVE_INFINITY))
      for (const { pick } of series.traces) found = Math.max(found, pick(point) ?? 0);
    return found;
  });
}

const worked = new WeakMap<readonly MetricPoint[], Map<string, unknown>>();
const REMEMBERED = 8;

/** What is worked out of points that do not change is worked out once: the screen is drawn every second, points come seldom. */
function remembered<T>(points: readonly MetricPoint[], key: string, make: () => T): T {
  const known = worked.get(points) ?? new Map<string, unknown>();
  worked.set(points, known);
  if (known.has(key)) return known.get(key) as T;
  const made = make();
  for (const oldest of [...known.keys()].slice(0, Math.max(0, known.size + 1 - REMEMBERED))) known.delete(oldest);
  known.set(key, made);
  return made;
}

/** The axis at the left of a row of the plot, `axis` cells wide. */
export function axisLine(label: string | undefined, axis: number): Line {
  const text = (label ?? '').padStart(axis - 1);
  return label === undefined ? line(seg(`${text}│`, 'muted')) : line(seg(text), seg('┤', 'muted'));
}

/** By row from the top: the top value, zero at the bottom, and as many between as have room and are whole. */
export function yLabels(series: Pick<Series, 'format'>, top: number, rows: number): Map<number, string> {
  const wanted = rows >= 17 ? [8, 4, 5, 2, 1] : rows >= 9 ? [4, 5, 2, 1] : [2, 1];
  const steps = wanted.find((each) => each < rows && Number.isInteger(top / each)) ?? 1;
  const label = (index: number) => series.format((top * index) / steps);
  return new Map(
    Array.from({ length: steps + 1 }, (_, index) => [Math.round(((steps - index) * (rows - 1)) / steps), label(index)]),
  );
}

function spanOf(bucket: ChartBucket | null, top: number, dots: number): Span | null {
  if (bucket === null) return null;
  const dot = (value: number) => Math.max(0, Math.min(dots - 1, Math.round((value / top) * (dots - 1))));
  return { low: dot(bucket.min), high: dot(bucket.max) };
}

/** Neighbours are joined by stretching the later one towards the earlier: a line without holes. */
export function joined(columns: readonly (Span | null)[]): readonly (Span | null)[] {
  return columns.map((span, index) => {
    const before = columns[index - 1] ?? null;
    if (span === null || before === null) return span;
    if (span.low > before.high + 1) return { ...span, low: before.high + 1 };
    return span.high < before.low - 1 ? { ...span, high: before.low - 1 } : span;
  });
}

function columnOf(
  atEpochMs: number,
  window: { fromEpochMs: number; toEpochMs: number; buckets: number },
): number | null {
  const share = (atEpochMs - window.fromEpochMs) / (window.toEpochMs - window.fromEpochMs);
  const column = Math.floor(share * window.buckets);
  return column >= 0 && column < window.buckets ? column : null;
}

const TIME_STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * MINUTE_MS);
const LABEL_ROOM = 10;

/** Round times below their columns. */
export function timeLine(scale: { fromEpochMs: number; toEpochMs: number; cells: number; axis: number }): Line {
  const { fromEpochMs, toEpochMs, cells, axis } = scale;
  const cellMs = (toEpochMs - fromEpochMs) / cells;
  const stepMs = TIME_STEPS_MS.find((each) => each / cellMs >= LABEL_ROOM) ?? 12 * HOUR_MS;
  let text = '';
  for (let at = Math.ceil(fromEpochMs / stepMs) * stepMs; at < toEpochMs; at += stepMs) {
    // The label's colon stands below its column.
    const begin = Math.floor((at - fromEpochMs) / cellMs) - 2;
    if (begin < text.length || begin + 5 > cells) continue;
    text = text.padEnd(begin) + formatClock(at);
  }
  return fill(
    [...fill(line(seg('UTC', 'muted')), axis), ...(text === '' ? BLANK : line(seg(text, 'muted')))],
    axis + cells,
  );
}

/** The highest and lowest of what the queue held lately, for the sparkline of the queue panel. */
export function depthHistory(
  metrics: State['picture']['metrics'],
  cells: number,
  nowEpochMs: number,
): readonly (number | null)[] {
  const points = metrics === null ? [] : (lastValue(metrics)?.points ?? []);
  // By whole cells, as the chart does.
  const cellMs = (2 * HOUR_MS) / Math.max(1, cells);
  const toEpochMs = Math.ceil(nowEpochMs / cellMs) * cellMs;
  const window = { fromEpochMs: toEpochMs - 2 * HOUR_MS, toEpochMs, buckets: cells };
  return remembered(points, `depth ${toEpochMs} ${cells}`, () =>
    downsample(points, (point) => point.queueDepth, window).map((bucket) => bucket?.max ?? null),
  );
}
