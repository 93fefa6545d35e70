/** What is known of each provider, put together from the health report, its metrics, quotas and deliveries. Pure. */
import { quotaForecast, quotaReturnsAtEpochMs } from '../../../domain/drain.ts';
import { PROVIDERS } from '../../../domain/email.ts';
import { formatClock, formatCount, formatLatency, formatPercent } from '../../../domain/format.ts';
import type { HealthReport, ProviderHealth, ProviderMetrics, ProviderStatus } from '../../../domain/health.ts';
import { lastValue } from '../../../domain/loaded.ts';
import { USABLE_FROM_SCORE } from '../../../domain/provider-rank.ts';
import { standingOf } from '../../../domain/provider-record.ts';
import { type Disabled, disabledUntilEpochMs, type ProviderState } from '../../../domain/provider-state.ts';
import type { ProviderDeliveries } from '../../../domain/queue.ts';
import { completeQuotas, type ProviderQuota, remainingToday } from '../../../domain/quota.ts';
import { outside, whenWords } from '../../../domain/state-words.ts';
import { SECOND_MS } from '../../../domain/time.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { addressed, type Words } from '../../words.ts';

/** Null and absent: not known. */
export interface ProviderRow {
  readonly provider: string;
  readonly health: ProviderHealth | null;
  /** Live from Postgres where the email function keeps them there, else those of the last check. */
  readonly metrics: ProviderMetrics | null;
  /** By an operator, and at this moment. */
  readonly disabled: Disabled | null;
  /** The words of the last failure, while it fails. */
  readonly lastError: string | null;
  readonly deliveries: ProviderDeliveries | null;
  readonly quota: ProviderQuota | null;
  /** When its quota ends at the present rate, in this day. */
  readonly endsAtEpochMs: number | null;
  readonly perHour: number | null;
  /** When a used-up quota is there again. */
  readonly returnsAtEpochMs: number | null;
}

/** The four in their order, then whoever else the health report knows. `known`: what Postgres keeps of them, if it does. */
export function providerRows(state: State, known: readonly ProviderState[]): readonly ProviderRow[] {
  const { health, queue } = shownPicture(state);
  const report = health === null ? null : (lastValue(health)?.report ?? null);
  const overview = queue === null ? undefined : lastValue(queue);
  const now = shownNow(state);
  const forecasts = overview === undefined ? [] : quotaForecast(overview, now);
  const quotas = overview === undefined ? [] : completeQuotas(overview.quotas);
  const others = (report?.providers ?? []).map(({ provider }) => provider).toSorted();
  return [...new Set<string>([...PROVIDERS, ...others])].map((provider) => {
    const its = (each: { readonly provider: string }) => each.provider === provider;
    const quota = quotas.find(its) ?? null;
    const kept = known.find(its);
    const forecast = forecasts.find(its);
    const isGone = quota !== null && remainingToday(quota) === 0;
    return {
      provider,
      health: report?.providers.find(its) ?? null,
      metrics: (kept === undefined ? null : keptMetrics(kept, now)) ?? checkedMetrics(state, report, provider),
      disabled: kept === undefined || disabledUntilEpochMs(kept, now) === null ? null : kept.disabled,
      lastError: kept?.record.lastError ?? null,
      deliveries: overview === undefined ? null : (overview.deliveries24h.find(its) ?? noneSent(provider)),
      quota,
      endsAtEpochMs: isGone ? null : (forecast?.runsOutAtEpochMs ?? null),
      perHour: forecast?.perHour ?? null,
      returnsAtEpochMs: quota !== null && isGone ? quotaReturnsAtEpochMs([quota], now) : null,
    };
  });
}

/** Null where no recent send is known: all of none would have worked, within 0 ms. */
export function recentOf({ metrics }: ProviderRow): ProviderMetrics | null {
  const isNothingKnown = metrics?.successRatePercent === 100 && metrics.averageLatencyMs === 0;
  return isNothingKnown ? null : metrics;
}

/** Null where nothing was ever written: then a deployed function keeps its records elsewhere. */
function keptMetrics({ provider, record, check }: ProviderState, now: number): ProviderMetrics | null {
  if (check === null && record.weighedAtEpochMs === 0) return null;
  const { circuitState, healthScore, successRatePercent, averageLatencyMs } = standingOf(record, now);
  const { totalRequests, consecutiveFailures } = record;
  return {
    provider,
    circuitState,
    healthScore,
    successRatePercent,
    averageLatencyMs,
    totalRequests,
    consecutiveFailures,
  };
}

/** What the last check found, unless the circuit was closed by hand since. */
function checkedMetrics(state: State, report: HealthReport | null, provider: string): ProviderMetrics | null {
  const found = report?.metrics.find((each) => each.provider === provider) ?? null;
  const isOutdated = state.history.some(
    ({ atEpochMs, request, outcome }) =>
      request.kind === 'reset-circuit' &&
      request.provider === provider &&
      outcome.level === 'ok' &&
      atEpochMs > (report?.checkedAtEpochMs ?? 0),
  );
  return isOutdated ? null : found;
}

function noneSent(provider: string): ProviderDeliveries {
  return { provider, sent: 0, failed: 0, p95Ms: null };
}

const STATUSES: Readonly<Record<ProviderStatus | 'unknown' | 'disabled', Words & { readonly sign: string }>> = {
  ok: { sign: '✓', text: 'ok', role: 'ok' },
  degraded: { sign: '!', text: 'degraded', role: 'warning' },
  error: { sign: '✗', text: 'down', role: 'critical' },
  unconfigured: { sign: '·', text: 'no key', role: 'muted' },
  unknown: { sign: '?', text: 'unknown', role: 'muted' },
  disabled: { sign: '–', text: 'disabled', role: 'warning' },
};

export function statusWords({ health, disabled }: ProviderRow): Words & { readonly sign: string } {
  return STATUSES[disabled === null ? (health?.status ?? 'unknown') : 'disabled'];
}

/** 0–100. The metrics know the recent sends; without them the check's own score. */
export function scoreOf({ health, metrics }: ProviderRow): number | null {
  return metrics?.healthScore ?? health?.healthScore ?? null;
}

export function scoreRole(score: number | null): Words['role'] {
  if (score === null) return 'muted';
  if (score < USABLE_FROM_SCORE) return 'critical';
  return score < 70 ? 'warning' : 'ok';
}

/** What brings the score down, worst first. */
export function scoreWords(row: ProviderRow): Words {
  const score = scoreOf(row);
  if (score === null) return { text: 'no health check is known', role: 'muted' };
  const { metrics, health } = row;
  const causes = [
    ...(metrics?.circuitState === 'open' ? ['its circuit is open'] : []),
    ...(metrics?.circuitState === 'half-open' ? ['its circuit is being probed'] : []),
    ...(health?.status === 'error' ? ['its health check fails'] : []),
    ...(metrics !== null && metrics.successRatePercent < 99.5
      ? [`${formatPercent(metrics.successRatePercent)} of its recent sends worked`]
      : []),
    ...(metrics !== null && metrics.averageLatencyMs > SECOND_MS
      ? [`${formatLatency(metrics.averageLatencyMs)} on average`]
      : []),
  ];
  const why = causes.length === 0 ? 'nothing speaks against it' : causes.join(', ');
  const consequence = score < USABLE_FROM_SCORE ? `; under ${USABLE_FROM_SCORE}: passed over` : '';
  return { text: `${Math.round(score)} of 100: ${why}${consequence}`, role: scoreRole(score) };
}

export function circuitWords({ metrics }: ProviderRow): Words {
  const circuit = metrics?.circuitState ?? null;
  switch (circuit) {
    case null:
      return { text: 'not known', role: 'muted' };
    case 'closed':
      return { text: 'closed', role: 'ok' };
    case 'open':
      return { text: 'open: passed over, a probe a minute', role: 'critical' };
    case 'half-open':
      return { text: 'half-open: being probed', role: 'warning' };
    default:
      return { text: outside(circuit, 20), role: 'warning' };
  }
}

/** When the quota ends, or returns; empty where it lasts. */
export function quotaEndWords({ endsAtEpochMs, returnsAtEpochMs }: ProviderRow, nowEpochMs: number): Words {
  if (returnsAtEpochMs !== null) {
    const isToday = returnsAtEpochMs - nowEpochMs <= 24 * 3_600_000;
    return {
      text: isToday ? 'gone' : `gone to ${new Date(returnsAtEpochMs).toISOString().slice(5, 10)}`,
      role: 'critical',
    };
  }
  if (endsAtEpochMs === null) return { text: '', role: 'text' };
  return { text: `ends ${formatClock(endsAtEpochMs)}`, role: 'warning' };
}

/** The same in a sentence. */
export function quotaForecastWords(row: ProviderRow, nowEpochMs: number): Words {
  if (row.quota === null) return { text: 'not known', role: 'muted' };
  if (row.returnsAtEpochMs !== null)
    return { text: `used up; begins anew ${whenWords(row.returnsAtEpochMs, nowEpochMs)}`, role: 'critical' };
  const rate = row.perHour === null || row.perHour < 0.5 ? '' : `at ${formatCount(Math.round(row.perHour))} an hour `;
  if (row.endsAtEpochMs === null) return { text: `${rate}it lasts today`, role: 'text' };
  return { text: `${rate}it ends ${whenWords(row.endsAtEpochMs, nowEpochMs)}`, role: 'warning' };
}

/** Who disabled it, or what it says of itself; cleaned, empty where it says nothing. */
export function messageOf({ health, disabled, lastError }: ProviderRow, isMasked: boolean, nowEpochMs: number): string {
  if (disabled !== null) {
    const why = disabled.reason === '' ? '' : `, "${outside(disabled.reason, 120)}"`;
    return `until ${whenWords(disabled.untilEpochMs, nowEpochMs)} by ${outside(disabled.by, 60)}${why}`;
  }
  const said =
    health?.status === 'ok' && lastError !== null ? `last failure: ${lastError}` : (health?.message ?? lastError);
  return said === null ? '' : addressed(said, isMasked);
}
