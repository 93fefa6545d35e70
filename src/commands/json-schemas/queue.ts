/** Schemas of emails in the queue. */
import { z } from 'zod';
import { QUEUE_STATUSES } from '../../domain/email.ts';
import { count, milliseconds, time } from './parts.ts';

const email = {
  id: z.uuid(),
  recipientId: z.string().nullable(),
  recipientEmail: z.string(),
  emailType: z.string(),
  templateName: z.string().nullable(),
  attempts: count,
  maxAttempts: count,
  status: z.enum(QUEUE_STATUSES),
  lastError: z.string().nullable(),
  nextRetryAt: time.nullable(),
  createdAt: time,
  updatedAt: time,
  lockedBy: z.string().nullable().describe('the worker that sends it now'),
  lockedUntil: time.nullable(),
};

export const queueRow = z.strictObject({ ...email, subject: z.string().nullable() });

export const queueRowDead = z.strictObject({
  id: z.uuid(),
  originalQueueId: z.string().nullable().describe('the id that `queue show`, `retry` and `discard` take'),
  recipientEmail: z.string(),
  emailType: z.string(),
  totalAttempts: count,
  failureReason: z.string(),
  lastError: z.string().nullable(),
  movedAt: time,
  reviewedAt: time.nullable(),
});

const text = z.string().nullable();

/** All but `version`. */
export const emailStory = {
  email: z.strictObject({
    ...email,
    content: z.strictObject({ subject: text, html: text, text, from: text, fromName: text }),
  }),
  logs: z
    .array(
      z.strictObject({
        id: z.string(),
        recipientEmail: z.string(),
        emailType: z.string(),
        subject: z.string().nullable(),
        provider: z.string(),
        providerMessageId: z.string().nullable(),
        status: z.string(),
        errorMessage: z.string().nullable(),
        latencyMs: milliseconds.nullable(),
        createdAt: time,
      }),
    )
    .describe('what reached a provider, newest first'),
  deadLetters: z.array(queueRowDead),
  isGuess: z.boolean().describe('without our migration the logs are those to the same recipient since'),
};
