/** Provider quotas: what is used of a day and a month, and when it runs out. Days are UTC (WIRE.md). */
import { PROVIDERS, type Provider } from './email.ts';

/** Known limits, emails a day and a month (WIRE.md). A row in `email_provider_quota` overrides them. */
export const KNOWN_LIMITS: Readonly<Record<Provider, { readonly daily: number; readonly monthly: number }>> = {
  resend: { daily: 100, monthly: 3_000 },
  brevo: { daily: 300, monthly: 9_000 },
  mailersend: { daily: 400, monthly: 12_000 },
  aws_ses: { daily: 200, monthly: 62_000 },
};

export interface QuotaUse {
  readonly sent: number;
  readonly limit: number;
}

export interface ProviderQuota {
  readonly provider: Provider;
  readonly day: QuotaUse;
  readonly month: QuotaUse;
  /** When the count last changed; absent where nobody can tell. */
  readonly countedAtEpochMs?: number;
}

export type QuotaStatus = 'ok' | 'warning' | 'exhausted';

/** 0–100, capped; a limit of zero counts as used up. */
export function percentUsed(use: QuotaUse): number {
  if (use.limit <= 0) return 100;
  return Math.min(100, Math.max(0, (use.sent / use.limit) * 100));
}

export function remaining(use: QuotaUse): number {
  return Math.max(0, use.limit - use.sent);
}

/** Emails that may still go through this provider today: the smaller rest of its day and its month. */
export function remainingToday(quota: ProviderQuota): number {
  return Math.min(remaining(quota.day), remaining(quota.month));
}

/** `warning` from 70 %, `exhausted` from 90 % (WIRE.md, Admin API `quotas`). */
export function quotaStatus(percent: number): QuotaStatus {
  if (percent >= 90) return 'exhausted';
  return percent >= 70 ? 'warning' : 'ok';
}

/** Quotas of all four providers in their fixed order; a provider without a row has its known limits and nothing sent. */
export function completeQuotas(known: readonly ProviderQuota[]): readonly ProviderQuota[] {
  return PROVIDERS.map(
    (provider) =>
      known.find((quota) => quota.provider === provider) ?? {
        provider,
        day: { sent: 0, limit: KNOWN_LIMITS[provider].daily },
        month: { sent: 0, limit: KNOWN_LIMITS[provider].monthly },
      },
  );
}
