/** Turns templates into pending messages: deduplicated, dated, written to the journal before their id is told. */
import { createHash, randomBytes } from 'node:crypto';
import { type Clock, MINUTE_MS } from '../../domain/time.ts';
import type { Message, Template } from './records.ts';
import type { Store } from './store.ts';

const DEDUPLICATION_MS = 10 * MINUTE_MS;

export interface Published {
  readonly messageId: string;
  /** True when the same message was there within the last ten minutes; nothing new was made. */
  readonly deduplicated: boolean;
}

export interface PublishDetails {
  readonly scheduleId?: string;
  readonly deduplicationId?: string | undefined;
  /** Delivered not before; wins over the template's delay. */
  readonly notBeforeEpochMs?: number | undefined;
}

export type Publish = (template: Template, details?: PublishDetails) => Published;

/** `onPublished` is called after each new message, so that somebody can start delivering. */
export function createPublish(store: Store, clock: Clock, onPublished: () => void): Publish {
  return (template, details = {}) => {
    const now = clock.nowEpochMs();
    const { deduplicationId, scheduleId } = details;
    if (deduplicationId !== undefined) {
      const known = store.deduplications.get(deduplicationId);
      if (known !== undefined && now < known.untilEpochMs) return { messageId: known.messageId, deduplicated: true };
    }
    const message: Message = {
      ...template,
      messageId: `msg_${randomBytes(24).toString('base64url')}`,
      createdAtEpochMs: now,
      dueAtEpochMs: details.notBeforeEpochMs ?? now + template.delayMs,
      retried: 0,
      ...(scheduleId !== undefined && { scheduleId }),
    };
    store.messages.put(message);
    if (message.queueName !== undefined) ensureQueue(store, message.queueName, now);
    if (deduplicationId !== undefined) {
      forgetExpired(store, now);
      const { messageId } = message;
      store.deduplications.put({ id: deduplicationId, messageId, untilEpochMs: now + DEDUPLICATION_MS });
    }
    store.events.add('CREATED', message, { nextDeliveryTime: message.dueAtEpochMs });
    onPublished();
    return { messageId: message.messageId, deduplicated: false };
  };
}

/** The same for the same destination, headers and body. */
export function contentId(template: Template): string {
  const { url, method, header, bodyBase64 } = template;
  return `content-${createHash('sha256').update(JSON.stringify({ url, method, header, bodyBase64 })).digest('base64url')}`;
}

/** A queue comes into being with its first message. */
function ensureQueue(store: Store, name: string, nowEpochMs: number): void {
  if (store.queues.get(name) !== undefined) return;
  const times = { createdAtEpochMs: nowEpochMs, updatedAtEpochMs: nowEpochMs };
  store.queues.put({ name, parallelism: 1, paused: false, ...times });
}

function forgetExpired(store: Store, nowEpochMs: number): void {
  for (const { id, untilEpochMs } of store.deduplications.all()) {
    if (untilEpochMs <= nowEpochMs) store.deduplications.delete(id);
  }
}
