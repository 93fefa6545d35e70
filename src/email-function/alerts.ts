/** What the function warns about, worded as WIRE.md has it. Each is announced at most once an hour, by whichever instance. */
import { percentUsed, type QuotaUse, quotaStatus } from '../domain/quota.ts';
import { type Assessment, isUsable } from './assessment.ts';

export interface AlertCondition {
  /** Stays the same while the numbers in `text` change: repetition is judged by it. */
  readonly key: string;
  /** Begins with `CRITICAL:`, `ERROR:` or `WARNING:`. */
  readonly text: string;
}

/** Everything that holds now. */
export function alertConditions(assessments: readonly Assessment[]): readonly AlertCondition[] {
  const configured = assessments.filter((assessment) => assessment.configured);
  const own = configured.flatMap((assessment) => [
    ...availability(assessment),
    ...quota(assessment, 'daily', assessment.quota.day),
    ...quota(assessment, 'monthly', assessment.quota.month),
  ]);
  if (configured.some(isUsable)) return own;
  return [
    { key: 'none', text: 'CRITICAL: No email provider can send: all are down or have used up their quota' },
    ...own,
  ];
}

function availability({ provider, status, standing, message, disabled }: Assessment): AlertCondition[] {
  if (disabled !== null) return [{ key: `${provider}/disabled`, text: `WARNING: ${provider} is out: ${message}` }];
  const { observed, successRatePercent } = standing;
  const failing = `${Math.round(100 - successRatePercent)} % of its last ${Math.round(observed)} sends`;
  if (status === 'error') return [{ key: `${provider}/down`, text: `CRITICAL: ${provider} is down: ${message}` }];
  if (observed >= 10 && successRatePercent < 80) {
    return [{ key: `${provider}/failing`, text: `ERROR: ${provider} fails ${failing}` }];
  }
  if (status === 'degraded')
    return [{ key: `${provider}/degraded`, text: `WARNING: ${provider} is degraded: ${message}` }];
  return [];
}

function quota({ provider }: Assessment, period: 'daily' | 'monthly', use: QuotaUse): AlertCondition[] {
  const key = `${provider}/${period}`;
  const used = `${use.sent} of ${use.limit}`;
  if (use.sent >= use.limit) {
    return [{ key: `${key}/used-up`, text: `CRITICAL: ${provider} ${period} quota is used up (${used})` }];
  }
  switch (quotaStatus(percentUsed(use))) {
    case 'exhausted':
      return [{ key: `${key}/nearly`, text: `ERROR: ${provider} ${period} quota is nearly used up (${used})` }];
    case 'warning':
      return [{ key: `${key}/high`, text: `WARNING: ${provider} ${period} quota is over 70 % (${used})` }];
    case 'ok':
      return [];
  }
}
