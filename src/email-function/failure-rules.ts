/**
 * What a provider's refusal means, by rules as data: each provider has its table, and what is common to all comes after it.
 * The message that goes out says status and code, so that callers, who only read the message, come to the same result
 * (`classifySendFailure`); a test holds the two together.
 */
import { type SendFailureKind, safeReason } from '../domain/send-failure.ts';
import { cleanText, maskEmailsIn } from '../domain/text.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../domain/time.ts';
import type { SendRefusal } from './provider.ts';
import type { ProviderReply } from './provider-call.ts';

/** All that a rule names must hold. First match wins. */
export interface FailureRule {
  readonly status?: number;
  /** The provider's own name or number of the error. */
  readonly code?: RegExp;
  readonly text?: RegExp;
  readonly kind: SendFailureKind;
  readonly period?: 'day' | 'month';
}

/** How a provider words its refusals. */
export interface ErrorDialect {
  readonly rules: readonly FailureRule[];
  /** The error's name or number, '' where it has none. */
  readonly codeOf: (reply: ProviderReply) => string;
  readonly textOf: (reply: ProviderReply) => string;
  /**
   * Headers that say when to come back, in order of belief: seconds, or a date. For each kind its own: the end of the running
   * second, which some send with every answer, says nothing about a used-up day.
   */
  readonly resetHeaders: Readonly<Partial<Record<SendFailureKind, readonly string[]>>>;
}

const COMMON_RULES: readonly (readonly [from: number, to: number, kind: SendFailureKind])[] = [
  [429, 429, 'rate-limited'],
  [401, 401, 'refused'],
  [403, 403, 'refused'],
  // Its gateway gave up waiting: what stands behind may have sent.
  [504, 504, 'unanswered'],
  [408, 408, 'unanswered'],
  [400, 499, 'permanent'],
  [500, 599, 'outage'],
];

const MAX_TEXT = 300;
const MAX_CODE = 80;
/** A header that says longer is not believed: a month is the longest that a quota lasts. */
const LONGEST_QUOTA_MS = 31 * DAY_MS;

export function refusalOf(reply: ProviderReply, dialect: ErrorDialect, nowEpochMs: number): SendRefusal {
  const code = maskEmailsIn(cleanText(dialect.codeOf(reply), MAX_CODE));
  const text = dialect.textOf(reply);
  const rule = dialect.rules.find(
    (each) =>
      (each.status === undefined || each.status === reply.status) &&
      (each.code === undefined || each.code.test(code)) &&
      (each.text === undefined || each.text.test(text)),
  );
  const kind = rule?.kind ?? commonKind(reply.status);
  const resetMs = resetOf(reply.headers, dialect.resetHeaders[kind] ?? [], nowEpochMs);
  const retryAfterMs = resetMs === null ? null : Math.min(resetMs, kind === 'quota' ? LONGEST_QUOTA_MS : HOUR_MS);
  const head = code === '' ? `${reply.status}` : `${reply.status} ${code}`;
  const wait =
    kind === 'rate-limited' && retryAfterMs !== null
      ? ` Retry after ${Math.ceil(retryAfterMs / SECOND_MS)} seconds.`
      : '';
  const words = sentence(safeReason(text.slice(0, MAX_TEXT)));
  return { ok: false, kind, message: `${head}: ${words}${wait}`, retryAfterMs, period: rule?.period ?? 'day' };
}

function commonKind(status: number): SendFailureKind {
  return COMMON_RULES.find(([from, to]) => status >= from && status <= to)?.[2] ?? 'transient';
}

function sentence(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}

/** Milliseconds until the first of these headers that says so; null where none does. */
function resetOf(headers: Headers, names: readonly string[], nowEpochMs: number): number | null {
  for (const name of names) {
    const value = headers.get(name);
    if (value === null) continue;
    const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * SECOND_MS : Date.parse(value) - nowEpochMs;
    if (Number.isFinite(ms)) return Math.max(0, Math.round(ms));
  }
  return null;
}
