/** States of the view *Providers* that are stored as screens, by the beginning of their files' names. */
import type { HealthReport } from '../../src/domain/health.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { bucketsFrom, type DeliveryPoint } from '../../src/domain/provider-history.ts';
import { NO_RECORD } from '../../src/domain/provider-record.ts';
import type { ProviderState } from '../../src/domain/provider-state.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import type { Size } from '../../src/ui/layout.ts';
import type { LoadKinds } from '../../src/ui/loaders.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import type { Look } from '../../src/ui/theme.ts';
import { afterEvents, connected, failedSnapshot, incidentSnapshot, keys, staleSnapshot } from './dashboard.ts';
import { NOON } from './snapshot.ts';

type Make = (size: Size, look: Look) => State;

const OPEN: UiEvent = { type: 'command', name: 'view', argument: 'providers' };
const RANGE_MS = 6 * HOUR_MS;

function answered<K extends 'provider-history' | 'provider-states' | 'provider-details'>(
  kind: K,
  request: LoadKinds[K]['request'],
  value: LoadKinds[K]['value'],
): UiEvent {
  const result = { ok: true, value };
  return { type: 'loaded', view: 'providers', kind, request: { kind, ...request }, result } as unknown as UiEvent;
}

const incident: Make = (size, look) =>
  afterEvents(
    connected(withMetrics(incidentSnapshot()), { size, look }),
    OPEN,
    answered('provider-history', { rangeMs: RANGE_MS }, history()),
    ...keys('down'),
  );
const withEvents =
  (...events: readonly UiEvent[]): Make =>
  (size, look) =>
    afterEvents(incident(size, look), ...events);

export const PROVIDER_SCREENS = {
  'providers-incident': incident,
  'providers-details': withEvents(...keys('enter'), answered('provider-details', { provider: 'brevo' }, details())),
  'providers-disabled': withEvents(answered('provider-states', {}, [disabledState()])),
  'providers-disable': withEvents(...keys('d')),
  'providers-reading': (size, look) => afterEvents(connected(incidentSnapshot(), { size, look }), OPEN),
  'providers-stale': (size, look) => afterEvents(connected(staleSnapshot(), { size, look }), OPEN),
  'providers-failed': (size, look) => afterEvents(connected(failedSnapshot(), { size, look }), OPEN),
  'providers-ascii': (size) => incident(size, { theme: 'mono', ascii: true }),
} as const satisfies Record<string, Make>;

/** Brevo failed for the last forty minutes; nothing went through Amazon. */
function history(): LoadKinds['provider-history']['value'] {
  const points = Array.from({ length: 720 }, (_, index): readonly DeliveryPoint[] => {
    const atEpochMs = NOON - index * 30_000;
    const isSent = (provider: string, every: number) =>
      index % every === 0
        ? [{ provider, atEpochMs, outcome: 'sent' as const, latencyMs: 180 + ((index * 37) % 200) }]
        : [];
    const isDown = index < 80;
    const brevo = isSent('brevo', 2 + ((index >> 5) % 3)).map((point) => ({
      ...point,
      outcome: isDown && index % 8 !== 0 ? ('failed' as const) : point.outcome,
      latencyMs: point.latencyMs + (isDown ? 900 : 0),
    }));
    return [...isSent('resend', 3 + ((index >> 6) % 4)), ...isSent('mailersend', 5), ...brevo];
  }).flat();
  const bucketMs = 5 * MINUTE_MS;
  return {
    sinceEpochMs: NOON - RANGE_MS,
    untilEpochMs: NOON,
    bucketMs,
    buckets: bucketsFrom(points, bucketMs),
    skipped: 0,
  };
}

function details(): LoadKinds['provider-details']['value'] {
  const day = (back: number) => ({
    provider: 'brevo' as const,
    date: new Date(NOON - back * 24 * HOUR_MS).toISOString().slice(0, 10),
    emailsSent: back === 0 ? 300 : 140 + ((back * 53) % 110),
    dailyLimit: 300,
    monthlyLimit: 9_000,
  });
  const failure = (index: number, errorMessage: string | null) => ({
    id: String(index),
    recipientEmail: 'maria@example.org',
    emailType: 'chat',
    subject: null,
    provider: 'brevo',
    providerMessageId: null,
    status: 'failed',
    errorMessage,
    latencyMs: null,
    createdAtEpochMs: NOON - index * 3 * MINUTE_MS,
  });
  return {
    days: Array.from({ length: 14 }, (_, index) => day(13 - index)),
    failures: [
      ...Array.from({ length: 31 }, (_, index) => failure(index, `HTTP 503 after ${100 + index} ms`)),
      ...Array.from({ length: 4 }, (_, index) => failure(20 + index, '550 no mailbox for maria@example.org')),
      failure(90, null),
    ],
  };
}

function disabledState(): ProviderState {
  return {
    provider: 'brevo',
    record: NO_RECORD,
    quota: { provider: 'brevo', day: { sent: 300, limit: 300 }, month: { sent: 2_204, limit: 9_000 } },
    disabled: { untilEpochMs: NOON + 2 * HOUR_MS, by: 'grace@ops-2', reason: 'their status page says 14:00' },
    usedUpUntilEpochMs: null,
    check: null,
  };
}

function withMetrics(snapshot: Snapshot): Snapshot {
  if (snapshot.health.state === 'failed' || snapshot.health.value.report === null) return snapshot;
  const { report } = snapshot.health.value;
  const metrics = report.providers.map(({ provider, status, healthScore }): HealthReport['metrics'][number] => {
    const isDown = status === 'error';
    return {
      provider,
      healthScore,
      successRatePercent: isDown ? 31.5 : 99.2,
      averageLatencyMs: isDown ? 2_140 : 310,
      totalRequests: 871,
      consecutiveFailures: isDown ? 12 : 0,
      circuitState: isDown ? 'open' : 'closed',
    };
  });
  return { ...snapshot, health: loaded({ ...snapshot.health.value, report: { ...report, metrics } }, NOON) };
}
