import { randomUUID } from 'node:crypto';
import type { QueuedEmail } from '../../src/domain/email.ts';

/** An email as it is claimed. */
export function anEmail(change: Partial<QueuedEmail> = {}): QueuedEmail {
  return {
    id: randomUUID(),
    recipientId: null,
    recipientEmail: 'reader@example.org',
    emailType: 'chat',
    templateName: null,
    content: { subject: 'Hi', html: '<p>Hi</p>', text: null, from: null, fromName: null },
    attempts: 1,
    maxAttempts: 3,
    status: 'processing',
    lastError: null,
    nextRetryAtEpochMs: null,
    createdAtEpochMs: 0,
    updatedAtEpochMs: 0,
    lockedBy: 'worker/host/1/a',
    lockedUntilEpochMs: null,
    ...change,
  };
}
