/** What `/metrics` tells Prometheus: the snapshot as gauges, and the runs of this process. Names end in their unit. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { lastValue } from '../domain/loaded.ts';
import type { QuotaUse } from '../domain/quota.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { EXIT_CODE_BY_LEVEL, verdictOf } from '../domain/verdict.ts';
import type { RunResult } from './worker.ts';

export interface Metrics {
  /** Counts one run of a worker in this process. */
  countRun(worker: string, result: RunResult): void;
  /** The text that Prometheus reads. */
  render(snapshot: Snapshot): Promise<string>;
  readonly contentType: string;
}

/** What a gauge shows of a snapshot: one sample per set of labels; none where the part is not known. */
interface SnapshotGauge {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  samples(snapshot: Snapshot): readonly { readonly labels?: Record<string, string>; readonly value: number | null }[];
}

export function createPrometheus(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'email_ops_' });
  const gauges = SNAPSHOT_GAUGES.map((described) => {
    const { name, help, labels = [] } = described;
    return { described, gauge: new Gauge({ name, help, labelNames: [...labels], registers: [registry] }) };
  });
  const runs = new Counter({
    name: 'email_worker_runs_total',
    help: 'Runs of workers in this process.',
    labelNames: ['worker', 'outcome'],
    registers: [registry],
  });
  const emails = new Counter({
    name: 'email_worker_emails_total',
    help: 'Emails that the queue processor of this process finished.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const durations = new Histogram({
    name: 'email_worker_run_duration_seconds',
    help: 'Duration of runs of workers in this process.',
    labelNames: ['worker'],
    buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 240, 300],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    countRun: (worker, { outcome, successful, failed, durationMs }) => {
      runs.inc({ worker, outcome });
      durations.observe({ worker }, durationMs / 1_000);
      if (worker !== 'queue-processor') return;
      emails.inc({ outcome: 'sent' }, successful);
      emails.inc({ outcome: 'failed' }, failed);
    },
    render: (snapshot) => {
      for (const { described, gauge } of gauges) {
        gauge.reset();
        for (const { labels, value } of described.samples(snapshot)) {
          if (value !== null) gauge.set(labels ?? {}, value);
        }
        // prom-client shows 0 for a gauge without labels that was never set; unknown must not look like none.
        if (described.labels === undefined && described.samples(snapshot).every(({ value }) => value === null)) {
          gauge.set(Number.NaN);
        }
      }
      return registry.metrics();
    },
  };
}

const PARTS = ['lock', 'health', 'alerts', 'metrics', 'stats', 'runs', 'queue', 'schedules'] as const;

const SNAPSHOT_GAUGES: readonly SnapshotGauge[] = [
  {
    name: 'email_verdict_level',
    help: '0 ok, 1 warning, 2 critical, 3 unreachable.',
    samples: (snapshot) => [{ value: EXIT_CODE_BY_LEVEL[verdictOf(snapshot).level] }],
  },
  {
    name: 'email_source_up',
    help: '1 when this part of the picture is fresh, 0 when it is stale or could not be read.',
    labels: ['part'],
    samples: (snapshot) =>
      PARTS.filter((part) => !isNotConfigured(snapshot[part])).map((part) => ({
        labels: { part },
        value: snapshot[part].state === 'ok' ? 1 : 0,
      })),
  },
  {
    name: 'email_queue_emails',
    help: 'Rows of the queue by status.',
    labels: ['status'],
    samples: (snapshot) => {
      const counts = lastValue(snapshot.queue)?.counts;
      return Object.entries(counts ?? {}).map(([status, value]) => ({ labels: { status }, value }));
    },
  },
  single('email_queue_ready_emails', 'Emails that are due now.', (snapshot) => lastValue(snapshot.queue)?.ready),
  single('email_queue_oldest_ready_age_seconds', 'Age of the oldest email that is due.', (snapshot) => {
    const queue = lastValue(snapshot.queue);
    if (queue === undefined) return undefined;
    const { oldestReadyAtEpochMs } = queue;
    return oldestReadyAtEpochMs === null ? 0 : Math.max(0, snapshot.takenAtEpochMs - oldestReadyAtEpochMs) / 1_000;
  }),
  single('email_queue_expired_leases', 'Emails whose worker stopped in the middle.', (snapshot) => {
    return lastValue(snapshot.queue)?.expiredLeases;
  }),
  single('email_dead_letters_unreviewed', 'Dead letters that nobody has reviewed.', (snapshot) => {
    return lastValue(snapshot.queue)?.unreviewedDeadLetters;
  }),
  {
    name: 'email_deliveries_24h',
    help: 'Delivery attempts of the last 24 hours.',
    labels: ['provider', 'outcome'],
    samples: (snapshot) =>
      (lastValue(snapshot.queue)?.deliveries24h ?? []).flatMap(({ provider, sent, failed }) => [
        { labels: { provider, outcome: 'sent' }, value: sent },
        { labels: { provider, outcome: 'failed' }, value: failed },
      ]),
  },
  quotaGauge('email_provider_quota_used', 'Emails counted against the quota.', ({ sent }) => sent),
  quotaGauge('email_provider_quota_limit', 'The quota, in emails.', ({ limit }) => limit),
  {
    name: 'email_providers_healthy',
    help: 'Providers that passed the last health check.',
    samples: (snapshot) => [{ value: lastValue(snapshot.health)?.report?.healthyProviders ?? null }],
  },
  {
    name: 'email_alerts_open',
    help: 'Critical alerts that nobody has acknowledged.',
    samples: (snapshot) => {
      const alerts = lastValue(snapshot.alerts)?.alerts;
      return [{ value: alerts?.filter(({ acknowledged }) => acknowledged === null).length ?? null }];
    },
  },
  {
    name: 'email_lock_held',
    help: '1 for the state that the queue lock is in.',
    labels: ['state'],
    samples: (snapshot) => {
      const held = lastValue(snapshot.lock)?.lock.kind;
      const states = ['free', 'worker', 'paused', 'unknown-holder'] as const;
      return held === undefined ? [] : states.map((state) => ({ labels: { state }, value: state === held ? 1 : 0 }));
    },
  },
];

function single(name: string, help: string, pick: (snapshot: Snapshot) => number | undefined): SnapshotGauge {
  return { name, help, samples: (snapshot) => [{ value: pick(snapshot) ?? null }] };
}

function quotaGauge(name: string, help: string, pick: (use: QuotaUse) => number): SnapshotGauge {
  return {
    name,
    help,
    labels: ['provider', 'window'],
    samples: (snapshot) =>
      (lastValue(snapshot.queue)?.quotas ?? []).flatMap(({ provider, day, month }) => [
        { labels: { provider, window: 'day' }, value: pick(day) },
        { labels: { provider, window: 'month' }, value: pick(month) },
      ]),
  };
}

function isNotConfigured(part: Snapshot[(typeof PARTS)[number]]): boolean {
  return part.state === 'failed' && part.error.code === 'not-configured';
}
