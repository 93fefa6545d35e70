/** Rows of the queue's list, for tests of what shows and moves through them. */
import type { EmailDetails, ErrorGroup, ListedDeadLetter, ListedEmail } from '../../src/domain/queue-page.ts';
import { MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import { NOON } from './snapshot.ts';

/** The nth id: its digits stand at its beginning, where lists show them. */
export function idOf(n: number): string {
  return `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

export function aListedEmail(n: number, changes: Partial<ListedEmail> = {}): ListedEmail {
  const createdAtEpochMs = NOON - 20 * MINUTE_MS - n * 17 * SECOND_MS;
  return {
    kind: 'email',
    id: idOf(n),
    key: `key-${n}`,
    recipientId: null,
    recipientEmail: `reader${n}@example.org`,
    emailType: 'newsletter',
    templateName: null,
    attempts: 0,
    maxAttempts: 3,
    status: 'queued',
    lastError: null,
    nextRetryAtEpochMs: null,
    createdAtEpochMs,
    updatedAtEpochMs: createdAtEpochMs,
    lockedBy: null,
    lockedUntilEpochMs: null,
    subject: 'FoodShare weekly: 312 meals saved',
    isDiscarded: false,
    ...changes,
  };
}

export function aListedDeadLetter(n: number, changes: Partial<ListedDeadLetter> = {}): ListedDeadLetter {
  return {
    kind: 'dead',
    id: idOf(n),
    key: `key-${n}`,
    originalQueueId: idOf(n + 500),
    recipientEmail: `reader${n}@example.org`,
    emailType: 'chat',
    totalAttempts: 3,
    failureReason: 'attempts exhausted',
    lastError: '452 mailbox is full',
    movedAtEpochMs: NOON - n * MINUTE_MS,
    reviewedAtEpochMs: null,
    subject: 'Anna replied to you',
    failedProviders: ['brevo', 'resend'],
    ...changes,
  };
}

export function anErrorGroup(changes: Partial<ErrorGroup> = {}): ErrorGroup {
  return {
    status: 'failed',
    errorKind: '550 no mailbox <address>',
    count: 37,
    emailTypes: ['auth', 'chat'],
    oldestAtEpochMs: NOON - 90 * MINUTE_MS,
    newestAtEpochMs: NOON - MINUTE_MS,
    ...changes,
  };
}

export function details(email: ListedEmail, bodyLines: readonly string[] = ['Hello']): EmailDetails {
  const { subject, ...row } = email;
  const content = { subject, html: '<p>Hello</p>', text: null, from: 'team@foodshare.example', fromName: 'FoodShare' };
  const log = {
    id: idOf(900),
    recipientEmail: email.recipientEmail,
    emailType: email.emailType,
    subject,
    provider: 'brevo',
    providerMessageId: null,
    status: 'failed',
    errorMessage: email.lastError,
    latencyMs: 840,
    createdAtEpochMs: NOON - 5 * MINUTE_MS,
  };
  return {
    story: { email: { ...row, content }, logs: email.attempts === 0 ? [] : [log], deadLetters: [], isGuess: false },
    bodyLines,
  };
}
