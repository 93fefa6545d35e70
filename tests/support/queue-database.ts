/** The queue's SQL functions as a test calls them, over any Postgres: a real one or PGlite. */
import { randomUUID } from 'node:crypto';

/** Runs one statement; parameters are `$1` … and always text. */
export type Query = <T>(statement: string, parameters?: readonly (string | null)[]) => Promise<T[]>;

export interface QueueRow {
  readonly id: string;
  readonly recipient_email: string;
  readonly status: string;
  readonly attempts: number;
  readonly max_attempts: number;
  readonly last_error: string | null;
  readonly next_retry_at: string | null;
  readonly locked_by: string | null;
  readonly locked_until: string | null;
}

export interface DeadLetterRow {
  readonly id: string;
  readonly original_queue_id: string | null;
  readonly total_attempts: number;
  readonly failure_reason: string;
  readonly last_error: string | null;
  readonly failed_providers: readonly string[];
  readonly reviewed_at: string | null;
}

export interface LogRow {
  readonly queue_id: string;
  readonly provider: string;
  readonly status: string;
  readonly provider_message_id: string | null;
  readonly error_message: string | null;
  readonly latency_ms: number | null;
}

export interface Result {
  readonly id: string;
  readonly attempt: number;
  readonly outcome: string;
  readonly [field: string]: unknown;
}

export interface Finished {
  readonly applied: readonly string[];
  readonly notOurs: readonly string[];
  readonly deadLettered: readonly string[];
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

export interface Overview {
  readonly counts: Readonly<Record<'queued' | 'processing' | 'failed' | 'completed', number>>;
  readonly throughput: readonly { readonly at: string; readonly sent: number; readonly enqueued: number }[];
  readonly [part: string]: unknown;
}

export type QueueDatabase = ReturnType<typeof queueDatabase>;

// The counters last: deleting queue rows counts.
const tables = [
  'email_queue',
  'email_logs',
  'email_dead_letter_queue',
  'email_provider_quota',
  'email_circuit_breaker_state',
  'email_ops_counters',
  'email_ops_deliveries',
];

export function queueDatabase(query: Query) {
  const call = async <T>(expression: string, ...parameters: (string | null)[]): Promise<T> => {
    const [row] = await query<{ answer: T }>(`select ${expression} as answer`, parameters);
    if (row === undefined) throw new Error(`${expression} answered nothing`);
    return row.answer;
  };
  const rows = <T>(statement: string, ...parameters: (string | null)[]) =>
    query<{ row: T }>(`select to_jsonb(found) as row from (${statement}) as found`, parameters).then((found) =>
      found.map(({ row }) => row),
    );

  return {
    query,
    call,

    /** Empties every table of ours. Deletes, because truncating takes PGlite a tenth of a second. */
    clear: async () => {
      for (const table of tables) await query(`delete from ${table}`);
    },

    /**
     * Inserts a queue row as other programs do, created so many minutes ago; `columns` are further columns as SQL
     * expressions. Answers its id.
     */
    insert: async (columns: Readonly<Record<string, string>> = {}, ageMinutes = 1): Promise<string> => {
      const id = randomUUID();
      const all: Record<string, string> = {
        id: `'${id}'`,
        recipient_email: `'reader@example.org'`,
        email_type: `'auth'`,
        template_data: `'{"subject": "Welcome", "html": "<p>Hello</p>"}'`,
        created_at: `now() - interval '${ageMinutes} minutes'`,
        ...columns,
      };
      await query(`insert into email_queue (${Object.keys(all)}) values (${Object.values(all)})`);
      return id;
    },

    change: async (id: string, assignments: string) => {
      await query(`update email_queue set ${assignments} where id = $1::text::uuid`, [id]);
    },
    expireLease: async (id: string) => {
      await query(`update email_queue set locked_until = now() - interval '1 second' where id = $1::text::uuid`, [id]);
    },
    row: async (id: string): Promise<QueueRow> => {
      const [row] = await rows<QueueRow>('select * from email_queue where id = $1::text::uuid', id);
      if (row === undefined) throw new Error(`There is no queue row ${id}`);
      return row;
    },
    deadLetters: () => rows<DeadLetterRow>('select * from email_dead_letter_queue order by moved_to_dlq_at'),
    logs: () => rows<LogRow>('select * from email_logs order by created_at, attempt_key'),
    sentToday: async (provider: string): Promise<number> =>
      (await call<number | null>(
        `(select emails_sent from email_provider_quota where provider = $1 and date = (now() at time zone 'utc')::date)`,
        provider,
      )) ?? 0,
    /** Minutes until the row is due; null where it has no date. */
    minutesUntilDue: (id: string) =>
      call<number | null>(
        `(select round(extract(epoch from next_retry_at - updated_at) / 60)::int from email_queue where id = $1::text::uuid)`,
        id,
      ),

    claim: (worker: string, limit: number | null = 100, leaseSeconds: number | null = 60) =>
      call<QueueRow[]>(
        'claim_emails($1, $2::text::int, $3::text::int)',
        worker,
        limit?.toString() ?? null,
        leaseSeconds?.toString() ?? null,
      ),
    renew: (worker: string, ids: readonly string[], leaseSeconds = 60) =>
      call<string[]>('renew_leases($1, $2::text::uuid[], $3::text::int)', worker, list(ids), String(leaseSeconds)),
    finish: (worker: string, results: readonly Result[]) =>
      call<Finished>('finish_emails($1, $2::text::jsonb)', worker, JSON.stringify(results)),
    release: (worker: string, ids: readonly string[], retryAt: string | null = null, note: string | null = null) =>
      call<string[]>(
        'release_emails($1, $2::text::uuid[], $3::text::timestamptz, $4)',
        worker,
        list(ids),
        retryAt,
        note,
      ),
    retry: (ids: readonly string[]) =>
      call<{ retried: string[]; skipped: Skipped[] }>('retry_emails($1::text::uuid[])', list(ids)),
    discard: (ids: readonly string[], reason: string | null = 'spam') =>
      call<{ discarded: string[]; skipped: Skipped[] }>('discard_emails($1::text::uuid[], $2)', list(ids), reason),
    redrive: (ids: readonly string[]) =>
      call<{ redriven: string[]; skipped: Skipped[] }>('redrive_dead_letters($1::text::uuid[])', list(ids)),
    enqueue: (emails: unknown) =>
      call<{ enqueued: number; duplicates: number; ids: string[] }>(
        'enqueue_emails($1::text::jsonb)',
        JSON.stringify(emails),
      ),
    overview: () => call<Overview>('email_ops_overview()'),
  };
}

interface Skipped {
  readonly id: string;
  readonly reason: string;
}

function list(ids: readonly string[]): string {
  return `{${ids.join(',')}}`;
}
