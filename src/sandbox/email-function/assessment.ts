/** One provider at a glance: what a probe would find now, together with what its recent sends say. */
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import type { ProviderStatus } from '../../domain/health.ts';
import { type ProviderQuota, remainingToday } from '../../domain/quota.ts';
import type { Controls, ProviderControl } from './controls.ts';
import { PROFILES } from './profiles.ts';
import type { Quotas } from './quota.ts';
import type { ProviderRecord, TrackRecord } from './track-record.ts';

export interface Assessment {
  readonly provider: Provider;
  readonly status: ProviderStatus;
  /** 0–100. */
  readonly healthScore: number;
  /** What a probe takes, before any latency factor. */
  readonly probeMs: number;
  readonly message: string;
  readonly configured: boolean;
  readonly record: ProviderRecord;
  readonly quota: ProviderQuota;
}

const DOWN_SCORE = 5;
const DEGRADED_BELOW = 80;
/** A provider under this score is passed over (WIRE.md, Choosing a provider). */
export const UNUSABLE_BELOW = 20;
const PROBE_TIMEOUT_MS = 5_000;

export type Assess = (provider: Provider) => Assessment;

export function createAssess(parts: { controls: Controls; quotas: Quotas; record: TrackRecord }): Assess {
  return (provider) => {
    const control = parts.controls.get(provider);
    const record = parts.record.of(provider);
    const quota = parts.quotas.use(provider);
    return { provider, configured: control.configured, record, quota, ...probe(provider, control, record) };
  };
}

/** Configured, not down, circuit not open, and something left of the quota. */
export function isUsable(assessment: Assessment): boolean {
  return (
    assessment.configured &&
    assessment.healthScore >= UNUSABLE_BELOW &&
    assessment.record.circuitState !== 'open' &&
    remainingToday(assessment.quota) > 0
  );
}

/** The usable ones, healthiest first; equal ones in the given order. */
export function rankUsable(assess: Assess, order: readonly Provider[] = PROVIDERS): readonly Assessment[] {
  return order
    .map(assess)
    .filter(isUsable)
    .sort((a, b) => b.healthScore - a.healthScore);
}

function probe(
  provider: Provider,
  control: ProviderControl,
  record: ProviderRecord,
): Pick<Assessment, 'status' | 'healthScore' | 'probeMs' | 'message'> {
  const probeMs = control.mode === 'slow' ? control.medianMs * 10 : control.medianMs;
  if (!control.configured) return { status: 'unconfigured', healthScore: 0, probeMs: 0, message: 'No API key is set.' };
  if (control.mode === 'outage') {
    return { status: 'error', healthScore: DOWN_SCORE, probeMs: 50, message: PROFILES[provider].outage };
  }
  if (control.mode === 'hang' || control.mode === 'mute') {
    const message = `No answer within ${PROBE_TIMEOUT_MS / 1_000} s.`;
    return { status: 'error', healthScore: DOWN_SCORE, probeMs: PROBE_TIMEOUT_MS, message };
  }
  const { healthScore } = record;
  if (record.circuitState === 'open') {
    return { status: 'error', healthScore, probeMs, message: record.lastError ?? 'The circuit is open.' };
  }
  if (control.mode === 'slow') return { status: 'degraded', healthScore, probeMs, message: 'Answers slowly.' };
  if (healthScore < DEGRADED_BELOW) {
    return { status: 'degraded', healthScore, probeMs, message: record.lastError ?? 'Some sends fail.' };
  }
  return { status: 'ok', healthScore, probeMs, message: 'Operational.' };
}
