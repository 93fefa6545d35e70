/** The `health` action: the answer of WIRE.md, put together from the assessments. */
import { PROVIDERS } from '../../domain/email.ts';
import { percentUsed, type QuotaUse, remaining } from '../../domain/quota.ts';
import type { Alerts } from './alerts.ts';
import { type Assess, type Assessment, rankUsable } from './assessment.ts';
import { PROFILES } from './profiles.ts';

export const HEALTH_MODES = ['ping', 'full', 'status'] as const;
export type HealthMode = (typeof HEALTH_MODES)[number];

/**
 * `ping` probes and leaves out metrics and alerts, `status` answers from memory, `full` probes and announces alerts.
 * Everything but `durationMs`, which the caller measures.
 */
export function healthAnswer(mode: HealthMode, assess: Assess, alerts: Alerts, nowEpochMs: number) {
  const assessments = PROVIDERS.map(assess);
  const timestamp = new Date(nowEpochMs).toISOString();
  const common = {
    success: true,
    timestamp,
    providers: assessments.map((assessment) => describeProvider(assessment, timestamp)),
    quotas: assessments.map(describeQuota),
    summary: summarize(assess, assessments),
  };
  if (mode === 'ping') return { ...common, snapshotsTaken: 0 };
  return {
    ...common,
    healthMetrics: assessments.map(describeMetrics),
    alerts: mode === 'full' ? alerts.announce(assessments) : alerts.current(assessments),
    snapshotsTaken: mode === 'full' ? assessments.length : 0,
  };
}

function describeProvider(assessment: Assessment, lastChecked: string) {
  const { provider, status, healthScore, probeMs, message, configured } = assessment;
  return { provider, status, healthScore, latencyMs: Math.round(probeMs), message, configured, lastChecked };
}

function describeQuota({ provider, quota }: Assessment) {
  return {
    provider,
    daily: { sent: quota.day.sent, ...describeUse(quota.day) },
    monthly: { sent: quota.month.sent, ...describeUse(quota.month) },
    source: PROFILES[provider].quotaSource,
  };
}

function describeMetrics({ provider, healthScore, record }: Assessment) {
  return {
    provider,
    healthScore,
    successRate: record.successRatePercent,
    avgLatencyMs: record.averageLatencyMs,
    totalRequests: record.totalRequests,
    consecutiveFailures: record.consecutiveFailures,
    circuitState: record.circuitState,
  };
}

function summarize(assess: Assess, assessments: readonly Assessment[]) {
  const configured = assessments.filter((assessment) => assessment.configured);
  return {
    totalProviders: assessments.length,
    healthyProviders: assessments.filter((assessment) => assessment.status === 'ok').length,
    configuredProviders: configured.length,
    daily: describeTotal(configured.map(({ quota }) => quota.day)),
    monthly: describeTotal(configured.map(({ quota }) => quota.month)),
    bestProvider: rankUsable(assess)[0]?.provider ?? null,
  };
}

function describeTotal(uses: readonly QuotaUse[]) {
  const sent = uses.reduce((sum, use) => sum + use.sent, 0);
  const limit = uses.reduce((sum, use) => sum + use.limit, 0);
  const totalRemaining = uses.reduce((sum, use) => sum + remaining(use), 0);
  return { totalSent: sent, totalLimit: limit, totalRemaining, percentUsed: toTenth(percentUsed({ sent, limit })) };
}

function describeUse(use: QuotaUse) {
  return { limit: use.limit, remaining: remaining(use), percentUsed: toTenth(percentUsed(use)) };
}

function toTenth(value: number): number {
  return Math.round(value * 10) / 10;
}
