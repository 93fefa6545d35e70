/** What the quota sync decides: which rows are missing, which counts are too low, and what to warn of. Days are UTC. */
import type { RaisedAlert } from './alert-rules.ts';
import { PROVIDERS, type Provider } from './email.ts';
import { formatCount, formatPercent } from './format.ts';
import { KNOWN_LIMITS, type ProviderQuota, percentUsed, quotaStatus } from './quota.ts';

/** One row of `email_provider_quota`. */
export interface QuotaDay {
  readonly provider: Provider;
  /** UTC day, `YYYY-MM-DD`. */
  readonly date: string;
  readonly emailsSent: number;
  readonly dailyLimit: number;
  readonly monthlyLimit: number;
}

/** What a provider itself says. Reports that only repeat our own database are of no use here. */
export interface ProviderReport {
  readonly provider: Provider;
  readonly daySent: number;
  readonly monthSent: number;
  readonly dayLimit: number;
  readonly monthLimit: number;
}

/**
 * The rows of `days` that do not exist yet. `rows` are ascending by date; limits go on from the newest row, because an operator
 * may have changed them, else they are what the provider reports, else what is known.
 */
export function missingDays(
  rows: readonly QuotaDay[],
  days: readonly string[],
  reports: readonly ProviderReport[],
): readonly QuotaDay[] {
  return PROVIDERS.flatMap((provider) => {
    const own = rows.filter((row) => row.provider === provider);
    const newest = own.at(-1);
    const report = reports.find((each) => each.provider === provider && each.dayLimit > 0 && each.monthLimit > 0);
    const known = KNOWN_LIMITS[provider];
    return days
      .filter((date) => !own.some((row) => row.date === date))
      .map((date) => ({
        provider,
        date,
        emailsSent: 0,
        dailyLimit: newest?.dailyLimit ?? report?.dayLimit ?? known.daily,
        monthlyLimit: newest?.monthlyLimit ?? report?.monthLimit ?? known.monthly,
      }));
  });
}

/** Counts of `day` that a provider knows to be higher. Never lower: what we logged as sent was sent. */
export function raisedCounts(
  rows: readonly QuotaDay[],
  day: string,
  reports: readonly ProviderReport[],
): readonly { readonly provider: Provider; readonly from: number; readonly to: number }[] {
  return reports.flatMap(({ provider, daySent }) => {
    const from = rows.find((row) => row.provider === provider && row.date === day)?.emailsSent ?? 0;
    return daySent > from ? [{ provider, from, to: daySent }] : [];
  });
}

export interface QuotaWarning {
  readonly provider: Provider;
  readonly level: 'warning' | 'exhausted';
  /** `brevo is at 73 % of its day (219 of 300).` */
  readonly text: string;
}

/** One warning a provider at most, for the fuller of its day and its month: from 70 % and from 90 % on (WIRE.md). */
export function quotaWarnings(quotas: readonly ProviderQuota[]): readonly QuotaWarning[] {
  return quotas.flatMap(({ provider, day, month }) => {
    const [use, span] = percentUsed(month) > percentUsed(day) ? [month, 'month'] : [day, 'day'];
    const level = quotaStatus(percentUsed(use));
    if (level === 'ok') return [];
    const counts = `${formatCount(use.sent)} of ${formatCount(use.limit)}`;
    return [
      { provider, level, text: `${provider} is at ${formatPercent(percentUsed(use))} of its ${span} (${counts}).` },
    ];
  });
}

/** From 90 % on a warning is an alert as well. */
export function quotaAlerts(warnings: readonly QuotaWarning[]): readonly RaisedAlert[] {
  return warnings
    .filter(({ level }) => level === 'exhausted')
    .map(({ provider, text }) => ({ key: `quota:${provider}`, severity: 'error', text: `Quota: ${text}` }));
}
