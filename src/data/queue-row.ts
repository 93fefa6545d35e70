/** Rows of the queue's tables as domain values. Rows are written by other programs, so what they hold may be anything. */
import { z } from 'zod';
import { type DeadLetter, type DeliveryLog, QUEUE_STATUSES, type QueuedEmail } from '../domain/email.ts';
import type { ListedDeadLetter, ListedEmail } from '../domain/queue-page.ts';
import { count, epochMs, lenient } from './parse.ts';

const text = lenient(z.string());
const time = lenient(epochMs);

const Content = z
  .unknown()
  .optional()
  .transform((value) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}))
  .transform((data) => ({
    subject: text.parse(data.subject),
    html: text.parse(data.html),
    text: text.parse(data.text),
    from: text.parse(data.from),
    fromName: text.parse(data.fromName),
  }));

const columns = {
  id: z.string(),
  recipient_id: text,
  recipient_email: z.string(),
  email_type: z.string(),
  template_name: text,
  attempts: count,
  max_attempts: count,
  status: z.enum(QUEUE_STATUSES),
  last_error: text,
  next_retry_at: time,
  created_at: epochMs,
  updated_at: epochMs,
  locked_by: text,
  locked_until: time,
};

type Columns = z.output<z.ZodObject<typeof columns>>;

/** A full row, as `claim_emails` hands it out and `select *` reads it. */
export const QueueRow: z.ZodType<QueuedEmail> = z
  .object({ ...columns, template_data: Content })
  .transform((row) => ({ ...commonOf(row), content: row.template_data }));

/** A row of a list, without its content: only the subject, which PostgREST picks out of it. */
export const QueueListRow = z
  .object({ ...columns, subject: text })
  .transform((row) => ({ ...commonOf(row), subject: row.subject }));

function commonOf(row: Columns): Omit<QueuedEmail, 'content'> {
  return {
    id: row.id,
    recipientId: row.recipient_id,
    recipientEmail: row.recipient_email,
    emailType: row.email_type,
    templateName: row.template_name,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    status: row.status,
    lastError: row.last_error,
    nextRetryAtEpochMs: row.next_retry_at,
    createdAtEpochMs: row.created_at,
    updatedAtEpochMs: row.updated_at,
    lockedBy: row.locked_by,
    lockedUntilEpochMs: row.locked_until,
  };
}

/** A row of `find_emails`. */
export const ListedEmailRow: z.ZodType<ListedEmail> = z
  .object({ ...columns, subject: text, key: z.string(), discarded: z.boolean() })
  .transform((row) => ({
    ...commonOf(row),
    kind: 'email',
    key: row.key,
    subject: row.subject,
    isDiscarded: row.discarded,
  }));

const letterColumns = {
  id: z.string(),
  original_queue_id: text,
  recipient_email: z.string(),
  email_type: z.string(),
  total_attempts: count,
  failure_reason: z.string(),
  last_error: text,
  moved_to_dlq_at: epochMs,
  reviewed_at: time,
};

export const DeadLetterRow: z.ZodType<DeadLetter> = z.object(letterColumns).transform(letterOf);

/** A dead letter of `find_emails`. */
export const ListedDeadLetterRow: z.ZodType<ListedDeadLetter> = z
  .object({ ...letterColumns, subject: text, key: z.string(), failed_providers: z.array(z.string()).nullish() })
  .transform((row) => ({
    ...letterOf(row),
    kind: 'dead',
    key: row.key,
    subject: row.subject,
    failedProviders: row.failed_providers ?? [],
  }));

function letterOf(row: z.output<z.ZodObject<typeof letterColumns>>): DeadLetter {
  return {
    id: row.id,
    originalQueueId: row.original_queue_id,
    recipientEmail: row.recipient_email,
    emailType: row.email_type,
    totalAttempts: row.total_attempts,
    failureReason: row.failure_reason,
    lastError: row.last_error,
    movedAtEpochMs: row.moved_to_dlq_at,
    reviewedAtEpochMs: row.reviewed_at,
  };
}

export const LogRow: z.ZodType<DeliveryLog> = z
  .object({
    id: z.string(),
    recipient_email: z.string(),
    email_type: z.string(),
    subject: text,
    provider: z.string(),
    provider_message_id: text,
    status: z.string(),
    error_message: text,
    latency_ms: lenient(count),
    created_at: epochMs,
  })
  .transform((row) => ({
    id: row.id,
    recipientEmail: row.recipient_email,
    emailType: row.email_type,
    subject: row.subject,
    provider: row.provider,
    providerMessageId: row.provider_message_id,
    status: row.status,
    errorMessage: row.error_message,
    latencyMs: row.latency_ms,
    createdAtEpochMs: row.created_at,
  }));
