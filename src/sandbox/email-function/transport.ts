/** Where an email goes once the simulated provider has accepted it: nowhere, or to a real SMTP server. */
import { randomUUID } from 'node:crypto';
import type { Provider } from '../../domain/email.ts';

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

export type Delivery =
  | { readonly ok: true; readonly messageId: string }
  | { readonly ok: false; readonly failure: 'transient' | 'permanent'; readonly message: string };

export interface Transport {
  /** True when it takes its own time and fails by itself, so that nothing needs to be simulated. */
  readonly isReal: boolean;
  deliver(email: Email): Promise<Delivery>;
  close(): void;
}

export const DEFAULT_FROM = 'no-reply@foodshare.club';
export const DEFAULT_FROM_NAME = 'FoodShare';

/** Accepts everything and sends nothing. */
export function simulatedTransport(): Transport {
  return {
    isReal: false,
    deliver: async (email) => ({ ok: true, messageId: `${email.provider}-${randomUUID()}` }),
    close: () => {},
  };
}
