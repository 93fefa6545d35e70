/** States of the dashboard to look at: what an operator sees while connecting, on a calm day, in an incident. */
import { parseAlerts } from '../../src/domain/alert.ts';
import type { HealthReport } from '../../src/domain/health.ts';
import type { Fault, Loaded } from '../../src/domain/loaded.ts';
import { loaded } from '../../src/domain/loaded.ts';
import type { MetricPoint } from '../../src/domain/metric.ts';
import { completeQuotas, type ProviderQuota } from '../../src/domain/quota.ts';
import { EXPECTED_SCHEDULES, type ScheduleOverview } from '../../src/domain/schedule.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import type { ActionKind } from '../../src/ui/actions.ts';
import type { Size } from '../../src/ui/layout.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { initialState, type State, type UiEvent } from '../../src/ui/state.ts';
import type { Look } from '../../src/ui/theme.ts';
import { aMetricPoint, anOverview, aRun, aSnapshot, NOON } from './snapshot.ts';

export const REFERENCE: Size = { columns: 120, rows: 36 };
export const DARK: Look = { theme: 'dark', ascii: false };

const ALL_ACTIONS: readonly ActionKind[] = [
  'pause',
  'resume',
  'run',
  'workers',
  'acknowledge',
  'retry',
  'discard',
  'redrive',
  'schedule',
  'reset-circuit',
  'disable-provider',
  'enable-provider',
  'unmask',
  'report',
];

export function aState(changes: Partial<Parameters<typeof initialState>[0]> = {}): State {
  return initialState({
    size: REFERENCE,
    look: DARK,
    nowEpochMs: NOON,
    cadence: { kind: 'adaptive' },
    readOnly: null,
    isSafe: false,
    hasBell: false,
    operator: 'ada@ops-1',
    environment: null,
    ...changes,
  });
}

/** The state after some events; effects are dropped. */
export function afterEvents(state: State, ...events: readonly UiEvent[]): State {
  return events.reduce((known, event) => reduce(known, event)[0], state);
}

export function keys(...names: readonly string[]): UiEvent[] {
  return names.map((key) => ({ type: 'input', input: { kind: 'key', key } }));
}

export function connected(snapshot: Snapshot, changes: Partial<Parameters<typeof initialState>[0]> = {}): State {
  return afterEvents(
    aState(changes),
    {
      type: 'connected',
      environment: snapshot.environment,
      available: ALL_ACTIONS,
      workers: 'off',
      readOnly: null,
    },
    { type: 'read', snapshot },
  );
}

/** Every state that is stored as a screen, by its name. */
export const STORED_STATES = {
  connecting: (size: Size, look: Look) =>
    afterEvents(aState({ size, look }), { type: 'connecting', step: 'starting the sandbox: opening Postgres (2/6)' }),
  calm: (size: Size, look: Look) => connected(calmSnapshot(), { size, look }),
  incident: (size: Size, look: Look) => connected(incidentSnapshot(), { size, look }),
  paused: (size: Size, look: Look) => connected(pausedSnapshot(), { size, look }),
  'read-only': (size: Size, look: Look) =>
    connected(calmSnapshot(), { size, look, readOnly: 'this console is read-only' }),
  failed: (size: Size, look: Look) => connected(failedSnapshot(), { size, look }),
  stale: (size: Size, look: Look) => connected(staleSnapshot(), { size, look }),
} as const satisfies Record<string, (size: Size, look: Look) => State>;

export type StoredState = keyof typeof STORED_STATES;

const SANDBOX = { name: 'sandbox', isSandbox: true };

/** A day with its rhythm, one point every five minutes; the same every time. */
export function aDay(
  change: (point: MetricPoint, hour: number) => Partial<MetricPoint> = () => ({}),
): readonly MetricPoint[] {
  return Array.from({ length: 288 }, (_, index) => {
    const atEpochMs = NOON - (287 - index) * 5 * MINUTE_MS;
    const hour = (atEpochMs / HOUR_MS) % 24;
    const wave = 1 + Math.sin(((hour - 6) / 24) * 2 * Math.PI);
    const jitter = (index * 7_919) % 13;
    const point = aMetricPoint({
      atEpochMs,
      dailyQuotaUsedPercent: (hour / 24) * 70,
      monthlyQuotaUsedPercent: 30 + (hour / 24) * 2,
      queueDepth: Math.round(wave * 12 + jitter),
      sent: Math.round(wave * 20 + jitter),
      p95Ms: 260 + wave * 60 + jitter * 9,
    });
    return { ...point, ...change(point, hour) };
  });
}

export function calmSnapshot(): Snapshot {
  return aSnapshot({
    environment: SANDBOX,
    queue: at(
      anOverview({
        counts: { queued: 14, processing: 3, failed: 1, completed: 4_211 },
        ready: 9,
        oldestReadyAtEpochMs: NOON - 70 * SECOND_MS,
        oldestProcessingAtEpochMs: NOON - 2 * SECOND_MS,
        waitingRetry: 5,
        nextRetryAtEpochMs: NOON + 4 * MINUTE_MS,
        quotas: QUOTAS,
        deliveries24h: DELIVERIES,
        throughput: throughput((index) => 24 + ((index * 5) % 9), 22),
      }),
    ),
    health: at({ report: aReport({}), lastError: null, skipped: 0 }),
    metrics: at({ points: aDay(), skipped: 0 }),
    stats: at({ processed: 1_482, successful: 1_479, failed: 3 }),
    runs: at({ runs: RUNS, skipped: 0 }),
    schedules: at(aScheduleOverview()),
  });
}

export function incidentSnapshot(): Snapshot {
  const calm = calmSnapshot();
  const quotas = QUOTAS.map((quota) =>
    quota.provider === 'brevo'
      ? { ...quota, day: { sent: 300, limit: 300 } }
      : quota.provider === 'resend'
        ? { ...quota, day: { sent: 92, limit: 100 } }
        : quota,
  );
  return {
    ...calm,
    environment: { name: 'production', isSandbox: false },
    lock: at({
      lock: { kind: 'worker', host: 'web-1', pid: 4_711, token: 't', expiresAtEpochMs: NOON + 211 * SECOND_MS },
      announcedPause: null,
    }),
    queue: at(
      anOverview({
        counts: { queued: 1_312, processing: 8, failed: 14, completed: 4_211 },
        ready: 1_204,
        oldestReadyAtEpochMs: NOON - 41 * MINUTE_MS,
        oldestProcessingAtEpochMs: NOON - 6 * MINUTE_MS,
        lastCompletedAtEpochMs: NOON - 5 * MINUTE_MS,
        waitingRetry: 108,
        nextRetryAtEpochMs: NOON + 4 * MINUTE_MS,
        deadLetters: 9,
        unreviewedDeadLetters: 7,
        expiredLeases: 2,
        quotas,
        deliveries24h: DELIVERIES,
        throughput: throughput((index) => Math.max(2, 30 - index), 40, 9),
      }),
    ),
    health: at({
      report: aReport({ brevo: 'error', resend: 'degraded' }),
      lastError: null,
      skipped: 0,
    }),
    alerts: at(
      parseAlerts(
        [
          `CRITICAL: brevo: quota exhausted, 300/300 [${iso(NOON - 3 * MINUTE_MS)}]`,
          `ERROR: brevo answers 503 for maria@example.org [${iso(NOON - 8 * MINUTE_MS)}]`,
          `ERROR: brevo answers 503 for paul@example.org [${iso(NOON - 9 * MINUTE_MS)}]`,
          'ERROR: circuit of brevo opened',
          `CRITICAL: The oldest ready email has waited 16 min. [${iso(NOON - 25 * MINUTE_MS)}]`,
        ],
        {},
        NOON,
      ),
    ),
    metrics: at({
      points: aDay((point, hour) =>
        hour > 10
          ? {
              queueDepth: Math.round(40 + (hour - 10) * 640),
              failed: Math.round((hour - 10) * 12),
              healthyProviders: 3,
              dailyQuotaUsedPercent: point.dailyQuotaUsedPercent + 30,
            }
          : hour > 7 && hour < 7.6
            ? { queueDepth: null, sent: null, p95Ms: null }
            : {},
      ).filter(({ atEpochMs }) => atEpochMs < NOON - 5 * HOUR_MS || atEpochMs > NOON - 4.5 * HOUR_MS),
      skipped: 0,
    }),
    stats: at({ processed: 1_482, successful: 1_371, failed: 111 }),
    runs: at({
      runs: [
        aRun({
          startedAtEpochMs: NOON - 11 * MINUTE_MS,
          outcome: 'failed',
          error: 'brevo answers 503: Service Unavailable',
          processed: 40,
          successful: 12,
          failed: 28,
        }),
        ...RUNS.map((run) => ({ ...run, startedAtEpochMs: run.startedAtEpochMs - 12 * MINUTE_MS })),
      ],
      skipped: 0,
    }),
    schedules: at(aScheduleOverview(11 * MINUTE_MS)),
  };
}

export function pausedSnapshot(): Snapshot {
  return {
    ...calmSnapshot(),
    lock: at({
      lock: {
        kind: 'paused',
        operator: 'grace',
        host: 'ops-2',
        startedAtEpochMs: NOON - 5 * MINUTE_MS,
        reason: 'resend outage, waiting for their status page',
        expiresAtEpochMs: NOON + 25 * MINUTE_MS,
      },
      announcedPause: null,
    }),
  };
}

const TIMEOUT: Fault = {
  code: 'timeout',
  message: 'Redis did not answer within 2000 ms.',
  remedy: 'Check KV_REST_API_URL.',
};

export function failedSnapshot(): Snapshot {
  const failed = { state: 'failed', error: TIMEOUT } as const;
  const postgres = {
    state: 'failed',
    error: { code: 'unauthorized', message: 'Postgres refuses the key.', remedy: 'Check SUPABASE_SERVICE_ROLE_KEY.' },
  } as const;
  const qstash = {
    state: 'failed',
    error: { code: 'not-configured', message: 'QStash is not configured.', remedy: 'Set QSTASH_TOKEN.' },
  } as const;
  return aSnapshot({
    environment: { name: 'production', isSandbox: false },
    lock: failed,
    health: failed,
    alerts: failed,
    metrics: failed,
    stats: failed,
    runs: failed,
    queue: postgres,
    schedules: qstash,
  });
}

export function staleSnapshot(): Snapshot {
  const calm = calmSnapshot();
  const stale = <T>(part: Loaded<T>): Loaded<T> =>
    part.state === 'failed'
      ? part
      : { state: 'stale', atEpochMs: NOON - 42 * SECOND_MS, value: part.value, error: TIMEOUT };
  const { lock, health, alerts, metrics, stats, runs } = calm;
  return {
    ...calm,
    lock: stale(lock),
    health: stale(health),
    alerts: stale(alerts),
    metrics: stale(metrics),
    stats: stale(stats),
    runs: stale(runs),
  };
}

const QUOTAS: readonly ProviderQuota[] = completeQuotas([
  { provider: 'resend', day: { sent: 74, limit: 100 }, month: { sent: 1_410, limit: 3_000 } },
  { provider: 'brevo', day: { sent: 121, limit: 300 }, month: { sent: 2_204, limit: 9_000 } },
  { provider: 'mailersend', day: { sent: 96, limit: 400 }, month: { sent: 1_987, limit: 12_000 } },
  { provider: 'aws_ses', day: { sent: 12, limit: 200 }, month: { sent: 310, limit: 62_000 } },
]);

const DELIVERIES = [
  { provider: 'resend', sent: 74, failed: 1, p95Ms: 310 },
  { provider: 'brevo', sent: 121, failed: 2, p95Ms: 420 },
  { provider: 'mailersend', sent: 96, failed: 0, p95Ms: 380 },
  { provider: 'aws_ses', sent: 12, failed: 0, p95Ms: 190 },
];

const RUNS = [
  aRun({ id: 'a', startedAtEpochMs: NOON - 2 * SECOND_MS, processed: 24, successful: 24, durationMs: 1_480 }),
  aRun({
    id: 'b',
    worker: 'health-monitor',
    startedAtEpochMs: NOON - SECOND_MS,
    processed: 4,
    successful: 4,
    durationMs: 2_310,
  }),
  aRun({
    id: 'c',
    startedAtEpochMs: NOON - 2 * MINUTE_MS,
    processed: 21,
    successful: 20,
    failed: 1,
    durationMs: 1_122,
  }),
  aRun({
    id: 'd',
    startedAtEpochMs: NOON - 4 * MINUTE_MS,
    outcome: 'skipped',
    processed: 0,
    successful: 0,
    durationMs: 85,
  }),
  aRun({
    id: 'e',
    worker: 'quota-sync',
    startedAtEpochMs: NOON - 3 * SECOND_MS,
    processed: 4,
    successful: 4,
    durationMs: 395,
  }),
];

function aReport(statuses: Readonly<Record<string, 'ok' | 'degraded' | 'error'>>): HealthReport {
  const providers = (['resend', 'brevo', 'mailersend', 'aws_ses'] as const).map((provider) => ({
    provider,
    status: statuses[provider] ?? ('ok' as const),
    healthScore: statuses[provider] === 'error' ? 5 : 97,
    latencyMs: 240,
    message: statuses[provider] === 'error' ? 'HTTP 503' : null,
    configured: true,
  }));
  return {
    checkedAtEpochMs: NOON - MINUTE_MS,
    providers,
    metrics: [],
    healthyProviders: providers.filter(({ status }) => status === 'ok').length,
    totalProviders: 4,
    bestProvider: 'mailersend',
    alerts: [],
  };
}

function aScheduleOverview(lateMs = 0): ScheduleOverview {
  return {
    schedules: EXPECTED_SCHEDULES.map(({ id, cron, intervalMs, path }) => ({
      id,
      cron,
      destination: `https://foodshare.club${path}`,
      isPaused: false,
      lastRunAtEpochMs: NOON - lateMs,
      nextRunAtEpochMs: NOON + intervalMs,
      lastState: 'success' as const,
    })),
    deadLetters: 0,
    deadLettersTruncated: false,
    skipped: 0,
  };
}

function throughput(sent: (index: number) => number, enqueued: number, failed = 0) {
  return Array.from({ length: 24 }, (_, index) => ({
    atEpochMs: NOON - (23 - index) * 5 * MINUTE_MS,
    sent: sent(index),
    failed,
    enqueued,
  }));
}

function at<T>(value: T): Loaded<T> {
  return loaded(value, NOON);
}

function iso(atEpochMs: number): string {
  return new Date(atEpochMs).toISOString();
}
