/** The providers as Postgres knows them (our migration): circuit, recent sends, last check, and what operators decide about them. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import { CLOSED } from '../domain/circuit.ts';
import { PROVIDERS, type Provider } from '../domain/email.ts';
import { NO_RECORD } from '../domain/provider-record.ts';
import type { Disabled, ProviderState } from '../domain/provider-state.ts';
import { KNOWN_LIMITS } from '../domain/quota.ts';
import { FaultError, SYSTEM, unreadable } from './fault.ts';
import { count, epochMs, lenient, parseEach } from './parse.ts';
import { answerOf } from './supabase.ts';

/** All verbs throw `FaultError`; `isMissingSchema` tells a database without our migration. Whoever calls writes the audit list. */
export interface ProviderGateway {
  /** All four, in their fixed order. */
  read(signal?: AbortSignal): Promise<readonly ProviderState[]>;
  /** Closes the circuit and forgets recent failures and a used-up quota, so that the provider is chosen again at once. */
  resetCircuit(provider: Provider, signal?: AbortSignal): Promise<void>;
  /** Nothing goes through it until then: the email function, its `route` and our processors keep to it. */
  disableUntil(provider: Provider, disabled: Disabled, signal?: AbortSignal): Promise<void>;
  /** False when it was not disabled. */
  enable(provider: Provider, signal?: AbortSignal): Promise<boolean>;
}

export function createProviderGateway(client: SupabaseClient): ProviderGateway {
  const call = async (name: string, parameters: Record<string, unknown>, signal?: AbortSignal): Promise<unknown> =>
    (await answerOf(client.rpc(name, parameters), signal)).data;
  return {
    read: async (signal) => {
      const data = await call('email_function_providers', { p_providers: PROVIDERS }, signal);
      const { values, skipped } = parseEach(StateRow, Array.isArray(data) ? data : []);
      if (skipped > 0 || values.length < PROVIDERS.length) {
        throw new FaultError(unreadable(SYSTEM.postgres, 'something else than the state of the providers'));
      }
      return values;
    },
    resetCircuit: async (provider, signal) => {
      await call('reset_email_provider', { p_provider: provider }, signal);
    },
    disableUntil: async (provider, { untilEpochMs, by, reason }, signal) => {
      const until = new Date(untilEpochMs).toISOString();
      const decision = { p_provider: provider, p_until: until, p_by: by, p_reason: reason };
      await call('disable_email_provider', decision, signal);
    },
    enable: async (provider, signal) =>
      (await call('enable_email_provider', { p_provider: provider }, signal)) === true,
  };
}

const time = lenient(epochMs);
const use = lenient(z.object({ sent: count, limit: count }));

const Circuit = z
  .object({
    state: z.enum(['closed', 'open', 'half-open']),
    failures: count,
    successes: count,
    lastFailureAt: time,
    nextRetryAt: time,
    probeUntil: time,
  })
  .transform(({ lastFailureAt, nextRetryAt, probeUntil, ...rest }) => ({
    ...rest,
    lastFailureAtEpochMs: lastFailureAt,
    nextRetryAtEpochMs: nextRetryAt,
    probeUntilEpochMs: probeUntil,
  }));

const Metrics = z.object({
  totalRequests: count,
  successfulRequests: count,
  consecutiveFailures: count,
  weight: count,
  successWeight: count,
  latencyWeight: count,
  weighedAt: time,
  lastError: lenient(z.string()),
  usedUpUntil: time,
});

const Control = z.object({ disabledUntil: time, by: lenient(z.string()), reason: lenient(z.string()) });

const Check = z.object({
  checkedAt: epochMs,
  status: z.enum(['ok', 'degraded', 'error']),
  message: z.string(),
  latencyMs: count,
  quota: lenient(z.object({ daily: use, monthly: use })),
});

const Quota = z.object({ daySent: count, dayLimit: count, monthSent: count, monthLimit: count });

const StateRow = z
  .object({
    provider: z.enum(PROVIDERS),
    circuit: lenient(Circuit),
    metrics: lenient(Metrics),
    control: lenient(Control),
    check: lenient(Check),
    quota: lenient(Quota),
  })
  .transform(({ provider, circuit, metrics, control, check, quota }): ProviderState => {
    const limits = KNOWN_LIMITS[provider];
    return {
      provider,
      record: {
        ...NO_RECORD,
        ...(metrics === null ? {} : recordOf(metrics)),
        circuit: circuit ?? CLOSED,
      },
      disabled:
        control === null || control.disabledUntil === null
          ? null
          : { untilEpochMs: control.disabledUntil, by: control.by ?? 'an operator', reason: control.reason ?? '' },
      usedUpUntilEpochMs: metrics?.usedUpUntil ?? null,
      check: check === null ? null : toCheck(check),
      quota: {
        provider,
        day: { sent: quota?.daySent ?? 0, limit: quota?.dayLimit ?? limits.daily },
        month: { sent: quota?.monthSent ?? 0, limit: quota?.monthLimit ?? limits.monthly },
      },
    };
  });

function recordOf({ weighedAt, usedUpUntil: _, ...rest }: z.infer<typeof Metrics>) {
  return { ...rest, weighedAtEpochMs: weighedAt ?? 0 };
}

function toCheck({ checkedAt, ...rest }: z.infer<typeof Check>) {
  return { ...rest, checkedAtEpochMs: checkedAt };
}
