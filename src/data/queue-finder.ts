/**
 * Lists of the queue for the console: pages by any filter in both directions, errors in groups, and dead letters marked as
 * seen. Without our migration only what plain tables tell, page after page downwards.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import type {
  ErrorGroup,
  ErrorGroups,
  ListedStatus,
  PagePlace,
  QueueItem,
  QueuePage,
  QueueQuery,
} from '../domain/queue-page.ts';
import { FaultError, SYSTEM, unreadable } from './fault.ts';
import { count, epochMs, type ParsedList, parseEach } from './parse.ts';
import type { Touched } from './queue.ts';
import { createQueueList, type Page } from './queue-list.ts';
import { ListedDeadLetterRow, ListedEmailRow } from './queue-row.ts';
import { answerOf, isMissingSchema } from './supabase.ts';

/** All verbs throw `FaultError`. */
export interface QueueFinder {
  /** `limit` 1–500 rows. */
  page(request: { query: QueueQuery; place: PagePlace; limit: number }, signal?: AbortSignal): Promise<QueuePage>;
  /** Ids of all rows that a query finds, in portions of at most 5,000. Needs our migration. */
  ids(query: QueueQuery, signal?: AbortSignal): AsyncGenerator<readonly string[]>;
  /** Of one state, or of everything unfinished. Needs our migration. */
  groups(status: ListedStatus | null, signal?: AbortSignal): Promise<ErrorGroups>;
  /** Marks dead letters as seen without queueing them again. Needs our migration. */
  review(deadLetterIds: readonly string[]): Promise<Touched>;
}

const MOST_IDS = 5_000;

export function createQueueFinder(client: SupabaseClient): QueueFinder {
  const call = async <T>(name: string, parameters: object, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> => {
    const { data } = await answerOf(client.rpc(name, parameters), signal);
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const fault = unreadable(SYSTEM.postgres, `something that is no answer of ${name}`);
    throw new FaultError(fault, { cause: parsed.error });
  };
  return {
    page: async ({ query, place, limit }, signal) => {
      try {
        const parameters = { p_query: { ...queryOf(query), ...placeOf(place) }, p_limit: limit };
        const { rows, more } = await call('find_emails', parameters, FindAnswer, signal);
        const parsed: ParsedList<QueueItem> =
          query.status === 'dead' ? parseEach(ListedDeadLetterRow, rows) : parseEach(ListedEmailRow, rows);
        const { values: items, skipped } = parsed;
        return { items, skipped, hasMore: more, isForwardOnly: false };
      } catch (error) {
        if (!isMissingSchema(error) || !isPlain(query, place)) throw error;
        return plainPage(client, { query, place, limit }, signal);
      }
    },
    ids: async function* (query, signal) {
      let key: string | null = null;
      for (;;) {
        const from: PagePlace = key === null ? { kind: 'first' } : { kind: 'after', key };
        const p_query: object = { ...queryOf(query), ...placeOf(from), columns: 'ids' };
        const answer: IdsAnswer = await call('find_emails', { p_query, p_limit: MOST_IDS }, Ids, signal);
        const { rows, more } = answer;
        yield rows.map(({ id }) => id);
        key = rows.at(-1)?.key ?? null;
        if (!more || key === null) return;
      }
    },
    groups: async (status, signal) => {
      const { groups, emails, more } = await call('group_email_errors', { p_status: status }, GroupAnswer, signal);
      return { groups, emails, hasMore: more };
    },
    review: async (ids) => {
      const { reviewed, skipped } = await call('review_dead_letters', { p_ids: ids }, ReviewAnswer);
      return { ids: reviewed, skipped };
    },
  };
}

function queryOf({ status, emailType, provider, words, errorKind, isOpen, sort }: QueueQuery): object {
  return {
    sort,
    ...(status === undefined ? {} : { status }),
    ...(emailType === undefined ? {} : { type: emailType }),
    ...(provider === undefined ? {} : { provider }),
    ...(words === undefined ? {} : { words }),
    ...(errorKind === undefined ? {} : { error: errorKind }),
    ...(errorKind !== undefined || isOpen === true ? { open: true } : {}),
  };
}

function placeOf(place: PagePlace): object {
  if (place.kind === 'first') return {};
  return place.kind === 'last' ? { end: true } : { [place.kind]: place.key };
}

/** What can be told without our functions. */
function isPlain({ provider, errorKind }: QueueQuery, { kind }: PagePlace): boolean {
  return provider === undefined && errorKind === undefined && (kind === 'first' || kind === 'after');
}

async function plainPage(
  client: SupabaseClient,
  { query, place, limit }: { query: QueueQuery; place: PagePlace; limit: number },
  signal: AbortSignal | undefined,
): Promise<QueuePage> {
  const list = createQueueList(client);
  const { status, emailType, words = [], sort } = query;
  const from = { limit, ...(place.kind === 'after' ? { cursor: place.key } : {}) };
  // Such a list has one cursor a page, which belongs to its last row.
  const listed = <T, U>(page: Page<T>, extend: (row: T, key: string) => U) => ({
    items: page.rows.map((row, index) => extend(row, index === page.rows.length - 1 ? (page.nextCursor ?? '') : '')),
    skipped: page.skipped,
    hasMore: page.nextCursor !== null,
    isForwardOnly: true,
  });
  if (status === 'dead') {
    const page = await list.deadLetters({ ...from, isReviewed: false }, signal);
    return listed(page, (row, key) => ({ ...row, kind: 'dead' as const, key, subject: null, failedProviders: [] }));
  }
  const filter = {
    ...from,
    sort,
    ...(status === undefined ? {} : { status }),
    ...(emailType === undefined ? {} : { emailType }),
    ...(words.length === 0 ? {} : { text: words.join(' ') }),
  };
  const page = await list.list(filter, signal);
  return listed(page, (row, key) => ({ ...row, kind: 'email' as const, key, isDiscarded: false }));
}

const FindAnswer = z.object({ rows: z.array(z.unknown()), more: z.boolean() });
const Ids = z.object({ rows: z.array(z.object({ id: z.string(), key: z.string() })), more: z.boolean() });

type IdsAnswer = z.output<typeof Ids>;

const Group: z.ZodType<ErrorGroup> = z
  .object({
    status: z.enum(['queued', 'processing', 'failed', 'completed', 'dead']),
    error: z.string(),
    count,
    types: z.array(z.string()),
    oldestAt: epochMs,
    newestAt: epochMs,
  })
  .transform(({ status, error, types, oldestAt, newestAt, ...rest }) => ({
    status,
    errorKind: error,
    count: rest.count,
    emailTypes: types,
    oldestAtEpochMs: oldestAt,
    newestAtEpochMs: newestAt,
  }));

const GroupAnswer = z.object({ groups: z.array(Group), emails: count, more: z.boolean() });
const ReviewAnswer = z.object({
  reviewed: z.array(z.string()),
  skipped: z.array(z.object({ id: z.string(), reason: z.string() })),
});
