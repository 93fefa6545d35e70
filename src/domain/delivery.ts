/** What QStash made of its messages: deliveries under way and ended, and those that it gave up on and keeps. */

export type MessageState = 'created' | 'active' | 'delivered' | 'error' | 'retry' | 'failed' | 'cancelled';

export interface Delivery {
  readonly messageId: string;
  /** The newest that is known of it. */
  readonly state: MessageState;
  /** Null where its beginning is older than what was read. */
  readonly createdAtEpochMs: number | null;
  readonly lastAtEpochMs: number;
  /** How often it was tried, as far as is known. */
  readonly attempts: number;
  /** Only while another try is to come. */
  readonly nextAttemptAtEpochMs: number | null;
  /** Of the last try that failed. */
  readonly error: string | null;
}

export interface DeliveryLog {
  /** Newest first. */
  readonly deliveries: readonly Delivery[];
  readonly skipped: number;
}

/** A message that QStash gave up on. */
export interface DeadDelivery {
  readonly id: string;
  readonly messageId: string;
  readonly scheduleId: string | null;
  readonly destination: string;
  readonly createdAtEpochMs: number | null;
  readonly diedAtEpochMs: number | null;
  readonly responseStatus: number | null;
  /** What the endpoint answered last, or why it could not be reached. */
  readonly reason: string;
}

export interface DeadDeliveries {
  /** Newest first. */
  readonly messages: readonly DeadDelivery[];
  /** Where the next page begins; null after the last. */
  readonly cursor: string | null;
  readonly skipped: number;
}
