/**
 * What a failed send means: the email's fault, the provider's, or nobody knows. Providers differ in words, codes and even in
 * which status says what (FACTS §5), so their rules are tables; a rule of the provider wins over the common ones.
 */
import { cleanText, maskEmailsIn } from './text.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';

/**
 * - `permanent`: this email can never be sent; trying again is useless and hurts our name with the provider
 * - `quota`: the provider's day or month is used up
 * - `rate-limited`: the provider wants a pause
 * - `outage`: the provider is down; it certainly did not send
 * - `refused`: the provider takes nothing from us at all (key, domain, suspension), until somebody repairs it
 * - `unanswered`: it may have been sent, and nobody can tell
 * - `transient`: it was not sent, for a reason we do not know
 */
export type SendFailureKind =
  | 'permanent'
  | 'quota'
  | 'rate-limited'
  | 'outage'
  | 'refused'
  | 'unanswered'
  | 'transient';

export interface SendFailure {
  readonly kind: SendFailureKind;
  /** One line, addresses masked. */
  readonly message: string;
  /** How long the provider asks us to wait; null where it does not say. At most an hour. */
  readonly retryAfterMs: number | null;
  /** For `quota`: what is used up. */
  readonly period: 'day' | 'month';
}

/** Reads the reason that a provider gave for not sending. Total: unknown words are `transient`. */
export function classifySendFailure(provider: string, reason: string): SendFailure {
  const own = Object.hasOwn(RULES, provider) ? (RULES[provider] ?? []) : [];
  const rules = [...FUNCTION_RULES, ...own, ...COMMON_RULES];
  const subject = reason.slice(0, MESSAGE_LENGTH);
  const kind = rules.find(([pattern]) => pattern.test(subject))?.[1] ?? 'transient';
  return {
    kind,
    message: safeReason(reason),
    retryAfterMs: retryAfterMs(subject),
    period: /month/i.test(subject) ? 'month' : 'day',
  };
}

/** The failure of a send that nobody answered. */
export function unanswered(reason: string): SendFailure {
  return { kind: 'unanswered', message: safeReason(reason), retryAfterMs: null, period: 'day' };
}

/** Text from outside as it may be stored and shown: one line, no controls, addresses masked. */
export function safeReason(reason: string): string {
  return maskEmailsIn(cleanText(reason, MESSAGE_LENGTH)) || 'No reason was given.';
}

const MESSAGE_LENGTH = 500;

type Rule = readonly [pattern: RegExp, kind: SendFailureKind];

/** What the email function says itself, for every provider. */
const FUNCTION_RULES: readonly Rule[] = [
  // The key is being sent at this moment, or belongs to another email.
  [/^409 concurrent_idempotent_requests/, 'unanswered'],
  [/^409 invalid_idempotent_request/, 'permanent'],
  // The provider was not even asked: the email waits or goes elsewhere, and it costs no attempt.
  [/^503 (circuit_open|provider_disabled)\b/, 'rate-limited'],
  // An SMTP server in the name of a provider: its numbers are not those of HTTP.
  [/^4\d\d smtp:/, 'transient'],
  [/^5\d\d smtp:/, 'permanent'],
];

const RULES: Readonly<Record<string, readonly Rule[]>> = {
  resend: [
    [/(daily|monthly)_quota_exceeded/, 'quota'],
    [/rate_limit_exceeded/, 'rate-limited'],
    // The same key is being sent at this moment, so what becomes of it is not known yet.
    [/concurrent_idempotent_requests/, 'unanswered'],
    [/invalid_idempot/, 'permanent'],
    [/(missing|invalid|restricted)_api_key|api key is invalid|domain is not verified|testing emails/i, 'refused'],
    [/validation_error|missing_required_field|invalid_(to|from|parameter|attachment)|security_error/, 'permanent'],
  ],
  brevo: [
    [/^\W*402\b|not_enough_credits|not enough credits/i, 'quota'],
    [/unauthorized|permission_denied|account.*(suspended|under validation)|sender.*not valid/i, 'refused'],
    [/invalid_parameter|missing_parameter|blocklisted|blacklisted|not_acceptable/i, 'permanent'],
  ],
  mailersend: [
    [/#?MS42901/, 'quota'],
    [/#?MS42903/, 'rate-limited'],
    // Unverified domain and the caps of trial accounts: this account cannot, another provider can.
    [/#?MS422(07|22|25)/, 'refused'],
    [/^\W*422\b|suppression list/i, 'permanent'],
  ],
  aws_ses: [
    [/(daily|monthly) message quota|LimitExceeded/i, 'quota'],
    [/throttling|TooManyRequests|maximum sending rate/i, 'rate-limited'],
    [/AccountSuspended|SendingPaused|AccessDenied|NotVerified|address(es)? (is|are) not verified|NotFound/i, 'refused'],
    [/RequestExpired|ExpiredToken|IncompleteSignature|InvalidSignature|NotAuthorized|OptInRequired/, 'refused'],
    [/MessageRejected|BadRequest|InvalidParameter|illegal address/i, 'permanent'],
    [/InternalFailure|ServiceUnavailable/, 'outage'],
  ],
};

/** The status is only believed where it stands at the beginning, as in `503 service_unavailable`. First match wins. */
const COMMON_RULES: readonly Rule[] = [
  [/concurrent_idempotent_requests/, 'unanswered'],
  [/invalid_idempotent_request/, 'permanent'],
  [/quota.*(exceeded|reached|used up)|credits.*used up/i, 'quota'],
  [/^\W*429\b|rate limit|too many requests/i, 'rate-limited'],
  [/not configured|api key|^\W*40[13]\b|unauthorized|forbidden|suspended/i, 'refused'],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/, 'outage'],
  [
    /^\W*504\b|time[ds]?[ -]?out|deadline exceeded|ETIMEDOUT|ECONNRESET|EPIPE|socket hang up|connection.*(reset|closed|lost)/i,
    'unanswered',
  ],
  [/^\W*50[0-35-9]\b|internal (server )?error|bad gateway|service unavailable|maintenance|outage/i, 'outage'],
  [/^\W*(400|404|405|406|413|415|422|451)\b/, 'permanent'],
  [/(invalid|malformed|unknown|no such) (recipient|email|address|mailbox|user)|suppress|hard.?bounce/i, 'permanent'],
];

const UNIT_MS: readonly (readonly [RegExp, number])[] = [
  [/^(ms|milli)/i, 1],
  [/^m/i, MINUTE_MS],
  [/^h/i, HOUR_MS],
  [/^/, SECOND_MS],
];

/** `Retry after 6 seconds`, `retry-after: 2`, `x-sib-ratelimit-reset: 1 second`, `try again in 500 ms`. */
function retryAfterMs(reason: string): number | null {
  const match =
    /(?:retry[- ]after|ratelimit-reset|try again (?:in|after)|wait)\W{1,3}(\d{1,9}(?:\.\d{1,3})?)(?!\d|[-:T]\d)\s*([a-z]*)/i.exec(
      reason,
    );
  if (match === null) return null;
  const unitMs = UNIT_MS.find(([pattern]) => pattern.test(match[2] ?? ''))?.[1] ?? SECOND_MS;
  return Math.min(HOUR_MS, Math.round(Number(match[1]) * unitMs));
}
