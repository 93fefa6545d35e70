/** One full answer of each kind that a view may ask for (src/ui/loaders.ts). A new kind needs its row here: types see to that. */
import type { DeliveryLog, QueuedEmail } from '../../src/domain/email.ts';
import { NO_RECORD } from '../../src/domain/provider-record.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import type { LoadKinds } from '../../src/ui/loaders.ts';
import { aRun, NOON } from './snapshot.ts';

const EMAIL: QueuedEmail = {
  id: '5b0c1b5e-0000-4000-8000-000000000001',
  recipientId: 'user-1',
  recipientEmail: 'maria@example.org',
  emailType: 'chat',
  templateName: 'chat-message',
  content: { subject: 'A message', html: '<p>Hello</p>', text: 'Hello', from: 'no-reply@example.org', fromName: 'Us' },
  attempts: 2,
  maxAttempts: 3,
  status: 'failed',
  lastError: 'brevo answers 503',
  nextRetryAtEpochMs: NOON + MINUTE_MS,
  createdAtEpochMs: NOON - 60 * MINUTE_MS,
  updatedAtEpochMs: NOON - MINUTE_MS,
  lockedBy: 'worker/web-1/42/t',
  lockedUntilEpochMs: NOON + MINUTE_MS,
};

const LOG: DeliveryLog = {
  id: 'log-1',
  recipientEmail: 'maria@example.org',
  emailType: 'chat',
  subject: 'A message',
  provider: 'brevo',
  providerMessageId: '<1@brevo>',
  status: 'failed',
  errorMessage: 'HTTP 503',
  latencyMs: 420,
  createdAtEpochMs: NOON - 2 * MINUTE_MS,
};

const DEAD_LETTER = {
  id: '5b0c1b5e-0000-4000-8000-000000000002',
  originalQueueId: EMAIL.id,
  recipientEmail: 'paul@example.org',
  emailType: 'auth',
  totalAttempts: 3,
  failureReason: 'max attempts',
  lastError: 'HTTP 503',
  movedAtEpochMs: NOON - MINUTE_MS,
  reviewedAtEpochMs: null,
};

const { content, ...SUMMARY } = EMAIL;

export const LOADED_ANSWERS: { readonly [K in keyof LoadKinds]: LoadKinds[K]['value'] } = {
  'queue-page': {
    items: [
      { ...SUMMARY, kind: 'email', subject: content.subject, key: 'k1', isDiscarded: false },
      { ...DEAD_LETTER, kind: 'dead', subject: 'Sign in', key: 'k2', failedProviders: ['brevo', 'resend'] },
    ],
    skipped: 1,
    hasMore: true,
    isForwardOnly: false,
  },
  'queue-groups': {
    groups: [
      {
        status: 'failed',
        errorKind: 'brevo answers #',
        count: 12,
        emailTypes: ['chat', 'auth'],
        oldestAtEpochMs: NOON - 9 * MINUTE_MS,
        newestAtEpochMs: NOON - MINUTE_MS,
      },
    ],
    emails: 12,
    hasMore: false,
  },
  email: {
    story: { email: EMAIL, logs: [LOG], deadLetters: [DEAD_LETTER], isGuess: false },
    bodyLines: ['Hello', 'and goodbye'],
  },
  audit: {
    entries: [
      { atEpochMs: NOON - MINUTE_MS, by: 'ada', host: 'ops-1', action: 'pause', target: 'queue', outcome: 'ok' },
    ],
    skipped: 0,
  },
  runs: { runs: [aRun({ outcome: 'failed', error: 'no answer' }), aRun({ id: 'run-2' })], skipped: 0 },
  deliveries: {
    deliveries: [
      {
        messageId: 'msg_1',
        state: 'failed',
        createdAtEpochMs: NOON - 2 * MINUTE_MS,
        lastAtEpochMs: NOON - MINUTE_MS,
        attempts: 4,
        nextAttemptAtEpochMs: null,
        error: 'HTTP 500',
      },
    ],
    skipped: 0,
  },
  'provider-history': {
    sinceEpochMs: NOON - 60 * MINUTE_MS,
    untilEpochMs: NOON,
    bucketMs: MINUTE_MS,
    buckets: [{ provider: 'brevo', atEpochMs: NOON - 5 * MINUTE_MS, sent: 9, failed: 2, p95Ms: 420 }],
    skipped: 0,
  },
  'provider-states': [
    {
      provider: 'brevo',
      record: { ...NO_RECORD, lastError: 'HTTP 503', consecutiveFailures: 2, totalRequests: 9, weighedAtEpochMs: NOON },
      quota: { provider: 'brevo', day: { sent: 12, limit: 300 }, month: { sent: 40, limit: 9_000 } },
      disabled: { untilEpochMs: NOON + 60 * MINUTE_MS, by: 'ada@ops-1', reason: 'their outage' },
      usedUpUntilEpochMs: null,
      check: null,
    },
  ],
  'provider-details': {
    days: [{ provider: 'brevo', date: '2026-11-23', emailsSent: 12, dailyLimit: 300, monthlyLimit: 9_000 }],
    failures: [LOG],
  },
  'dead-deliveries': {
    messages: [
      {
        id: 'dlq-1',
        messageId: 'msg_2',
        scheduleId: 'email-queue-processor',
        destination: 'https://foodshare.club/api/email/worker/queue-processor',
        createdAtEpochMs: NOON - 9 * MINUTE_MS,
        diedAtEpochMs: NOON - 8 * MINUTE_MS,
        responseStatus: 500,
        reason: 'no answer',
      },
    ],
    cursor: 'next',
    skipped: 0,
  },
};
