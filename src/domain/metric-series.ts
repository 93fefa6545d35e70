/** What the time series is drawn as, on the screen and in reports: one row a chart. Pure. */
import { formatCount, formatLatency, formatPercent } from './format.ts';
import type { MetricPoint } from './metric.ts';

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
  readonly role: 'first' | 'second' | 'muted' | 'critical';
  pick(point: MetricPoint): number | null;
  /** Zero is what is wished for: then there is nothing to draw. */
  readonly hidesZero?: boolean;
}

/** What is looked for first comes first. */
export const SERIES: readonly Series[] = [
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
      { name: 'all', role: 'muted', pick: (point) => point.totalProviders },
      { name: 'healthy', role: 'first', pick: (point) => point.healthyProviders },
    ],
  },
];
