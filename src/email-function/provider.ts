/** What every provider is to the email function, whatever it is underneath: an API, an SMTP server, or the sandbox's imagination. */
import type { Provider } from '../domain/email.ts';
import type { HealthCheck, QuotaReading } from '../domain/provider-state.ts';
import type { SendFailureKind } from '../domain/send-failure.ts';

export interface Email {
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text?: string | undefined;
  readonly from?: string | undefined;
  readonly fromName?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly provider: Provider;
  readonly idempotencyKey?: string | undefined;
}

export interface EmailProvider {
  readonly name: Provider;
  /** False: there is no key for it here, so nothing else of it is called. */
  readonly isConfigured: boolean;
  /** True when the provider itself recognises a repeated key, so that a send without our memory is still safe. */
  readonly knowsKeys: boolean;
  /** At most one check in so many ms, by all instances together: some providers count them (FACTS §5). */
  readonly checkEveryMs: number;
  /** Never throws for what can go wrong outside. */
  send(email: Email, signal: AbortSignal): Promise<SendResult>;
  /** Asks whether it would take emails from us now. Never throws for what can go wrong outside. */
  checkHealth(signal: AbortSignal): Promise<HealthCheck>;
  /** What it says about our quota itself; null where it does not say. Never throws for what can go wrong outside. */
  readQuota(signal: AbortSignal): Promise<QuotaReading | null>;
}

export type SendResult =
  | {
      readonly ok: true;
      /** Null where it accepted the email without naming it. */
      readonly messageId: string | null;
      /** Where it is not the time that passed: the sandbox's. */
      readonly latencyMs?: number;
      /** It was sent, and the caller must never learn. Only the sandbox does that. */
      readonly isAnswerLost?: boolean;
    }
  | SendRefusal;

export interface SendRefusal {
  readonly ok: false;
  readonly kind: SendFailureKind;
  /** One line that begins with status and code, as `429 daily_quota_exceeded: …`, so that every caller reads the same in it. */
  readonly message: string;
  /** How long the provider wants to be left alone; null where it does not say. */
  readonly retryAfterMs: number | null;
  /** For `quota`: what is used up. */
  readonly period: 'day' | 'month';
  readonly latencyMs?: number;
  readonly isAnswerLost?: boolean;
}

/** Who sends where nothing else is set. */
export const DEFAULT_SENDER = { address: 'no-reply@foodshare.club', name: 'FoodShare' } as const;

export interface Sender {
  readonly address: string;
  readonly name: string;
}

/** Who an email comes from: what it says itself, as an address or as `Name <address>`, else what is set for all. */
export function senderOf(email: Email, preset: Sender): Sender {
  const { name, address } = mailboxParts(email.from ?? '');
  return { address: address || preset.address, name: email.fromName ?? (name || preset.name) };
}

/** Where answers go, for APIs that take address and name apart. */
export function replyToOf({ replyTo }: Email): { readonly email: string; readonly name?: string } | undefined {
  if (replyTo === undefined) return undefined;
  const { name, address } = mailboxParts(replyTo);
  return name === '' ? { email: address } : { email: address, name };
}

/** Of an address alone, or of `Name <address>`; both empty where there is neither. */
function mailboxParts(text: string): Sender {
  const [, name = '', address = text] = /^\s*"?([^"<>]*?)"?\s*<([^<>]+)>\s*$/.exec(text) ?? [];
  return { name, address };
}
