/** What the email function's `health` action answers (WIRE.md, Email function), as far as we use it. */

export type ProviderStatus = 'ok' | 'degraded' | 'error' | 'unconfigured';

export interface ProviderHealth {
  readonly provider: string;
  readonly status: ProviderStatus;
  /** 0–100. */
  readonly healthScore: number;
  readonly latencyMs: number | null;
  readonly message: string | null;
  readonly configured: boolean;
}

export interface ProviderMetrics {
  readonly provider: string;
  readonly healthScore: number;
  /** 0–100. */
  readonly successRatePercent: number;
  readonly averageLatencyMs: number;
  readonly totalRequests: number;
  readonly consecutiveFailures: number;
  readonly circuitState: string;
}

export interface HealthReport {
  readonly checkedAtEpochMs: number;
  readonly providers: readonly ProviderHealth[];
  readonly metrics: readonly ProviderMetrics[];
  readonly healthyProviders: number;
  readonly totalProviders: number;
  readonly bestProvider: string | null;
  readonly alerts: readonly string[];
}

/** `email:health:latest` with `email:health:error`: the last good report, and the last failure of the check. */
export interface HealthCache {
  readonly report: HealthReport | null;
  readonly lastError: { readonly message: string; readonly atEpochMs: number | null } | null;
  /** Values found in the cache that could not be read. */
  readonly skipped: number;
}
