/**
 * The health monitor: asks the email function how its providers are, looks at the queue and its lock, and leaves health,
 * alerts and one metric in Redis. One read and one write pipeline a run; every system may fail without hiding the others.
 */
import { randomUUID } from 'node:crypto';
import type { HealthAnswer } from '../data/email-function.ts';
import type { MonitorMemory, MonitorReading, MonitorStore } from '../data/monitor-store.ts';
import { admitAlerts } from '../domain/alert-cooldown.ts';
import { type AlertFacts, type AlertThresholds, criticalReports, raisedAlerts } from '../domain/alert-rules.ts';
import { plural } from '../domain/format.ts';
import type { MetricPoint } from '../domain/metric.ts';
import type { QueueOverview } from '../domain/queue.ts';
import { percentUsed } from '../domain/quota.ts';
import type { Clock } from '../domain/time.ts';
import { type Logger, type RunRequest, type RunResult, recordOfRun, type Worker } from './worker.ts';

export interface HealthMonitorPorts {
  /** The email function's `full` check. */
  checkHealth(signal: AbortSignal): Promise<HealthAnswer>;
  readOverview(signal: AbortSignal): Promise<QueueOverview>;
  readonly store: MonitorStore;
}

export interface HealthMonitorOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: string;
  readonly thresholds: AlertThresholds;
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

export function createHealthMonitor(ports: HealthMonitorPorts, options: HealthMonitorOptions): Worker {
  const { clock, log } = options;
  return {
    run: async (request) => {
      const startedAtEpochMs = clock.nowEpochMs();
      const result = await check(ports, options, { request, startedAtEpochMs });
      if (result.outcome === 'failed') log.error(`[health-monitor] ${result.message}`);
      else log.info(`[health-monitor] ${result.message}`);
      return result;
    },
  };
}

async function check(
  ports: HealthMonitorPorts,
  { clock, log, host, thresholds }: HealthMonitorOptions,
  { request, startedAtEpochMs }: { request: RunRequest; startedAtEpochMs: number },
): Promise<RunResult> {
  const [reading, health, queue] = await Promise.all([
    attempt(ports.store.read(startedAtEpochMs)),
    attempt(ports.checkHealth(request.signal)),
    attempt(ports.readOverview(request.signal)),
  ]);
  const nowEpochMs = clock.nowEpochMs();
  const durationMs = nowEpochMs - startedAtEpochMs;
  if (request.signal.aborted) return nothingDone('aborted', 'The check was stopped.', durationMs);
  // Without Redis there is nowhere to leave anything.
  if (!reading.ok) return nothingDone('failed', reading.error, durationMs);

  const facts = factsOf({ reading: reading.value, health, queue, nowEpochMs });
  const reports = health.ok ? criticalReports(health.value.report.alerts) : [];
  const raised = [...reports, ...raisedAlerts(facts, thresholds)];
  const alerts = admitAlerts(raised, reading.value.seen, { nowEpochMs, cooldownMs: thresholds.cooldownMs });
  if (raised.length > 0) log.warn(`[health-monitor] Critical alerts: ${raised.length}`);

  const result = resultOf({ health, queue, durationMs });
  const written = await attempt(
    ports.store.write({
      atEpochMs: nowEpochMs,
      memory: memoryAfter(reading.value, facts),
      health: health.ok ? { report: health.value.json } : { error: health.error },
      point: health.ok ? pointOf(health.value, queue.ok ? queue.value : null, nowEpochMs) : null,
      alerts,
      run: recordOfRun(result, {
        id: randomUUID(),
        worker: 'health-monitor',
        trigger: request.trigger,
        host,
        startedAtEpochMs,
      }),
    }),
  );
  return written.ok ? result : { ...result, outcome: 'failed', message: written.error };
}

function factsOf(seen: {
  reading: MonitorReading;
  health: Attempt<HealthAnswer>;
  queue: Attempt<QueueOverview>;
  nowEpochMs: number;
}): AlertFacts {
  const { reading, health, queue, nowEpochMs } = seen;
  return {
    nowEpochMs,
    queue: queue.ok ? queue.value : null,
    locks: reading.locks,
    points: reading.points,
    lastProcessorRunAtEpochMs: reading.memory.lastProcessorRunAtEpochMs,
    previousDeadLetters: reading.memory.deadLetters,
    healthFailures: health.ok ? 0 : reading.memory.healthFailures + 1,
    healthError: health.ok ? null : health.error,
  };
}

function memoryAfter({ locks, memory }: MonitorReading, facts: AlertFacts): MonitorMemory {
  return {
    healthFailures: facts.healthFailures,
    deadLetters: facts.queue?.unreviewedDeadLetters ?? memory.deadLetters,
    lastProcessorRunAtEpochMs: memory.lastProcessorRunAtEpochMs,
    holders: Object.fromEntries(locks.map(({ value, sinceEpochMs }) => [value, sinceEpochMs])),
  };
}

/** `sent` and `failed` are those of the last complete five minutes; `p95_ms` is the slowest provider's of the day. */
function pointOf({ report, quotas }: HealthAnswer, queue: QueueOverview | null, nowEpochMs: number): MetricPoint {
  const total = (field: 'day' | 'month') =>
    percentUsed({
      sent: quotas.reduce((sum, quota) => sum + quota[`${field}Sent`], 0),
      limit: quotas.reduce((sum, quota) => sum + quota[`${field}Limit`], 0),
    });
  const bucket = queue?.throughput.at(-2);
  const latencies = queue?.deliveries24h.flatMap(({ p95Ms }) => (p95Ms === null ? [] : [p95Ms])) ?? [];
  const oldest = queue?.oldestReadyAtEpochMs ?? null;
  return {
    atEpochMs: nowEpochMs,
    healthyProviders: report.healthyProviders,
    totalProviders: report.totalProviders,
    dailyQuotaUsedPercent: quotas.length === 0 ? 0 : tenth(total('day')),
    monthlyQuotaUsedPercent: quotas.length === 0 ? 0 : tenth(total('month')),
    bestProvider: report.bestProvider,
    queueDepth: queue === null ? null : queue.counts.queued + queue.counts.processing,
    oldestQueuedSeconds: queue === null ? null : secondsSince(oldest, nowEpochMs),
    sent: bucket?.sent ?? null,
    failed: bucket?.failed ?? null,
    p95Ms: latencies.length === 0 ? null : Math.max(...latencies),
  };
}

function resultOf(seen: {
  health: Attempt<HealthAnswer>;
  queue: Attempt<QueueOverview>;
  durationMs: number;
}): RunResult {
  const { health, queue, durationMs } = seen;
  if (!health.ok) return nothingDone('failed', `The health check failed: ${health.error}`, durationMs);
  const { healthyProviders, totalProviders } = health.value.report;
  const counts = {
    processed: totalProviders,
    successful: healthyProviders,
    failed: totalProviders - healthyProviders,
    durationMs,
  };
  if (!queue.ok) return { ...counts, outcome: 'failed', message: `The queue could not be read: ${queue.error}` };
  const waiting = queue.value.counts.queued + queue.value.counts.processing;
  const message = `${healthyProviders} of ${plural(totalProviders, 'provider')} healthy, ${plural(waiting, 'email')} waiting.`;
  return { ...counts, outcome: 'ok', message };
}

function nothingDone(outcome: RunResult['outcome'], message: string, durationMs: number): RunResult {
  return { outcome, processed: 0, successful: 0, failed: 0, message, durationMs };
}

/** What gateways throw carries a sentence for a person. */
async function attempt<T>(work: Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

function secondsSince(atEpochMs: number | null, nowEpochMs: number): number {
  return atEpochMs === null ? 0 : Math.max(0, Math.round((nowEpochMs - atEpochMs) / 1_000));
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
