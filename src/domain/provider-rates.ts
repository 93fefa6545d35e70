/** How fast each provider takes emails from one account (FACTS §5), and a bucket that keeps to it. */
import type { Provider } from './email.ts';

/** Sends a second. Amazon's is that of a fresh production account; 1 while the account is in its sandbox. */
export const RATE_PER_SECOND: Readonly<Record<Provider, number>> = {
  resend: 5,
  brevo: 1_000,
  mailersend: 2,
  aws_ses: 14,
};

/** An account with this daily limit or less is in Amazon's sandbox: one email a second. */
const SES_SANDBOX_DAILY_LIMIT = 200;

/** How long a provider rests that wants a pause but does not say how long. */
export const DEFAULT_REST_MS: Readonly<Record<Provider, number>> = {
  resend: 1_000,
  brevo: 1_000,
  mailersend: 10_000,
  aws_ses: 1_000,
};

export function rateOf(provider: Provider, dailyLimit: number): number {
  if (provider === 'aws_ses' && dailyLimit <= SES_SANDBOX_DAILY_LIMIT) return 1;
  return RATE_PER_SECOND[provider];
}

export interface RateBucket {
  /** When the next send may start: now, or later. */
  nextAtEpochMs(nowEpochMs: number): number;
  take(nowEpochMs: number): void;
}

/** A token bucket that holds one second's worth and begins full. */
export function createRateBucket(perSecond: number): RateBucket {
  const capacity = Math.max(1, perSecond);
  let tokens = capacity;
  let filledAtEpochMs: number | null = null;
  const fill = (nowEpochMs: number) => {
    // A clock that was set back adds nothing and takes nothing.
    const elapsedMs = Math.max(0, nowEpochMs - (filledAtEpochMs ?? nowEpochMs));
    tokens = Math.min(capacity, tokens + (elapsedMs / 1_000) * perSecond);
    filledAtEpochMs = nowEpochMs;
  };
  return {
    nextAtEpochMs: (nowEpochMs) => {
      fill(nowEpochMs);
      return tokens > 0.999 ? nowEpochMs : nowEpochMs + Math.ceil(((1 - tokens) / perSecond) * 1_000);
    },
    take: (nowEpochMs) => {
      fill(nowEpochMs);
      tokens -= 1;
    },
  };
}
