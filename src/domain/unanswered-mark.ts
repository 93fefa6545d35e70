/**
 * The mark in `last_error` that says: this provider may have sent the email already, nobody answered. As long as it stands
 * there, only that provider may try again, under the same idempotency key; through any other the email could arrive twice.
 */
import { isProvider, type Provider } from './email.ts';

const MARK = /\[unanswered: ([a-z_]+)\]$/;

export function markUnanswered(message: string, provider: Provider): string {
  return `${message.replace(MARK, '').trimEnd()} [unanswered: ${provider}]`;
}

/** The provider that may have sent the email, or null. */
export function unansweredProvider(lastError: string | null): Provider | null {
  const name = MARK.exec(lastError?.trimEnd() ?? '')?.[1];
  return isProvider(name) ? name : null;
}
