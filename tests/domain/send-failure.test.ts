import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROVIDERS } from '../../src/domain/email.ts';
import { classifySendFailure, type SendFailureKind, unanswered } from '../../src/domain/send-failure.ts';
import { PROFILES } from '../../src/sandbox/email-function/profiles.ts';

const WORDS: readonly (readonly [provider: string, reason: string, kind: SendFailureKind])[] = [
  ['resend', '429 daily_quota_exceeded: You have reached your daily email sending quota.', 'quota'],
  ['resend', '429 monthly_quota_exceeded', 'quota'],
  ['resend', '429 rate_limit_exceeded: Too many requests.', 'rate-limited'],
  ['resend', '409 concurrent_idempotent_requests', 'unanswered'],
  ['resend', '409 invalid_idempotent_request: This key was used for another payload.', 'permanent'],
  ['resend', '401 missing_api_key', 'refused'],
  ['resend', '400 validation_error: API key is invalid', 'refused'],
  ['resend', '403 validation_error: The foodshare.club domain is not verified.', 'refused'],
  ['resend', '403 validation_error: You can only send testing emails to your own email address.', 'refused'],
  ['resend', '422 validation_error: Invalid `to` field.', 'permanent'],
  ['resend', '451 security_error', 'permanent'],
  ['resend', '500 application_error', 'outage'],
  [
    'resend',
    '503 circuit_open: Its last sends failed, so it is left alone until 2026-11-23T17:51:43.245Z.',
    'rate-limited',
  ],
  ['brevo', '503 provider_disabled: Disabled by ada: account suspended. Retry after 60 seconds.', 'rate-limited'],
  ['brevo', '402 not_enough_credits', 'quota'],
  ['brevo', '401 unauthorized: Key not found', 'refused'],
  ['brevo', '403 permission_denied', 'refused'],
  ['brevo', '400 invalid_parameter: email is not valid in to', 'permanent'],
  ['brevo', '400 missing_parameter: subject is missing', 'permanent'],
  ['mailersend', '429 #MS42903: Too many requests.', 'rate-limited'],
  ['mailersend', '429 #MS42901: Daily quota reached.', 'quota'],
  ['mailersend', '422 #MS42207: The from.email domain must be verified.', 'refused'],
  ['mailersend', '422 #MS42225: The trial account is limited.', 'refused'],
  ['mailersend', '422 The to.0.email must be a valid email address.', 'permanent'],
  ['mailersend', '504 Gateway Timeout.', 'unanswered'],
  ['aws_ses', '400 ThrottlingException: Maximum sending rate exceeded.', 'rate-limited'],
  ['aws_ses', '429 TooManyRequestsException', 'rate-limited'],
  ['aws_ses', '454 Throttling failure: Daily message quota exceeded.', 'quota'],
  ['aws_ses', '400 LimitExceededException', 'quota'],
  ['aws_ses', '400 AccountSuspendedException', 'refused'],
  ['aws_ses', '400 SendingPausedException', 'refused'],
  ['aws_ses', '400 MailFromDomainNotVerifiedException', 'refused'],
  ['aws_ses', '400 MessageRejected: Email address is not verified.', 'refused'],
  ['aws_ses', '400 MessageRejected: Address is on the suppression list.', 'permanent'],
  ['aws_ses', '503 ServiceUnavailable', 'outage'],
  ['brevo', '503 service_unavailable', 'outage'],
  ['brevo', 'connect ECONNREFUSED 10.0.0.1:443', 'outage'],
  ['brevo', 'request timed out after 10000 ms', 'unanswered'],
  ['brevo', 'read ECONNRESET', 'unanswered'],
  ['brevo', 'brevo is not configured.', 'refused'],
  ['brevo', 'something else happened', 'transient'],
  ['brevo', 'no reason, but order 503 is in it', 'transient'],
  ['nobody', '429 Too Many Requests', 'rate-limited'],
  ['__proto__', 'odd', 'transient'],
];

describe('a failed send', () => {
  test.each(WORDS)('%s: "%s" is %s', (provider, reason, kind) => {
    expect(classifySendFailure(provider, reason).kind).toBe(kind);
  });

  test.each(PROVIDERS)('of the simulated %s is read as it was meant', (provider) => {
    const { outage, rateLimited, dailyQuota, monthlyQuota, invalidAddress, rejectedAddress } = PROFILES[provider];
    const read = (words: string) => classifySendFailure(provider, words);
    expect(read(outage).kind).toBe('outage');
    expect(read(rateLimited).kind).toBe('rate-limited');
    expect(read(dailyQuota)).toMatchObject({ kind: 'quota', period: 'day' });
    expect(read(monthlyQuota)).toMatchObject({ kind: 'quota', period: 'month' });
    expect(read(invalidAddress).kind).toBe('permanent');
    expect(read(rejectedAddress).kind).toBe('permanent');
  });

  test.each([
    ['Too many requests. Retry after 6 seconds.', 6_000],
    ['retry-after: 2', 2_000],
    ['Retry-After: 0.5 s', 500],
    ['x-sib-ratelimit-reset: 1 second.', 1_000],
    ['try again in 500 ms', 500],
    ['Retry after 3 minutes', 180_000],
    ['Retry after 5 hours', 3_600_000],
    ['Rate limit reached.', null],
    ['Retry after 2026-11-24T00:00:00Z', null],
  ])('"%s" asks for %s ms of patience', (reason, ms) => {
    expect(classifySendFailure('brevo', reason).retryAfterMs).toBe(ms);
  });

  test('carries no address and no control characters', () => {
    const { message } = classifySendFailure(
      'brevo',
      'The address\u0000 maria.rossi@example.org\nis \u001b[31mblocked.',
    );
    expect(message).toBe('The address m***@example.org is blocked.');
    expect(unanswered('').message).toBe('No reason was given.');
  });

  test('never throws, whatever is said, and is quick about it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PROVIDERS, 'other'), fc.string({ maxLength: 2_000 }), (provider, reason) => {
        const failure = classifySendFailure(provider, reason);
        expect(failure.message.length).toBeLessThanOrEqual(600);
      }),
    );
    const startedAt = performance.now();
    classifySendFailure('resend', `${'a'.repeat(1_000_000)} retry after ${'1'.repeat(1_000_000)}`);
    expect(performance.now() - startedAt).toBeLessThan(200);
  });
});
