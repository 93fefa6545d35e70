/** What is kept of each provider in Postgres: recent sends and circuit, the last check, and what operators decided. */
import type { Provider } from './email.ts';
import type { SendRecord } from './provider-record.ts';
import type { ProviderQuota } from './quota.ts';

export interface ProviderState {
  readonly provider: Provider;
  readonly record: SendRecord;
  readonly quota: ProviderQuota;
  /** May be over: compare with the clock. */
  readonly disabled: Disabled | null;
  /** The provider itself said that its quota is used up, whatever we counted. */
  readonly usedUpUntilEpochMs: number | null;
  readonly check: StoredCheck | null;
}

/** Taken out by an operator. */
export interface Disabled {
  readonly untilEpochMs: number;
  readonly by: string;
  readonly reason: string;
}

export interface HealthCheck {
  readonly status: 'ok' | 'degraded' | 'error';
  /** One line, without secrets. */
  readonly message: string;
  readonly latencyMs: number;
}

export interface StoredCheck extends HealthCheck {
  readonly checkedAtEpochMs: number;
  /** What the provider itself said; null where it does not. */
  readonly quota: QuotaReading | null;
}

export interface QuotaReading {
  readonly daily: Use | null;
  readonly monthly: Use | null;
}

export interface Use {
  readonly sent: number;
  readonly limit: number;
}

/** Until when an operator took it out; null when it may be used. */
export function disabledUntilEpochMs({ disabled }: Pick<ProviderState, 'disabled'>, nowEpochMs: number): number | null {
  return disabled !== null && disabled.untilEpochMs > nowEpochMs ? disabled.untilEpochMs : null;
}
