/** The email function's health JSON (WIRE.md, Email function), as the function answers it and as Redis caches it. */
import { z } from 'zod';
import type { HealthReport } from '../domain/health.ts';
import { count, epochMs, lenient, parseEach } from './parse.ts';

/** One provider's quota as the function reports it, for the reconciliation of our own counts. */
export interface ReportedQuota {
  readonly provider: string;
  readonly daySent: number;
  readonly dayLimit: number;
  readonly monthSent: number;
  readonly monthLimit: number;
  /** `api`: asked of the provider; `database`: counted by us. */
  readonly source: string;
}

export interface ParsedHealth {
  readonly report: HealthReport;
  readonly quotas: readonly ReportedQuota[];
  /** Elements of its lists that could not be read. */
  readonly skipped: number;
}

/** Null when the value as a whole is no health report. */
export function parseHealth(value: unknown): ParsedHealth | null {
  const outer = Outer.safeParse(value);
  if (!outer.success) return null;
  const { data } = outer;
  const providers = parseEach(Provider, data.providers);
  const metrics = parseEach(Metrics, data.healthMetrics);
  const quotas = parseEach(Quota, data.quotas);
  const alerts = parseEach(z.string(), data.alerts);
  const configured = providers.values.filter((provider) => provider.configured);
  return {
    report: {
      checkedAtEpochMs: data.timestamp,
      providers: providers.values,
      metrics: metrics.values,
      healthyProviders: data.summary?.healthyProviders ?? configured.filter(({ status }) => status === 'ok').length,
      totalProviders: data.summary?.totalProviders ?? configured.length,
      bestProvider: data.summary?.bestProvider ?? null,
      alerts: alerts.values,
    },
    quotas: quotas.values,
    skipped: providers.skipped + metrics.skipped + quotas.skipped + alerts.skipped,
  };
}

const list = z.array(z.unknown()).catch([]);

const Outer = z.object({
  timestamp: epochMs,
  providers: z.array(z.unknown()),
  quotas: list,
  healthMetrics: list,
  alerts: list,
  summary: lenient(
    z.object({
      totalProviders: count,
      healthyProviders: count,
      bestProvider: lenient(z.string()),
    }),
  ),
});

const Provider = z.object({
  provider: z.string(),
  status: z.enum(['ok', 'degraded', 'error', 'unconfigured']),
  healthScore: count.catch(0),
  latencyMs: lenient(count),
  message: lenient(z.string()),
  configured: z.boolean().catch(true),
});

const Metrics = z
  .object({
    provider: z.string(),
    healthScore: count,
    successRate: count,
    avgLatencyMs: count,
    totalRequests: count,
    consecutiveFailures: count.catch(0),
    circuitState: z.string().catch('closed'),
  })
  .transform(({ successRate, avgLatencyMs, ...rest }) => ({
    ...rest,
    successRatePercent: successRate,
    averageLatencyMs: avgLatencyMs,
  }));

const Use = z.object({ sent: count, limit: count });

const Quota = z
  .object({ provider: z.string(), daily: Use, monthly: Use, source: z.string().catch('database') })
  .transform(({ provider, daily, monthly, source }) => ({
    provider,
    daySent: daily.sent,
    dayLimit: daily.limit,
    monthSent: monthly.sent,
    monthLimit: monthly.limit,
    source,
  }));
