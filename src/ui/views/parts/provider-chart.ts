/** One provider over time as a chart: its sends and failures as bars, or the 95th percentile of its latency as a line. Pure. */
import { formatAge, formatCount, formatLatency } from '../../../domain/format.ts';
import type { Loaded } from '../../../domain/loaded.ts';
import { bucketsOf, type ProviderBucket, type ProviderHistory } from '../../../domain/provider-history.ts';
import { rangeOf, roundTop } from '../../chart.ts';
import type { Rect } from '../../layout.ts';
import { type Line, line, type Role, seg } from '../../line.ts';
import type { Panel, Span } from '../../panel.ts';
import { type PartBody, partPanel } from '../../part.ts';
import { type State, shownNow } from '../../state.ts';
import { axisLine, joined, timeLine, yLabels } from './chart.ts';

export interface ProviderChart {
  readonly rect: Rect;
  readonly provider: string;
  readonly what: 'deliveries' | 'latency';
  readonly history: Loaded<ProviderHistory> | null;
}

export function providerChart(state: State, { rect, provider, what, history }: ProviderChart): Panel {
  const range = rangeOf(state.chart);
  const title = what === 'deliveries' ? `${provider}, ${range.title}` : `${provider}, p95 latency, ${range.title}`;
  const nowEpochMs = shownNow(state);
  const waits = state.connection.kind === 'open' ? 'reading…' : 'connecting…';
  const frame = { id: `provider-${what}-${provider}`, rect, title, part: history, waits, nowEpochMs };
  return partPanel<ProviderHistory>(frame, (known, room) => {
    const buckets = bucketsOf(known, provider);
    const attempts = buckets.reduce((sum, { sent, failed }) => sum + sent + failed, 0);
    if (attempts === 0)
      return { lines: [line(seg(`Nothing was sent through it in the last ${range.title}.`, 'muted'))] };
    const window = { rangeMs: range.ms, nowEpochMs, bucketMs: known.bucketMs };
    return what === 'deliveries' ? deliveries(buckets, room, window) : latency(buckets, room, window);
  });
}

interface Window {
  readonly rangeMs: number;
  readonly nowEpochMs: number;
  readonly bucketMs: number;
}

const LEAST_TOP = 5;
const LEAST_LATENCY_MS = 100;

/** What failed stands on the ground, in its own colour, and what was sent on top of it. */
function deliveries(buckets: readonly ProviderBucket[], room: Rect, window: Window): PartBody {
  const all = ({ sent, failed }: ProviderBucket) => sent + failed;
  const top = roundTop(Math.max(...buckets.map(all)), LEAST_TOP);
  const failures = buckets.reduce((sum, { failed }) => sum + failed, 0);
  const sent = buckets.reduce((sum, bucket) => sum + bucket.sent, 0);
  const bar = (value: number, dot: (value: number) => number): Span | null =>
    value === 0 ? null : { low: 0, high: dot(value) };
  const body = plotted(room, window, {
    top,
    format: formatCount,
    traces: (spanAt, dot) => [
      { role: 'first', columns: spanAt(buckets, (bucket) => bar(all(bucket), dot)) },
      { role: 'critical', columns: spanAt(buckets, (bucket) => bar(bucket.failed, dot)) },
    ],
  });
  const more = [
    seg(`${formatCount(sent)} sent`, 'first'),
    seg(' '),
    seg(`${formatCount(failures)} failed`, failures === 0 ? 'muted' : 'critical'),
    seg(`, by ${formatAge(window.bucketMs)}`, 'muted'),
  ];
  return { ...body, more };
}

function latency(buckets: readonly ProviderBucket[], room: Rect, window: Window): PartBody {
  const known = buckets.flatMap(({ p95Ms }) => (p95Ms === null ? [] : [p95Ms]));
  if (known.length === 0) return { lines: [line(seg('No latency is recorded.', 'muted'))] };
  const worst = Math.max(...known);
  const body = plotted(room, window, {
    top: roundTop(worst, LEAST_LATENCY_MS),
    format: formatLatency,
    traces: (spanAt, dot) => {
      const points = spanAt(buckets, ({ p95Ms }) => (p95Ms === null ? null : { low: dot(p95Ms), high: dot(p95Ms) }));
      return [{ role: 'second', columns: joined(points) }];
    },
  });
  const last = known.at(-1) ?? 0;
  return { ...body, more: line(seg(`${formatLatency(last)}, worst ${formatLatency(worst)}`, 'second')) };
}

type SpanAt = (
  buckets: readonly ProviderBucket[],
  span: (bucket: ProviderBucket) => Span | null,
) => readonly (Span | null)[];

interface Drawing {
  readonly top: number;
  format(value: number): string;
  traces(
    spanAt: SpanAt,
    dot: (value: number) => number,
  ): readonly { readonly role: Role; readonly columns: readonly (Span | null)[] }[];
}

function plotted(room: Rect, { rangeMs, nowEpochMs, bucketMs }: Window, drawing: Drawing): PartBody {
  const rows = room.height - 1;
  const labels = yLabels(drawing, drawing.top, rows);
  const axis = Math.max(3, ...[...labels.values()].map((label) => label.length)) + 1;
  const cells = room.width - axis;
  if (rows < 2 || cells < 10) return { lines: [] };
  // The window moves by whole cells, so that a chart without news stays as it is.
  const cellMs = rangeMs / cells;
  const toEpochMs = Math.ceil(nowEpochMs / cellMs) * cellMs;
  const fromEpochMs = toEpochMs - rangeMs;
  const dots = rows * 4;
  const dot = (value: number) => Math.max(0, Math.min(dots - 1, Math.round((value / drawing.top) * (dots - 1))));
  const spanAt: SpanAt = (buckets, span) => {
    const first = buckets[0]?.atEpochMs ?? fromEpochMs;
    return Array.from({ length: cells * 2 }, (_, column) => {
      const at = fromEpochMs + ((column + 0.5) * cellMs) / 2;
      const bucket = buckets[Math.floor((at - first) / bucketMs)];
      return bucket === undefined || at > nowEpochMs ? null : span(bucket);
    });
  };
  const lines: Line[] = Array.from({ length: rows }, (_, row) => axisLine(labels.get(row), axis));
  return {
    lines: [...lines, timeLine({ fromEpochMs, toEpochMs, cells, axis })],
    plot: {
      rect: { x: axis, y: 0, width: cells, height: rows },
      traces: drawing.traces(spanAt, dot),
      cursor: null,
    },
  };
}
