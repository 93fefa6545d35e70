/**
 * What is done to the queue: claimed, finished and given back by workers; enqueued, retried and discarded by people. Every
 * verb is one RPC, so one round trip and one transaction. Looking at rows is `queue-list.ts`.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import type { EmailResult, NewEmail, QueuedEmail } from '../domain/email.ts';
import { FaultError, SYSTEM, unreadable } from './fault.ts';
import { count, parseEach } from './parse.ts';
import { QueueRow } from './queue-row.ts';
import { answerOf, isMissingSchema, rowsOf } from './supabase.ts';

/** What an operator's action did, and what it left alone and why. */
export interface Touched {
  readonly ids: readonly string[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

export interface Claimed {
  readonly emails: readonly QueuedEmail[];
  /** Rows that are ours now but cannot be read; their leases run out by themselves. */
  readonly unreadable: number;
}

export interface Finished {
  readonly applied: readonly string[];
  /** Rows that somebody else holds by now; their deliveries are logged all the same. */
  readonly notOurs: readonly string[];
  readonly deadLettered: readonly string[];
  /** Results that the database could not use, by their place in the call. */
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
}

export interface Enqueued {
  readonly enqueued: number;
  readonly duplicates: number;
  /** The queue row of each email, in order. */
  readonly ids: readonly string[];
}

/** All verbs throw `FaultError`; `missing-schema` where our migration is not applied. */
export interface Queue {
  /** Leases up to `limit` (1–500) ready emails to `worker`, oldest first, and counts their attempt. */
  claim(request: { worker: string; limit: number; leaseSeconds: number }, signal?: AbortSignal): Promise<Claimed>;
  /** The ids of up to 500 rows that `worker` holds: for claims whose answer was lost. */
  heldBy(worker: string): Promise<readonly string[]>;
  /** Extends leases; answers the ids that are still ours. */
  renew(request: { worker: string; ids: readonly string[]; leaseSeconds: number }): Promise<readonly string[]>;
  /** Writes results in one transaction. Safe to repeat when the answer was lost. */
  finish(worker: string, results: readonly EmailResult[]): Promise<Finished>;
  /** Gives emails back without costing them the attempt; answers the ids that were ours. */
  release(request: {
    worker: string;
    ids: readonly string[];
    retryAtEpochMs?: number;
    note?: string;
  }): Promise<readonly string[]>;
  /** Makes queued emails due now and queues failed ones anew. */
  retry(ids: readonly string[]): Promise<Touched>;
  /** Takes queued or failed emails out for good. */
  discard(ids: readonly string[], reason: string): Promise<Touched>;
  /** Queues dead letters anew; `ids` of the answer are queue rows. */
  redrive(deadLetterIds: readonly string[]): Promise<Touched>;
  /**
   * Enqueues all or none; an email whose key is known already is not enqueued again. Without our migration emails without a
   * key go one by one through `queue_email`; those with a key need it.
   */
  enqueue(emails: readonly NewEmail[], signal?: AbortSignal): Promise<Enqueued>;
}

export function createQueue(client: SupabaseClient): Queue {
  const call = async <T>(name: string, parameters: object, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> => {
    const { data } = await answerOf(client.rpc(name, parameters), signal);
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const fault = unreadable(SYSTEM.postgres, `something that is no answer of ${name}`);
    throw new FaultError(fault, { cause: parsed.error });
  };
  return {
    claim: async ({ worker, limit, leaseSeconds }, signal) => {
      const parameters = { p_worker: worker, p_limit: limit, p_lease_seconds: leaseSeconds };
      const { values, skipped } = parseEach(QueueRow, await call('claim_emails', parameters, Rows, signal));
      return { emails: values, unreadable: skipped };
    },
    heldBy: async (worker) => {
      const rows = client
        .from('email_queue')
        .select('id')
        .eq('status', 'processing')
        .eq('locked_by', worker)
        .limit(500);
      return parseEach(z.object({ id: z.string() }), await rowsOf(rows)).values.map(({ id }) => id);
    },
    renew: ({ worker, ids, leaseSeconds }) =>
      call('renew_leases', { p_worker: worker, p_ids: ids, p_lease_seconds: leaseSeconds }, Ids),
    finish: (worker, results) => call('finish_emails', { p_worker: worker, p_results: results }, FinishAnswer),
    release: ({ worker, ids, retryAtEpochMs, note }) => {
      const retryAt = retryAtEpochMs === undefined ? null : new Date(retryAtEpochMs).toISOString();
      const parameters = { p_worker: worker, p_ids: ids, p_retry_at: retryAt, p_note: note ?? null };
      return call('release_emails', parameters, Ids);
    },
    retry: async (ids) => touchedOf(await call('retry_emails', { p_ids: ids }, TouchAnswer)),
    discard: async (ids, reason) =>
      touchedOf(await call('discard_emails', { p_ids: ids, p_reason: reason }, TouchAnswer)),
    redrive: async (ids) => touchedOf(await call('redrive_dead_letters', { p_ids: ids }, TouchAnswer)),
    enqueue: async (emails, signal) => {
      try {
        return await call('enqueue_emails', { p_emails: emails }, EnqueueAnswer, signal);
      } catch (error) {
        if (!isMissingSchema(error) || emails.some(({ key }) => key !== undefined)) throw error;
        return enqueueOneByOne(client, emails, signal);
      }
    },
  };
}

/** The function deployed today. It knows neither keys nor a number of attempts, and answers with the new row's id. */
async function enqueueOneByOne(
  client: SupabaseClient,
  emails: readonly NewEmail[],
  signal: AbortSignal | undefined,
): Promise<Enqueued> {
  const ids: string[] = [];
  for (const email of emails) {
    const parameters = {
      p_recipient_id: email.recipientId ?? null,
      p_recipient_email: email.recipientEmail,
      p_email_type: email.emailType,
      p_template_name: email.templateName ?? null,
      p_template_data: email.templateData,
    };
    const { data } = await answerOf(client.rpc('queue_email', parameters), signal);
    ids.push(String(data));
  }
  return { enqueued: ids.length, duplicates: 0, ids };
}

function touchedOf({ retried, discarded, redriven, skipped }: z.output<typeof TouchAnswer>): Touched {
  return { ids: retried ?? discarded ?? redriven ?? [], skipped };
}

const Rows = z.array(z.unknown());
const Ids = z.array(z.string());

const TouchAnswer = z.object({
  retried: Ids.optional(),
  discarded: Ids.optional(),
  redriven: Ids.optional(),
  skipped: z.array(z.object({ id: z.string(), reason: z.string() })),
});

const FinishAnswer = z.object({
  applied: Ids,
  notOurs: Ids,
  deadLettered: Ids,
  rejected: z.array(z.object({ index: count, reason: z.string() })).default([]),
});

const EnqueueAnswer = z.object({ enqueued: count, duplicates: count, ids: Ids });
