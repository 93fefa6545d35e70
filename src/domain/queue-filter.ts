/**
 * The language of the queue's filter: `status:failed type:auth provider:brevo some words`. Field values may be shortened as
 * long as they stay unique. Pure.
 */
import { EMAIL_TYPES, PROVIDERS, QUEUE_STATUSES } from './email.ts';
import type { QueueItem, QueueQuery } from './queue-page.ts';

export type QueueFilterTerms = Omit<QueueQuery, 'sort' | 'errorKind'>;

export interface ParsedFilter {
  readonly terms: QueueFilterTerms;
  /** What cannot be understood, for the person who types; null when all is well. */
  readonly problem: string | null;
}

interface Field {
  readonly names: readonly string[];
  readonly term: 'status' | 'emailType' | 'provider';
  readonly values: readonly string[];
}

const FIELDS: readonly Field[] = [
  { names: ['status', 'state', 'is'], term: 'status', values: [...QUEUE_STATUSES, 'dead'] },
  { names: ['type'], term: 'emailType', values: EMAIL_TYPES },
  { names: ['provider', 'by'], term: 'provider', values: PROVIDERS },
];

const MOST_WORDS = 10;

/** Never throws. A field without a value yet (`status:`) says what it may be. */
export function parseQueueFilter(text: string): ParsedFilter {
  const terms: Record<string, string> = {};
  const words: string[] = [];
  let problem: string | null = null;
  for (const token of tokensOf(text)) {
    const [, name = '', wanted = ''] = /^([a-z]+):(.*)$/i.exec(token) ?? [];
    const field = FIELDS.find(({ names }) => names.includes(name.toLowerCase()));
    if (field === undefined) {
      words.push(token);
      continue;
    }
    const value = meant(field, wanted);
    if (value === null) problem ??= `${name.toLowerCase()}: one of ${field.values.join(', ')}`;
    else terms[field.term] = value;
  }
  const found: QueueFilterTerms = { ...terms, ...(words.length === 0 ? {} : { words: words.slice(0, MOST_WORDS) }) };
  return { terms: found, problem };
}

/** The same filter with another state, or with none. */
export function withStatus(text: string, status: string | null): string {
  const [{ names }] = FIELDS as [Field];
  const rest = tokensOf(text, true).filter((token) => {
    const [, name = ''] = /^([a-z]+):/i.exec(token) ?? [];
    return !names.includes(name.toLowerCase());
  });
  return [...(status === null ? [] : [`status:${status}`]), ...rest].join(' ');
}

/** Whether a row that is here already would be found: only what its columns tell; who knows more decides later. */
export function mayMatch(item: QueueItem, { status, emailType, provider, words = [] }: QueueFilterTerms): boolean {
  if (status !== undefined && status !== (item.kind === 'dead' ? 'dead' : item.status)) return false;
  if (status === undefined && item.kind === 'dead') return false;
  if (emailType !== undefined && item.emailType !== emailType) return false;
  if (provider !== undefined && item.kind === 'dead' && !item.failedProviders.includes(provider)) return false;
  const reason = item.kind === 'dead' ? item.failureReason : '';
  const text = [item.id, item.recipientEmail, item.emailType, item.subject, item.lastError, reason]
    .join(' ')
    .toLowerCase();
  return words.every((word) => text.includes(word.toLowerCase()));
}

/** Words, and phrases in double quotes. */
function tokensOf(text: string, keepQuotes = false): string[] {
  const tokens = text.match(/"[^"]*"?|[^\s"]+/g) ?? [];
  return keepQuotes ? tokens : tokens.map((token) => token.replaceAll('"', '').trim()).filter((token) => token !== '');
}

function meant({ values }: Field, wanted: string): string | null {
  const text = wanted.toLowerCase();
  if (values.includes(text)) return text;
  const matching = text === '' ? [] : values.filter((value) => value.startsWith(text));
  return matching.length === 1 ? (matching[0] ?? null) : null;
}
