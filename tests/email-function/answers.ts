/**
 * What each provider answers when it does not send, from its own documentation, and what that means. `source` is where it is
 * documented; where the documentation leaves it open, FACTS §5 tells what others have seen.
 */
import type { Provider } from '../../src/domain/email.ts';
import type { SendFailureKind } from '../../src/domain/send-failure.ts';
import type { StubAnswer } from '../support/provider-stubs.ts';

export interface FailureCase {
  readonly provider: Provider;
  readonly what: string;
  readonly answer: StubAnswer;
  readonly kind: SendFailureKind;
  readonly period?: 'day' | 'month';
  readonly retryAfterMs?: number;
  readonly source: string;
}

const RESEND = 'https://resend.com/docs/api-reference/errors';
const RESEND_RATE = 'https://resend.com/docs/api-reference/rate-limit';
const BREVO = 'https://developers.brevo.com/docs/how-it-works#error-codes';
const BREVO_RATE = 'https://developers.brevo.com/docs/api-limits';
const MAILERSEND = 'https://developers.mailersend.com/general.html#response-codes';
const MAILERSEND_HELP = 'https://www.mailersend.com/help/rate-limits-how-to-reduce-403-422-429-errors';
const MAILERSEND_EMAIL = 'https://developers.mailersend.com/api/v1/email.html';
const SES = 'https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors';
const SES_COMMON = 'https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html';
const SES_QUOTA = 'https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html';

const resend = (status: number, name: string, message: string, headers: Record<string, string> = {}): StubAnswer => ({
  status,
  headers,
  body: { statusCode: status, name, message },
});
const brevo = (status: number, code: string, message: string, headers: Record<string, string> = {}): StubAnswer => ({
  status,
  headers,
  body: { code, message },
});
const mailersend = (status: number, message: string, more: Partial<StubAnswer> = {}): StubAnswer => ({
  status,
  body: { message },
  ...more,
});
const ses = (status: number, type: string, message: string): StubAnswer => ({
  status,
  headers: { 'x-amzn-errortype': type },
  body: { message },
});

const field = 'The `to` field must be an email address.';

export const FAILURES: readonly FailureCase[] = [
  // Resend
  {
    provider: 'resend',
    what: 'a bad field',
    answer: resend(400, 'validation_error', field),
    kind: 'permanent',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a bad field, as 422',
    answer: resend(422, 'validation_error', field),
    kind: 'permanent',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a missing field',
    answer: resend(422, 'missing_required_field', 'Missing `subject` field.'),
    kind: 'permanent',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a bad attachment',
    answer: resend(422, 'invalid_attachment', 'Attachment must have either a `content` or `path`.'),
    kind: 'permanent',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a bad idempotency key',
    answer: resend(400, 'invalid_idempotency_key', 'The key must be between 1-256 chars.'),
    kind: 'permanent',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a key used for another email',
    answer: resend(409, 'invalid_idempotent_request', 'Same idempotency key used with a different request payload.'),
    kind: 'permanent',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a key in flight',
    answer: resend(
      409,
      'concurrent_idempotent_requests',
      'Same idempotency key used while original request is still in progress.',
    ),
    kind: 'unanswered',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'no key',
    answer: resend(401, 'missing_api_key', 'Missing API key in the authorization header.'),
    kind: 'refused',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a wrong key',
    answer: resend(403, 'invalid_api_key', 'API key is invalid.'),
    kind: 'refused',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a wrong key, as 400',
    answer: resend(400, 'validation_error', 'API key is invalid'),
    kind: 'refused',
    source: 'FACTS §5, seen by others',
  },
  {
    provider: 'resend',
    what: 'a test sender',
    answer: resend(
      403,
      'validation_error',
      'You can only send testing emails to your own email address (owner@example.org).',
    ),
    kind: 'refused',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'an unverified domain',
    answer: resend(
      403,
      'validation_error',
      'The foodshare.club domain is not verified. Please, add and verify your domain.',
    ),
    kind: 'refused',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a security error',
    answer: resend(451, 'security_error', 'We may have found a security issue with the request.'),
    kind: 'permanent',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a used-up day',
    // The rate's headers are on every answer, and say nothing about the day.
    answer: resend(429, 'daily_quota_exceeded', 'You have reached your daily email sending quota.', {
      'retry-after': '1',
      'ratelimit-reset': '1',
    }),
    kind: 'quota',
    period: 'day',
    source: RESEND_RATE,
  },
  {
    provider: 'resend',
    what: 'a used-up month',
    answer: resend(429, 'monthly_quota_exceeded', 'You have reached your monthly email sending quota.'),
    kind: 'quota',
    period: 'month',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'too many requests',
    answer: resend(429, 'rate_limit_exceeded', 'Too many requests. You can only make 5 requests per second.', {
      'retry-after': '1',
      'ratelimit-reset': '1',
    }),
    kind: 'rate-limited',
    retryAfterMs: 1_000,
    source: RESEND_RATE,
  },
  {
    provider: 'resend',
    what: 'too many requests, with the reset alone',
    answer: resend(429, 'rate_limit_exceeded', 'Too many requests.', { 'ratelimit-reset': '3' }),
    kind: 'rate-limited',
    retryAfterMs: 3_000,
    source: RESEND_RATE,
  },
  {
    provider: 'resend',
    what: 'too many requests, until the end of time',
    answer: resend(429, 'rate_limit_exceeded', 'Too many requests.', { 'retry-after': '999999999999999' }),
    kind: 'rate-limited',
    retryAfterMs: 3_600_000,
    source: 'RFC 9110 §10.2.3',
  },
  {
    provider: 'resend',
    what: 'an application error',
    answer: resend(500, 'application_error', 'An unexpected error occurred.'),
    kind: 'outage',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'an internal error',
    answer: resend(500, 'internal_server_error', 'An unexpected error occurred.'),
    kind: 'outage',
    source: RESEND,
  },
  {
    provider: 'resend',
    what: 'a proxy in front of it',
    answer: { status: 502, body: '<html>Bad gateway</html>' },
    kind: 'outage',
    source: 'RFC 9110 §15.6.3',
  },
  {
    provider: 'resend',
    what: 'a gateway that gave up waiting',
    answer: { status: 504, body: '<html>Gateway timeout</html>' },
    kind: 'unanswered',
    source: 'RFC 9110 §15.6.5',
  },
  // Brevo
  {
    provider: 'brevo',
    what: 'a bad parameter',
    answer: brevo(400, 'invalid_parameter', 'email is not valid in to'),
    kind: 'permanent',
    source: BREVO,
  },
  {
    provider: 'brevo',
    what: 'a missing parameter',
    answer: brevo(400, 'missing_parameter', 'subject is missing'),
    kind: 'permanent',
    source: BREVO,
  },
  {
    provider: 'brevo',
    what: 'a sender it does not know',
    answer: brevo(
      400,
      'invalid_parameter',
      'Sending has been rejected because the sender you used no-reply@foodshare.club is not valid.',
    ),
    kind: 'refused',
    source: BREVO,
  },
  {
    provider: 'brevo',
    what: 'a wrong key',
    answer: brevo(401, 'unauthorized', 'Key not found'),
    kind: 'refused',
    source: BREVO,
  },
  {
    provider: 'brevo',
    what: 'an address it does not know',
    answer: brevo(401, 'unauthorized', 'We have detected you are using an unrecognised IP address.'),
    kind: 'refused',
    source: 'FACTS §5',
  },
  {
    provider: 'brevo',
    what: 'no credits left',
    answer: brevo(402, 'not_enough_credits', 'Not enough credits', {
      'x-sib-ratelimit-limit': '1000',
      'x-sib-ratelimit-remaining': '999',
      'x-sib-ratelimit-reset': '1',
    }),
    kind: 'quota',
    period: 'day',
    source: BREVO_RATE,
  },
  {
    provider: 'brevo',
    what: 'a suspended account',
    answer: brevo(403, 'permission_denied', 'Unable to send email. Your SMTP account is not yet activated.'),
    kind: 'refused',
    source: BREVO,
  },
  {
    provider: 'brevo',
    what: 'nothing there',
    answer: brevo(404, 'document_not_found', 'Template does not exist'),
    kind: 'permanent',
    source: BREVO,
  },
  {
    provider: 'brevo',
    what: 'a method it does not allow',
    answer: brevo(405, 'method_not_allowed', 'Method not allowed'),
    kind: 'permanent',
    source: BREVO,
  },
  {
    provider: 'brevo',
    what: 'a type it does not take',
    answer: brevo(406, 'not_acceptable', 'Not acceptable'),
    kind: 'permanent',
    source: BREVO,
  },
  {
    provider: 'brevo',
    what: 'too many requests',
    answer: brevo(429, 'too_many_requests', 'Too many requests', {
      'x-sib-ratelimit-limit': '1000',
      'x-sib-ratelimit-remaining': '0',
      'x-sib-ratelimit-reset': '2',
    }),
    kind: 'rate-limited',
    retryAfterMs: 2_000,
    source: BREVO_RATE,
  },
  { provider: 'brevo', what: 'an internal error', answer: { status: 500, body: '' }, kind: 'outage', source: BREVO },
  {
    provider: 'brevo',
    what: 'maintenance',
    answer: { status: 503, body: '<html></html>' },
    kind: 'outage',
    source: BREVO,
  },
  // MailerSend
  {
    provider: 'mailersend',
    what: 'a bad field',
    answer: {
      status: 422,
      body: {
        message: 'The given data was invalid.',
        errors: { 'to.0.email': ['The to.0.email must be a valid email address.'] },
      },
    },
    kind: 'permanent',
    source: MAILERSEND,
  },
  {
    provider: 'mailersend',
    what: 'a recipient on its list',
    answer: {
      status: 202,
      headers: { 'x-message-id': '5e42957d51f1d94a1070a733' },
      body: {
        message: 'There are some warnings for your request.',
        warnings: [{ type: 'ALL_SUPPRESSED', recipients: [{ email: 'ana@example.org', reasons: ['hard_bounced'] }] }],
      },
    },
    kind: 'permanent',
    source: MAILERSEND_EMAIL,
  },
  {
    provider: 'mailersend',
    what: 'an unverified domain',
    answer: mailersend(422, 'The from.email domain must be verified in your account to send emails. #MS42207'),
    kind: 'refused',
    source: MAILERSEND_HELP,
  },
  {
    provider: 'mailersend',
    what: 'a cap of the trial',
    answer: mailersend(422, 'You have reached the trial account unique recipients limit. #MS42225'),
    kind: 'refused',
    source: MAILERSEND_HELP,
  },
  {
    provider: 'mailersend',
    what: 'a wrong token',
    answer: mailersend(401, 'Unauthenticated.'),
    kind: 'refused',
    source: MAILERSEND,
  },
  {
    provider: 'mailersend',
    what: 'a token without the right',
    answer: mailersend(403, 'This action is unauthorized.'),
    kind: 'refused',
    source: MAILERSEND,
  },
  {
    provider: 'mailersend',
    what: 'too many in this minute',
    answer: mailersend(429, 'Too Many Attempts. #MS42903', {
      headers: { 'retry-after': '6', 'x-ratelimit-limit': '120', 'x-ratelimit-remaining': '0' },
    }),
    kind: 'rate-limited',
    retryAfterMs: 6_000,
    source: MAILERSEND,
  },
  {
    provider: 'mailersend',
    what: 'too many in this minute, with the day’s end beside it',
    answer: mailersend(429, 'Too Many Attempts. #MS42903', {
      headers: { 'x-ratelimit-reset': '9', 'x-apiquota-remaining': '80', 'x-apiquota-reset': '2026-11-24T00:00:00Z' },
    }),
    kind: 'rate-limited',
    retryAfterMs: 9_000,
    source: MAILERSEND,
  },
  {
    provider: 'mailersend',
    what: 'a used-up day',
    answer: mailersend(429, 'You have reached your daily API request quota. #MS42901', {
      headers: {
        'retry-after': '30',
        'x-ratelimit-reset': '30',
        'x-apiquota-remaining': '0',
        'x-apiquota-reset': '2026-11-24T00:00:00Z',
      },
    }),
    kind: 'quota',
    period: 'day',
    retryAfterMs: 43_200_000,
    source: MAILERSEND,
  },
  {
    provider: 'mailersend',
    what: 'a used-up day that never ends',
    answer: mailersend(429, 'You have reached your daily API request quota. #MS42901', {
      headers: { 'x-apiquota-reset': '9999-12-31T00:00:00Z' },
    }),
    kind: 'quota',
    period: 'day',
    retryAfterMs: 2_678_400_000,
    source: MAILERSEND,
  },
  {
    provider: 'mailersend',
    what: 'an internal error',
    answer: mailersend(500, 'Server Error'),
    kind: 'outage',
    source: MAILERSEND,
  },
  {
    provider: 'mailersend',
    what: 'a gateway that gave up waiting',
    answer: mailersend(504, 'Gateway Timeout'),
    kind: 'unanswered',
    source: MAILERSEND,
  },
  // Amazon SES
  {
    provider: 'aws_ses',
    what: 'a message it rejects',
    answer: ses(400, 'MessageRejected', 'Address is on the account suppression list.'),
    kind: 'permanent',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'an unverified address',
    answer: ses(
      400,
      'MessageRejected',
      'Email address is not verified. The following identities failed the check in region EU-WEST-1: ana@example.org',
    ),
    kind: 'refused',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'a bad request',
    answer: ses(400, 'BadRequestException', 'Illegal address'),
    kind: 'permanent',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'an unverified MAIL FROM',
    answer: ses(400, 'MailFromDomainNotVerifiedException', 'The sending domain is not verified.'),
    kind: 'refused',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'a suspended account',
    answer: ses(400, 'AccountSuspendedException', 'The account was suspended.'),
    kind: 'refused',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'paused sending',
    answer: ses(400, 'SendingPausedException', 'Sending is paused.'),
    kind: 'refused',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'no right to send',
    answer: ses(403, 'AccessDeniedException', 'User is not authorized to perform: ses:SendEmail'),
    kind: 'refused',
    source: SES_COMMON,
  },
  {
    provider: 'aws_ses',
    what: 'a request signed at another time than its own',
    answer: ses(400, 'RequestExpired', 'The request reached the service more than 15 minutes after its date stamp.'),
    kind: 'refused',
    source: SES_COMMON,
  },
  {
    provider: 'aws_ses',
    what: 'an incomplete signature',
    answer: ses(400, 'IncompleteSignature', 'The request signature does not conform to AWS standards.'),
    kind: 'refused',
    source: SES_COMMON,
  },
  {
    provider: 'aws_ses',
    what: 'credentials that ran out',
    answer: ses(400, 'ExpiredTokenException', 'The security token included in the request is expired.'),
    kind: 'refused',
    source: SES_COMMON,
  },
  {
    provider: 'aws_ses',
    what: 'a configuration set that is not there',
    answer: ses(404, 'NotFoundException', 'Configuration set does not exist.'),
    kind: 'refused',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'too many requests',
    answer: ses(429, 'TooManyRequestsException', 'Too many requests'),
    kind: 'rate-limited',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'throttling',
    answer: ses(400, 'ThrottlingException:http://internal.amazon.com/coral/', 'Maximum sending rate exceeded.'),
    kind: 'rate-limited',
    source: SES_QUOTA,
  },
  {
    provider: 'aws_ses',
    what: 'a used-up day',
    answer: ses(400, 'ThrottlingException', 'Daily message quota exceeded.'),
    kind: 'quota',
    period: 'day',
    source: SES_QUOTA,
  },
  {
    provider: 'aws_ses',
    what: 'a limit',
    answer: ses(400, 'LimitExceededException', 'There are too many instances of the specified resource type.'),
    kind: 'quota',
    period: 'day',
    source: SES,
  },
  {
    provider: 'aws_ses',
    what: 'an error named in the body',
    answer: { status: 400, body: { __type: 'com.amazonaws.ses#BadRequestException', Message: 'Illegal address' } },
    kind: 'permanent',
    source: SES_COMMON,
  },
  {
    provider: 'aws_ses',
    what: 'an internal failure',
    answer: ses(500, 'InternalFailure', 'An internal error occurred.'),
    kind: 'outage',
    source: SES_COMMON,
  },
  {
    provider: 'aws_ses',
    what: 'no service',
    answer: ses(503, 'ServiceUnavailable', 'The request failed temporarily.'),
    kind: 'outage',
    source: SES_COMMON,
  },
];
