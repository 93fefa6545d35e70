/** Emails, their types and providers, as WIRE.md names them. */

export const PROVIDERS = ['resend', 'brevo', 'mailersend', 'aws_ses'] as const;
export type Provider = (typeof PROVIDERS)[number];

export function isProvider(name: unknown): name is Provider {
  return PROVIDERS.includes(name as Provider);
}

export const EMAIL_TYPES = [
  'auth',
  'chat',
  'food_listing',
  'feedback',
  'review_reminder',
  'newsletter',
  'announcement',
  'welcome',
  'goodbye',
  'notification',
] as const;
export type EmailType = (typeof EMAIL_TYPES)[number];

export const QUEUE_STATUSES = ['queued', 'processing', 'failed', 'completed'] as const;
export type QueueStatus = (typeof QUEUE_STATUSES)[number];

/** What a queue row says should be sent. Anything may be missing: rows are written by other programs. */
export interface EmailContent {
  readonly subject: string | null;
  readonly html: string | null;
  readonly text: string | null;
  readonly from: string | null;
  readonly fromName: string | null;
}

/** One row of `email_queue`. `lockedBy` and `lockedUntilEpochMs` are null on a database without our migration. */
export interface QueuedEmail {
  readonly id: string;
  readonly recipientId: string | null;
  readonly recipientEmail: string;
  readonly emailType: string;
  readonly templateName: string | null;
  readonly content: EmailContent;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly status: QueueStatus;
  readonly lastError: string | null;
  readonly nextRetryAtEpochMs: number | null;
  readonly createdAtEpochMs: number;
  readonly updatedAtEpochMs: number;
  readonly lockedBy: string | null;
  readonly lockedUntilEpochMs: number | null;
}

/** One row of `email_dead_letter_queue`. */
export interface DeadLetter {
  readonly id: string;
  readonly originalQueueId: string | null;
  readonly recipientEmail: string;
  readonly emailType: string;
  readonly totalAttempts: number;
  readonly failureReason: string;
  readonly lastError: string | null;
  readonly movedAtEpochMs: number;
  readonly reviewedAtEpochMs: number | null;
}

/** One row of `email_logs`: one delivery attempt that reached a provider. */
export interface DeliveryLog {
  readonly id: string;
  readonly recipientEmail: string;
  readonly emailType: string;
  readonly subject: string | null;
  readonly provider: string;
  readonly providerMessageId: string | null;
  readonly status: string;
  readonly errorMessage: string | null;
  readonly latencyMs: number | null;
  readonly createdAtEpochMs: number;
}

/** A row as lists show it: everything but the content. */
export type QueuedEmailSummary = Omit<QueuedEmail, 'content'> & { readonly subject: string | null };

/** What became of one attempt, as `finish_emails` takes it. `attempt` is the row's `attempts` when it was claimed. */
export interface EmailResult {
  readonly id: string;
  readonly attempt: number;
  readonly outcome: 'sent' | 'retry' | 'discard';
  /** The provider that was asked last; absent where it never came to that. */
  readonly provider?: Provider;
  readonly messageId?: string;
  readonly latencyMs?: number;
  readonly error?: string;
  /** Why it was discarded, for the dead letter. */
  readonly reason?: string;
  readonly failedProviders?: readonly string[];
}

/** An email to be enqueued. The same `key` is enqueued once. */
export interface NewEmail {
  readonly key?: string;
  readonly recipientEmail: string;
  readonly recipientId?: string;
  readonly emailType: string;
  readonly templateName?: string;
  readonly templateData: Readonly<Record<string, unknown>>;
  readonly maxAttempts?: number;
}
