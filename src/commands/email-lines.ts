/** Emails as JSON lines: reading them from a stream, and checking each before it goes near the database. */
import { z } from 'zod';
import { EMAIL_TYPES, type NewEmail } from '../domain/email.ts';

/** A line that is longer holds no email that a provider would take. */
const LONGEST_LINE_BYTES = 2_000_000;

export interface BadLine {
  /** From 1. */
  readonly line: number;
  readonly reason: string;
}

export type ParsedLine =
  | { readonly ok: true; readonly line: number; readonly email: NewEmail }
  | { readonly ok: false; readonly line: number; readonly reason: string };

/** A line and how much of the input was read up to its end. */
export type ReadLine = ParsedLine & { readonly bytes: number };

export interface LineOptions {
  /** Put before the number of each line that has no key of its own; null for no key. */
  readonly keyPrefix: string | null;
  /** For lines that name none. */
  readonly type: string;
  readonly signal: AbortSignal;
}

/** Every line that is not blank, checked, in order. Holds one chunk and one line in memory. */
export async function* readLines(
  input: AsyncIterable<string | Uint8Array>,
  { keyPrefix, type, signal }: LineOptions,
): AsyncGenerator<ReadLine> {
  let number = 0;
  let bytes = 0;
  for await (const text of splitLines(untilAborted(input, signal))) {
    signal.throwIfAborted();
    number += 1;
    bytes += Buffer.byteLength(text) + 1;
    if (text.trim() === '') continue;
    const key = keyPrefix === null ? null : `${keyPrefix}:${number}`;
    yield { ...parseLine(text, number, key, type), bytes };
  }
}

/** Checks one line. The reason names the field, never its value. */
export function parseLine(text: string, line: number, key: string | null, type = 'notification'): ParsedLine {
  if (text.length > LONGEST_LINE_BYTES) return { ok: false, line, reason: 'longer than 2 MB' };
  const value = parseJson(text);
  if (value === undefined) return { ok: false, line, reason: 'not JSON' };
  if (UNSTORABLE_ESCAPE.test(text) && !isStorable(text)) return { ok: false, line, reason: UNSTORABLE };
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) return { ok: false, line, reason: describe(parsed.error) };
  const {
    to,
    recipientEmail,
    subject,
    html,
    text: plain,
    from,
    fromName,
    replyTo,
    templateData,
    ...rest
  } = parsed.data;
  const content = { subject, html, text: plain, from, fromName, replyTo };
  const data = { ...templateData, ...withoutUndefined(content) };
  const recipient = recipientEmail ?? to;
  if (recipient === undefined) return { ok: false, line, reason: 'to: missing' };
  for (const field of ['subject', 'html'] as const) {
    if (typeof data[field] !== 'string' || data[field].trim() === '')
      return { ok: false, line, reason: `${field}: missing` };
  }
  const { template, templateName, emailType, type: ownType, key: ownKey, recipientId, maxAttempts } = rest;
  const optional = {
    key: ownKey ?? key ?? undefined,
    recipientId,
    templateName: templateName ?? template,
    maxAttempts,
  };
  const email = {
    recipientEmail: recipient,
    emailType: emailType ?? ownType ?? type,
    templateData: data,
    ...withoutUndefined(optional),
  };
  return { ok: true, line, email: email as NewEmail };
}

const words = z.string('is not text');

// One @, something on both sides, no spaces: what is wrong beyond that, the provider says.
const address = words
  .max(320, 'is longer than 320 characters')
  .regex(/^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/, 'is not an address');

const emailType = z.enum(EMAIL_TYPES, `is none of ${EMAIL_TYPES.join(', ')}`);
const TRIES = 'is not a whole number from 1 to 20';

const FIELDS = {
  to: address.optional(),
  recipientEmail: address.optional(),
  recipientId: z.uuid('is not a UUID').optional(),
  subject: words.max(998, 'is longer than 998 characters').optional(),
  html: words.optional(),
  text: words.optional(),
  from: words.optional(),
  fromName: words.optional(),
  replyTo: words.optional(),
  type: emailType.optional(),
  emailType: emailType.optional(),
  template: words.optional(),
  templateName: words.optional(),
  templateData: z.record(z.string(), z.unknown(), 'is not an object').optional(),
  key: words.min(1, 'is empty').max(200, 'is longer than 200 characters').optional(),
  maxAttempts: z.int(TRIES).min(1, TRIES).max(20, TRIES).optional(),
};

const lineSchema = z.strictObject(FIELDS, {
  error: (issue) =>
    issue.code === 'unrecognized_keys' ? `has an unknown field, ${issue.keys[0]}` : 'is not a JSON object',
});

const UNSTORABLE = 'holds a character that no database stores: a NUL, or half of a pair';
const UNSTORABLE_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/** JSON can write what Postgres cannot keep in `jsonb`. */
function isStorable(text: string): boolean {
  let isFine = true;
  JSON.parse(text, (name, value: unknown) => {
    for (const part of [name, value]) if (typeof part === 'string' && !isStored(part)) isFine = false;
    return value;
  });
  return isFine;
}

function isStored(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  const field = issue?.path.join('.') ?? '';
  return `${field === '' ? 'the line' : field}: ${issue?.message ?? 'not valid'}`;
}

/** Ends at once when told to, even while the input says nothing. */
async function* untilAborted<T>(input: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => undefined);
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const iterator = input[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    // Not awaited: it waits for the read that is under way.
    iterator.return?.()?.catch(() => undefined);
  }
}

function withoutUndefined(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined));
}

async function* splitLines(input: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    const parts = (rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) yield line.replace(/\r$/, '');
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
