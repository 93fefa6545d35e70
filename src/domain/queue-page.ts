/** What lists of the queue are asked and answer: a filter, where to begin, a page of rows, and errors in groups. */
import type { DeadLetter, DeliveryLog, QueuedEmail, QueuedEmailSummary, QueueStatus } from './email.ts';

export const QUEUE_SORTS = ['oldest', 'newest', 'changed'] as const;
export type QueueSort = (typeof QUEUE_SORTS)[number];

/** `dead` lists the unreviewed dead letters instead of queue rows. */
export type ListedStatus = QueueStatus | 'dead';

export interface QueueQuery {
  readonly status?: ListedStatus;
  readonly emailType?: string;
  /** One that was tried for the email. */
  readonly provider?: string;
  /** Each is part of the id, recipient, type, subject or error, in any case. */
  readonly words?: readonly string[];
  /** As `ErrorGroup` names it. Leaves discarded rows out, as groups do. */
  readonly errorKind?: string;
  /** Leaves discarded rows out. */
  readonly isOpen?: boolean;
  readonly sort: QueueSort;
}

/** `key` is that of a row seen before. `from` begins with that row itself. */
export type PagePlace =
  | { readonly kind: 'first' }
  | { readonly kind: 'last' }
  | { readonly kind: 'after' | 'before' | 'from'; readonly key: string };

export type QueueItem = ListedEmail | ListedDeadLetter;

export interface ListedEmail extends QueuedEmailSummary {
  readonly kind: 'email';
  readonly key: string;
  /** Failed, and an operator took it out for good. */
  readonly isDiscarded: boolean;
}

export interface ListedDeadLetter extends DeadLetter {
  readonly kind: 'dead';
  readonly key: string;
  readonly subject: string | null;
  readonly failedProviders: readonly string[];
}

/** One email with everything that is known about it. */
export interface EmailStory {
  readonly email: QueuedEmail;
  /** Deliveries, newest first. On a database without our migration those to the same recipient since, which is a guess. */
  readonly logs: readonly DeliveryLog[];
  readonly deadLetters: readonly DeadLetter[];
  readonly isGuess: boolean;
}

/** A story, and its content as lines that can be read. */
export interface EmailDetails {
  readonly story: EmailStory;
  /** From the HTML part, or from the text where there is none. Not made safe for a terminal. */
  readonly bodyLines: readonly string[];
}

export interface QueuePage {
  /** In the order of the list, whatever the direction of travel. */
  readonly items: readonly QueueItem[];
  /** Rows that could not be read. */
  readonly skipped: number;
  /** More in the direction of travel: before the page for `last` and `before`, else behind it. */
  readonly hasMore: boolean;
  /** Without our migration a list can only be walked downwards. */
  readonly isForwardOnly: boolean;
}

/** Emails that failed in the same way: what differs from email to email is taken out of the error. */
export interface ErrorGroup {
  readonly status: ListedStatus;
  /** Empty where no error was recorded. */
  readonly errorKind: string;
  readonly count: number;
  readonly emailTypes: readonly string[];
  readonly oldestAtEpochMs: number;
  readonly newestAtEpochMs: number;
}

export interface ErrorGroups {
  /** The largest first. */
  readonly groups: readonly ErrorGroup[];
  /** In all groups, also those that are not listed. */
  readonly emails: number;
  readonly hasMore: boolean;
}
