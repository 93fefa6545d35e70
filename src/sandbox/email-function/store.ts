/**
 * The email function's memory in the sandbox: the outbox tells which keys were sent and how the providers fared, so it survives
 * a kill exactly as far as the outbox itself does. What operators decide comes from the database, where they write it.
 */
import { admit, retryAtEpochMs, verdictOf } from '../../domain/circuit.ts';
import { PROVIDERS, type Provider } from '../../domain/email.ts';
import { NO_RECORD, recordSend, type SendRecord } from '../../domain/provider-record.ts';
import type { Disabled, ProviderState } from '../../domain/provider-state.ts';
import type { Clock } from '../../domain/time.ts';
import type { Email, EmailProvider } from '../../email-function/provider.ts';
import type { Admission, CheckMode, FunctionStore } from '../../email-function/store.ts';
import type { Announcements } from './announcements.ts';
import type { Controls } from './controls.ts';
import type { Outbox, SendAttempt } from './outbox.ts';
import type { Quotas } from './quota.ts';
import { attemptOf, probe } from './simulated.ts';

/** What operators decided, wherever that is kept. */
export interface Operators {
  /** Reads it again if that is due. Never rejects. */
  refresh(): Promise<void>;
  disabled(provider: Provider): Disabled | null;
  /** Epoch ms of the last reset of its circuit; null without one. */
  resetAtEpochMs(provider: Provider): number | null;
  /** Told how the providers fare, for others to read. */
  publish(records: ReadonlyMap<Provider, SendRecord>): void;
}

export interface SandboxStoreParts {
  readonly outbox: Outbox;
  readonly announcements: Announcements;
  readonly quotas: Quotas;
  readonly controls: Controls;
  readonly providers: Readonly<Record<Provider, EmailProvider>>;
  readonly operators: Operators;
  readonly clock: Clock;
  /** Lets the time pass that a check takes. */
  readonly passCheck: (mode: CheckMode) => Promise<void>;
}

export function createSandboxStore(parts: SandboxStoreParts): FunctionStore {
  const { outbox, operators, clock } = parts;
  const records = new Map<Provider, SendRecord>();
  for (const attempt of outbox.list({ limit: Number.POSITIVE_INFINITY }).toReversed()) replay(records, attempt);
  const resets = new Map<Provider, number>();

  const recordOf = (provider: Provider): SendRecord => records.get(provider) ?? NO_RECORD;
  const refresh = async () => {
    await operators.refresh();
    for (const provider of PROVIDERS) {
      const resetAt = operators.resetAtEpochMs(provider);
      if (resetAt === null || resets.get(provider) === resetAt) continue;
      const record = recordOf(provider);
      // Of a reset in an earlier life only what was sent before it is forgotten.
      if (resets.has(provider) || record.weighedAtEpochMs <= resetAt) records.set(provider, afterReset(record));
      resets.set(provider, resetAt);
    }
  };

  return {
    begin: async (email, { ignoreCircuit }): Promise<Admission> => {
      await refresh();
      const now = clock.nowEpochMs();
      const known = email.idempotencyKey === undefined ? null : outbox.firstDelivery(email.idempotencyKey, now);
      if (known !== null && !isSameEmail(known, email)) {
        outbox.record(attemptOf(email, clock, REUSED_KEY));
        return { kind: 'key-reused' };
      }
      if (known !== null) {
        outbox.record({ ...known, atEpochMs: now, repeat: true, latencyMs: 0, draw: null });
        return { kind: 'sent-before', provider: known.provider, messageId: known.messageId };
      }
      const disabled = operators.disabled(email.provider);
      if (disabled !== null && disabled.untilEpochMs > now) {
        outbox.record(attemptOf(email, clock, notAsked('503 provider_disabled')));
        return { kind: 'disabled', disabled };
      }
      if (ignoreCircuit) return { kind: 'go', claim: null };
      const record = recordOf(email.provider);
      const { admitted, circuit } = admit(record.circuit, now);
      if (admitted) {
        records.set(email.provider, { ...record, circuit });
        return { kind: 'go', claim: null };
      }
      outbox.record(attemptOf(email, clock, notAsked('503 circuit_open')));
      return { kind: 'circuit-open', retryAtEpochMs: retryAtEpochMs(record.circuit, now) };
    },
    finish: async ({ provider }, _admission, { kind, latencyMs, message }) => {
      const report = { verdict: verdictOf(kind), latencyMs, error: message };
      records.set(provider, recordSend(recordOf(provider), report, clock.nowEpochMs()));
      operators.publish(records);
    },
    providers: async () => {
      await refresh();
      return Promise.all(PROVIDERS.map((provider) => stateOf(provider, recordOf(provider), parts)));
    },
    claimChecks: async (wishes, mode) => {
      await parts.passCheck(mode);
      return wishes.map(({ provider }) => provider);
    },
    // What a check would find is known at any time.
    saveCheck: async () => {},
    announce: async (keys) => parts.announcements.announce(keys),
  };
}

async function stateOf(provider: Provider, record: SendRecord, parts: SandboxStoreParts): Promise<ProviderState> {
  const { controls, quotas, providers, operators, clock } = parts;
  const quota = await providers[provider].readQuota(AbortSignal.abort());
  return {
    provider,
    record,
    quota: quotas.use(provider),
    disabled: operators.disabled(provider),
    // The quota is known exactly here, and a scenario may raise it again.
    usedUpUntilEpochMs: null,
    check: { ...probe(provider, controls.get(provider)), checkedAtEpochMs: clock.nowEpochMs(), quota },
  };
}

/** A send of an earlier life, as it was told by the outbox. */
function replay(records: Map<Provider, SendRecord>, attempt: SendAttempt): void {
  if (attempt.repeat || attempt.failure === 'not-asked') return;
  const { provider, atEpochMs, latencyMs, message, failure } = attempt;
  const record = records.get(provider) ?? NO_RECORD;
  // Whoever sent was let through then.
  const { circuit } = admit(record.circuit, atEpochMs);
  const verdict = failure === null ? 'success' : verdictOf(failure);
  records.set(provider, recordSend({ ...record, circuit }, { verdict, latencyMs, error: message }, atEpochMs));
}

function afterReset({ totalRequests, successfulRequests }: SendRecord): SendRecord {
  return { ...NO_RECORD, totalRequests, successfulRequests };
}

const REUSED_KEY = {
  outcome: 'failed',
  failure: 'permanent',
  message: '409 invalid_idempotent_request: This idempotency key was used for another email. Use a new one.',
} as const;

function notAsked(message: string) {
  return { outcome: 'failed', failure: 'not-asked', message } as const;
}

function isSameEmail(a: Pick<Email, 'to' | 'subject'>, b: Pick<Email, 'to' | 'subject'>): boolean {
  return a.to === b.to && a.subject === b.subject;
}
