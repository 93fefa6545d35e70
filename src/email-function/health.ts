/** The `health` action: checks what is due, and puts the answer of WIRE.md together from the assessments. */

import { PROVIDERS, type Provider } from '../domain/email.ts';
import type { HealthCheck } from '../domain/provider-state.ts';
import { percentUsed, type QuotaUse, remaining } from '../domain/quota.ts';
import type { Clock } from '../domain/time.ts';
import { alertConditions } from './alerts.ts';
import { type Assessment, assess, rankUsable } from './assessment.ts';
import type { EmailProvider } from './provider.ts';
import type { HealthMode } from './requests.ts';
import type { FunctionStore } from './store.ts';

export interface HealthParts {
  readonly store: FunctionStore;
  readonly providers: Readonly<Record<Provider, EmailProvider>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * `ping` checks and leaves out metrics and alerts, `status` answers from memory, `full` checks and announces alerts. A check is
 * at most as old as its provider's `checkEveryMs`, whichever instance made it. Everything but `durationMs`, which the caller
 * measures.
 */
export async function healthAnswer(mode: HealthMode, parts: HealthParts) {
  const snapshotsTaken = mode === 'status' ? 0 : await check(mode, parts);
  const now = parts.clock.nowEpochMs();
  const states = await parts.store.providers();
  const assessments = states.map((state) => assess(state, parts.providers[state.provider], now));
  const common = {
    success: true,
    timestamp: new Date(now).toISOString(),
    providers: assessments.map((assessment) => describeProvider(assessment, now)),
    quotas: assessments.map(describeQuota),
    summary: summarize(assessments),
  };
  if (mode === 'ping') return { ...common, snapshotsTaken: 0 };
  return {
    ...common,
    healthMetrics: assessments.map(describeMetrics),
    alerts: await alertsOf(mode, assessments, parts.store),
    snapshotsTaken: mode === 'full' ? snapshotsTaken : 0,
  };
}

const CHECK_TIMEOUT_MS = 5_000;

/** Checks those that are due, side by side; answers how many. */
async function check(mode: 'ping' | 'full', { store, providers, signal }: HealthParts): Promise<number> {
  const wanted = PROVIDERS.filter((name) => providers[name].isConfigured);
  const wishes = wanted.map((provider) => ({ provider, everyMs: providers[provider].checkEveryMs }));
  const due = await store.claimChecks(wishes, mode);
  await Promise.all(
    due.map(async (name) => {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)]);
      const [health, quota] = await Promise.all([
        providers[name].checkHealth(deadline).catch(failedCheck),
        providers[name].readQuota(deadline).catch(() => null),
      ]);
      await store.saveCheck(name, { ...health, quota });
    }),
  );
  return due.length;
}

function failedCheck(): HealthCheck {
  return { status: 'error', message: 'The check failed inside the function.', latencyMs: 0 };
}

async function alertsOf(
  mode: HealthMode,
  assessments: readonly Assessment[],
  store: FunctionStore,
): Promise<readonly string[]> {
  const conditions = alertConditions(assessments);
  if (mode !== 'full' || conditions.length === 0) return conditions.map(({ text }) => text);
  const due = new Set(await store.announce(conditions.map(({ key }) => key)));
  return conditions.filter(({ key }) => due.has(key)).map(({ text }) => text);
}

function describeProvider(assessment: Assessment, nowEpochMs: number) {
  const { provider, status, healthScore, checkMs, message, configured, checkedAtEpochMs, disabled } = assessment;
  const lastChecked = new Date(checkedAtEpochMs ?? nowEpochMs).toISOString();
  return {
    provider,
    status,
    healthScore,
    latencyMs: Math.round(checkMs),
    message,
    configured,
    lastChecked,
    ...disabledField(assessment),
    ...(disabled === null ? {} : { disabledBy: disabled.by }),
  };
}

/** Not there where it is not disabled. */
export function disabledField({ disabled }: Assessment): { readonly disabledUntil?: string } {
  return disabled === null ? {} : { disabledUntil: new Date(disabled.untilEpochMs).toISOString() };
}

function describeQuota({ provider, quota, quotaSource }: Assessment) {
  return {
    provider,
    daily: { sent: quota.day.sent, ...describeUse(quota.day) },
    monthly: { sent: quota.month.sent, ...describeUse(quota.month) },
    source: quotaSource,
  };
}

function describeMetrics({ provider, healthScore, standing, record }: Assessment) {
  return {
    provider,
    healthScore,
    successRate: standing.successRatePercent,
    avgLatencyMs: standing.averageLatencyMs,
    totalRequests: record.totalRequests,
    consecutiveFailures: record.consecutiveFailures,
    circuitState: standing.circuitState,
  };
}

function summarize(assessments: readonly Assessment[]) {
  const configured = assessments.filter((assessment) => assessment.configured);
  return {
    totalProviders: assessments.length,
    healthyProviders: assessments.filter((assessment) => assessment.status === 'ok').length,
    configuredProviders: configured.length,
    daily: describeTotal(configured.map(({ quota }) => quota.day)),
    monthly: describeTotal(configured.map(({ quota }) => quota.month)),
    bestProvider: rankUsable(assessments)[0]?.provider ?? null,
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
