/** How each simulated provider behaves on an ordinary day, and in which words it refuses. Numbers and wordings only. */
import type { Provider } from '../../domain/email.ts';

export interface ProviderProfile {
  /** Milliseconds from the call to the provider's answer. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Share of sends that fail for no fault of the email, 0–1. */
  readonly failureRate: number;
  /** Whether the provider itself tells its quota (WIRE.md, `quotas[].source`). */
  readonly quotaSource: 'api' | 'database';
  readonly transient: readonly string[];
  readonly outage: string;
  readonly rateLimited: string;
  readonly dailyQuota: string;
  readonly monthlyQuota: string;
  readonly invalidAddress: string;
  readonly rejectedAddress: string;
}

/** The messages follow what each provider's API answers (status, error name, how long to wait). */
export const PROFILES: Readonly<Record<Provider, ProviderProfile>> = {
  resend: {
    medianMs: 180,
    p99Ms: 900,
    failureRate: 0.004,
    quotaSource: 'database',
    transient: [
      '429 rate_limit_exceeded: Too many requests. Limit is 5 per second. Retry after 1 second.',
      '500 internal_server_error: An unexpected error occurred. Retry later.',
      '500 application_error: The request could not be processed. Retry later.',
    ],
    outage: '503 service_unavailable: Resend is not available.',
    rateLimited: '429 rate_limit_exceeded: Too many requests. Retry after 1 second.',
    dailyQuota: '429 daily_quota_exceeded: The daily sending quota is used up.',
    monthlyQuota: '429 monthly_quota_exceeded: The monthly sending quota is used up.',
    invalidAddress: '422 validation_error: Invalid `to` field. It is no email address.',
    rejectedAddress: '422 validation_error: The recipient is on the suppression list after a hard bounce.',
  },
  brevo: {
    medianMs: 260,
    p99Ms: 1_400,
    failureRate: 0.006,
    quotaSource: 'api',
    transient: [
      '429 too_many_requests: Rate limit reached. x-sib-ratelimit-reset: 2 seconds.',
      '500 internal_error: Something went wrong on our side.',
      '502 bad_gateway: Upstream did not answer.',
    ],
    outage: '503 service_unavailable: Brevo is under maintenance.',
    rateLimited: '429 too_many_requests: Rate limit reached. x-sib-ratelimit-reset: 1 second.',
    dailyQuota: '402 not_enough_credits: The daily email credits are used up.',
    monthlyQuota: '402 not_enough_credits: The monthly email credits are used up.',
    invalidAddress: '400 invalid_parameter: email is not valid in to.',
    rejectedAddress: '400 invalid_parameter: The contact is blocklisted after a hard bounce.',
  },
  mailersend: {
    medianMs: 320,
    p99Ms: 1_800,
    failureRate: 0.006,
    quotaSource: 'api',
    transient: [
      '429 #MS42903: Too many requests in this minute. Retry after 6 seconds.',
      '500 Server Error.',
      '504 Gateway Timeout.',
    ],
    outage: '503 Service Unavailable.',
    rateLimited: '429 #MS42903: Too many requests in this minute. Retry after 1 second.',
    dailyQuota: '429 #MS42901: The daily quota is reached.',
    monthlyQuota: '429 #MS42901: The monthly email quota is reached.',
    invalidAddress: '422 The to.0.email must be a valid email address.',
    rejectedAddress: '422 The to.0.email is on the hard bounces suppression list.',
  },
  aws_ses: {
    medianMs: 120,
    p99Ms: 600,
    failureRate: 0.003,
    quotaSource: 'api',
    transient: [
      '400 ThrottlingException: Maximum sending rate exceeded.',
      '429 TooManyRequestsException: Too many requests.',
      '500 InternalFailure: The request failed because of an internal error.',
      '503 ServiceUnavailable: The request failed temporarily.',
    ],
    outage: '503 ServiceUnavailable: The region does not answer.',
    rateLimited: '400 ThrottlingException: Maximum sending rate exceeded.',
    dailyQuota: '400 LimitExceededException: Daily message quota exceeded.',
    monthlyQuota: '400 LimitExceededException: Monthly message quota exceeded.',
    invalidAddress: '400 BadRequestException: Illegal address.',
    rejectedAddress: '400 MessageRejected: Address is on the account suppression list.',
  },
};

/** Recipients whose mailbox refuses for good, by their local part. Tests and scenarios use them to get permanent failures. */
export const REJECTED_LOCAL_PARTS = ['bounce', 'blocked', 'suppressed', 'complaint'] as const;
