/**
 * Looking at the queue: a page of rows, one row with its story, and the dead letters. Never the whole table: pages go on
 * after the last row seen (keyset), so that the thousandth costs what the first does.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import type { DeadLetter, DeliveryLog, QueuedEmail, QueuedEmailSummary, QueueStatus } from '../domain/email.ts';
import type { EmailStory, QueueSort } from '../domain/queue-page.ts';
import { FaultError } from './fault.ts';
import { parseEach } from './parse.ts';
import { DeadLetterRow, LogRow, QueueListRow, QueueRow } from './queue-row.ts';
import { isMissingSchema, rowsOf } from './supabase.ts';

export interface QueueFilter {
  readonly status?: QueueStatus;
  readonly emailType?: string;
  /** Part of the recipient, the subject or the error, in any case. */
  readonly text?: string;
  readonly sort?: QueueSort;
  /** 1–500, 50 unless told. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

export interface DeadLetterFilter extends Pick<QueueFilter, 'emailType' | 'text' | 'limit' | 'cursor'> {
  /** Both kinds unless told. */
  readonly isReviewed?: boolean;
}

export interface Page<T> {
  readonly rows: readonly T[];
  readonly skipped: number;
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** All verbs throw `FaultError`. */
export interface QueueList {
  list(filter?: QueueFilter, signal?: AbortSignal): Promise<Page<QueuedEmailSummary>>;
  /** Null when there is no such row. */
  show(id: string, signal?: AbortSignal): Promise<EmailStory | null>;
  deadLetters(filter?: DeadLetterFilter, signal?: AbortSignal): Promise<Page<DeadLetter>>;
}

const DEPLOYED_COLUMNS =
  'id,recipient_id,recipient_email,email_type,template_name,attempts,max_attempts,status,last_error,next_retry_at,created_at,updated_at,subject:template_data->>subject';
const LEASE_COLUMNS = 'locked_by,locked_until';

const ORDER: Readonly<
  Record<QueueSort, { readonly column: 'created_at' | 'updated_at'; readonly ascending: boolean }>
> = {
  oldest: { column: 'created_at', ascending: true },
  newest: { column: 'created_at', ascending: false },
  changed: { column: 'updated_at', ascending: false },
};

export function createQueueList(client: SupabaseClient): QueueList {
  const list = async (
    filter: QueueFilter,
    columns: string,
    signal?: AbortSignal,
  ): Promise<Page<QueuedEmailSummary>> => {
    const { column, ascending } = ORDER[filter.sort ?? 'oldest'];
    const limit = clampedLimit(filter.limit);
    let query = client.from('email_queue').select(columns);
    if (filter.status !== undefined) query = query.eq('status', filter.status);
    if (filter.emailType !== undefined) query = query.eq('email_type', filter.emailType);
    const conditions = [
      ...containing(filter.text, ['recipient_email', 'last_error', SUBJECT]),
      ...(filter.cursor === undefined ? [] : [after(filter.cursor, column, ascending)]),
    ];
    if (conditions.length > 0) query = query.or(allOf(conditions));
    // One more than shown tells whether there is a next page.
    const rows = await rowsOf(
      query
        .order(column, { ascending })
        .order('id', { ascending })
        .limit(limit + 1),
      signal,
    );
    return pageOf(QueueListRow, rows, { limit, column });
  };

  return {
    list: async (filter = {}, signal) => {
      try {
        return await list(filter, `${DEPLOYED_COLUMNS},${LEASE_COLUMNS}`, signal);
      } catch (error) {
        // Asked for again each time: the migration may be applied while we look.
        if (!isMissingSchema(error)) throw error;
        return list(filter, DEPLOYED_COLUMNS, signal);
      }
    },
    show: async (id, signal) => {
      if (!UUID.test(id)) return null;
      const [row, letters] = await Promise.all([
        rowsOf(client.from('email_queue').select('*').eq('id', id), signal),
        rowsOf(
          client
            .from('email_dead_letter_queue')
            .select('*')
            .eq('original_queue_id', id)
            .order('moved_to_dlq_at', { ascending: false })
            .limit(50),
          signal,
        ),
      ]);
      const [email] = parseEach(QueueRow, row).values;
      if (email === undefined) return null;
      const { logs, isGuess } = await logsOf(client, email, signal);
      return { email, logs, isGuess, deadLetters: parseEach(DeadLetterRow, letters).values };
    },
    deadLetters: async ({ isReviewed, emailType, text, limit: wanted, cursor } = {}, signal) => {
      const limit = clampedLimit(wanted);
      const column = 'moved_to_dlq_at';
      let query = client.from('email_dead_letter_queue').select('*');
      if (isReviewed === true) query = query.not('reviewed_at', 'is', null);
      if (isReviewed === false) query = query.is('reviewed_at', null);
      if (emailType !== undefined) query = query.eq('email_type', emailType);
      const conditions = [
        ...containing(text, ['recipient_email', 'failure_reason', 'last_error', SUBJECT]),
        ...(cursor === undefined ? [] : [after(cursor, column, false)]),
      ];
      if (conditions.length > 0) query = query.or(allOf(conditions));
      const ordered = query
        .order(column, { ascending: false })
        .order('id', { ascending: false })
        .limit(limit + 1);
      return pageOf(DeadLetterRow, await rowsOf(ordered, signal), { limit, column });
    },
  };
}

/** By the row's id; where the column is missing, by recipient and type since it was enqueued. */
async function logsOf(
  client: SupabaseClient,
  email: QueuedEmail,
  signal: AbortSignal | undefined,
): Promise<{ logs: readonly DeliveryLog[]; isGuess: boolean }> {
  const newest = () => client.from('email_logs').select('*').order('created_at', { ascending: false }).limit(50);
  try {
    const rows = await rowsOf(newest().eq('queue_id', email.id), signal);
    return { logs: parseEach(LogRow, rows).values, isGuess: false };
  } catch (error) {
    if (!isMissingSchema(error)) throw error;
    const guessed = newest()
      .eq('recipient_email', email.recipientEmail)
      .eq('email_type', email.emailType)
      .gte('created_at', new Date(email.createdAtEpochMs).toISOString());
    return { logs: parseEach(LogRow, await rowsOf(guessed, signal)).values, isGuess: true };
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const SUBJECT = 'template_data->>subject';

/**
 * A PostgREST filter, none without a text: the text in any of the columns. `%`, `_` and `\` are meant literally. What would
 * end a value in a filter matches any one character instead, so that nothing has to be quoted, which servers do differently.
 */
function containing(text = '', columns: readonly string[]): string[] {
  if (text.trim() === '') return [];
  const literal = text
    .trim()
    .slice(0, 200)
    .replace(/[\\%_]/g, String.raw`\$&`);
  const pattern = `%${literal.replace(/[(),"{}]/g, '_')}%`;
  return [columns.map((column) => `${column}.ilike.${pattern}`).join(',')];
}

/** Whether it looks like a cursor of ours, `<time>|<id>` of the last row seen. */
export function isCursor(cursor: string): boolean {
  const [time = '', id = ''] = cursor.split('|');
  return /^[-0-9T:.+Z ]{10,40}$/.test(time) && UUID.test(id);
}

/** A PostgREST filter: everything behind the cursor. */
function after(cursor: string, column: string, ascending: boolean): string {
  const [time = '', id = ''] = cursor.split('|');
  if (!isCursor(cursor)) {
    const remedy = 'Begin with the first page, or pass the cursor that the page before answered.';
    throw new FaultError({ code: 'protocol', message: 'The cursor is not one of ours.', remedy });
  }
  const operator = ascending ? 'gt' : 'lt';
  return `${column}.${operator}.${time},and(${column}.eq.${time},id.${operator}.${id})`;
}

/** Lists of alternatives, of each of which one must hold, in one parameter: not every PostgREST takes `or` twice. */
function allOf(conditions: readonly string[]): string {
  const [only = ''] = conditions;
  return conditions.length === 1 ? only : `and(${conditions.map((condition) => `or(${condition})`).join(',')})`;
}

/** The cursor keeps the database's own text of the time: epoch ms would lose its microseconds, and with them rows. */
function pageOf<T>(
  schema: z.ZodType<T>,
  rows: readonly unknown[],
  { limit, column }: { limit: number; column: string },
): Page<T> {
  const shown = rows.slice(0, limit);
  const { values, skipped } = parseEach(schema, shown);
  const last = rows.length > limit ? Place.parse(shown.at(-1)) : null;
  return { rows: values, skipped, nextCursor: last === null ? null : `${last[column]}|${last.id}` };
}

const Place = z.looseObject({ id: z.string() });

function clampedLimit(limit = 50): number {
  return Math.min(500, Math.max(1, Math.floor(limit) || 50));
}
