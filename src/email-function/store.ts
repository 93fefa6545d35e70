/**
 * What the email function remembers, as a port: Postgres for the deployed function, whose instances come and go and are
 * several; the journal of the sandbox for the sandbox's. Everything else of the function holds no state.
 */
import type { Provider } from '../domain/email.ts';
import type { Disabled, ProviderState, StoredCheck } from '../domain/provider-state.ts';
import type { SendFailureKind } from '../domain/send-failure.ts';
import type { Email } from './provider.ts';

export interface FunctionStore {
  /** Before a send: may it be made? Throws when nobody can say. */
  begin(email: Email, options: { readonly ignoreCircuit: boolean }): Promise<Admission>;
  /** After a send that `begin` let through: remembers it by its key, and what it says about the provider. */
  finish(email: Email, admission: Admitted, end: SendEnd): Promise<void>;
  /** What is known of every provider, in their fixed order. */
  providers(): Promise<readonly ProviderState[]>;
  /** Which of these are to be checked now, by this caller alone: those whose last check is older than `everyMs`. */
  claimChecks(wanted: readonly CheckWish[], mode: CheckMode): Promise<readonly Provider[]>;
  saveCheck(provider: Provider, check: Omit<StoredCheck, 'checkedAtEpochMs'>): Promise<void>;
  /** Of these alerts, those that nobody has announced within the last hour. They count as announced. */
  announce(keys: readonly string[]): Promise<readonly string[]>;
}

export type CheckMode = 'ping' | 'full';

export interface CheckWish {
  readonly provider: Provider;
  readonly everyMs: number;
}

export interface Admitted {
  readonly kind: 'go';
  /** Whose send this is, where it has a key. */
  readonly claim: string | null;
}

export type Admission =
  | Admitted
  /** This key was delivered within the last 24 hours. */
  | { readonly kind: 'sent-before'; readonly provider: string; readonly messageId: string | null }
  /** This key belongs to another email. */
  | { readonly kind: 'key-reused' }
  /** This key is being sent at this moment, by another instance. */
  | { readonly kind: 'in-flight' }
  | { readonly kind: 'circuit-open'; readonly retryAtEpochMs: number }
  | { readonly kind: 'disabled'; readonly disabled: Disabled };

export interface SendEnd {
  readonly kind: 'sent' | SendFailureKind;
  readonly messageId: string | null;
  readonly message: string | null;
  readonly latencyMs: number;
  /** Until when the provider's quota is used up; null when it is not. */
  readonly usedUpUntilEpochMs: number | null;
}
