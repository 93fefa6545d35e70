/** One provider at a glance: what its last check found, together with what its recent sends and its quota say. */

import { PROVIDERS, type Provider } from '../domain/email.ts';
import { formatInstant } from '../domain/format.ts';
import type { ProviderStatus } from '../domain/health.ts';
import { USABLE_FROM_SCORE } from '../domain/provider-rank.ts';
import { type SendRecord, type Standing, standingOf } from '../domain/provider-record.ts';
import type { Disabled, ProviderState, StoredCheck, Use } from '../domain/provider-state.ts';
import { type ProviderQuota, type QuotaUse, remainingToday } from '../domain/quota.ts';
import { utcDay } from '../domain/time.ts';
import type { EmailProvider } from './provider.ts';

export interface Assessment {
  readonly provider: Provider;
  readonly status: ProviderStatus;
  /** 0–100. */
  readonly healthScore: number;
  /** What the last check took. */
  readonly checkMs: number;
  readonly message: string;
  readonly configured: boolean;
  readonly checkedAtEpochMs: number | null;
  readonly record: SendRecord;
  readonly standing: Standing;
  readonly quota: ProviderQuota;
  /** Who told the quota. */
  readonly quotaSource: 'api' | 'database';
  /** Emails that may still go through it today, by our count, the provider's, and its word that nothing is left. */
  readonly remaining: number;
  readonly disabled: Disabled | null;
}

const DOWN_SCORE = 5;
const DEGRADED_BELOW = 80;
/** An older check says nothing about now. */
const CHECK_COUNTS_FOR_MS = 30 * 60_000;

export function assess(state: ProviderState, { isConfigured }: EmailProvider, nowEpochMs: number): Assessment {
  const standing = standingOf(state.record, nowEpochMs);
  const check =
    state.check !== null && nowEpochMs - state.check.checkedAtEpochMs < CHECK_COUNTS_FOR_MS ? state.check : null;
  const disabled = state.disabled !== null && state.disabled.untilEpochMs > nowEpochMs ? state.disabled : null;
  const reading = check !== null && utcDay(check.checkedAtEpochMs) === utcDay(nowEpochMs) ? check.quota : null;
  const quota = {
    provider: state.provider,
    day: reconciled(state.quota.day, reading?.daily ?? null),
    month: reconciled(state.quota.month, reading?.monthly ?? null),
  };
  const isUsedUp = (state.usedUpUntilEpochMs ?? 0) > nowEpochMs;
  return {
    provider: state.provider,
    configured: isConfigured,
    checkMs: check?.latencyMs ?? 0,
    checkedAtEpochMs: state.check?.checkedAtEpochMs ?? null,
    record: state.record,
    standing,
    quota,
    quotaSource: reading === null ? 'database' : 'api',
    remaining: isUsedUp ? 0 : remainingToday(quota),
    disabled,
    ...judge({ isConfigured, check, disabled, standing, lastError: state.record.lastError }),
  };
}

/** Configured, not disabled, not down, circuit not open, and something left of the quota. */
export function isUsable(assessment: Assessment): boolean {
  return (
    assessment.configured &&
    assessment.disabled === null &&
    assessment.healthScore >= USABLE_FROM_SCORE &&
    assessment.standing.circuitState !== 'open' &&
    assessment.remaining > 0
  );
}

/** The usable ones, healthiest first; equal ones in the given order. */
export function rankUsable(
  assessments: readonly Assessment[],
  order: readonly Provider[] = PROVIDERS,
): readonly Assessment[] {
  return order
    .flatMap((name) => assessments.filter(({ provider }) => provider === name))
    .filter(isUsable)
    .sort((a, b) => b.healthScore - a.healthScore);
}

interface Findings {
  readonly isConfigured: boolean;
  readonly check: StoredCheck | null;
  readonly disabled: Disabled | null;
  readonly standing: Standing;
  readonly lastError: string | null;
}

function judge(found: Findings): Pick<Assessment, 'status' | 'healthScore' | 'message'> {
  const { check, disabled, standing, lastError } = found;
  const { healthScore } = standing;
  if (!found.isConfigured) return { status: 'unconfigured', healthScore: 0, message: 'No API key is set.' };
  if (disabled !== null) {
    return { status: 'degraded', healthScore, message: disabledWords(disabled) };
  }
  if (check?.status === 'error') {
    return { status: 'error', healthScore: Math.min(DOWN_SCORE, healthScore), message: check.message };
  }
  if (standing.circuitState === 'open') {
    return { status: 'error', healthScore, message: lastError ?? 'The circuit is open.' };
  }
  if (check?.status === 'degraded') return { status: 'degraded', healthScore, message: check.message };
  if (healthScore < DEGRADED_BELOW) {
    return { status: 'degraded', healthScore, message: lastError ?? 'Some sends fail.' };
  }
  return { status: 'ok', healthScore, message: check?.message ?? 'Operational.' };
}

export function disabledWords({ untilEpochMs, by, reason }: Disabled): string {
  return `Disabled by ${by} until ${formatInstant(untilEpochMs)}${reason === '' ? '' : `: ${reason}`}.`;
}

/** Both only ever miss sends: ours those that other programs made, the provider's those of the last minutes. */
function reconciled(counted: QuotaUse, told: Use | null): QuotaUse {
  return told === null ? counted : { sent: Math.max(counted.sent, told.sent), limit: told.limit };
}
