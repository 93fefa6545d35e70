/**
 * Delivers what is due and decides what follows.
 *
 * A message is pending from publish to its end: delivered, given up (dead letter) or cancelled. Pending ones are in the
 * journal, and a delivery is not noted before its answer is there: a kill in between delivers it again. That is the
 * at-least-once of QStash, and better than losing one. Messages overlap freely; only those of a queue wait for each other.
 */
import type { Clock } from '../../domain/time.ts';
import { backoffMs } from './backoff.ts';
import { callbackBody, callbackTemplate } from './callbacks.ts';
import { type Deliver, type DeliveryResult, isNonRetryable, isSuccess } from './delivery.ts';
import type { Publish } from './publisher.ts';
import type { DeadLetter, Message } from './records.ts';
import type { Schedules } from './schedules.ts';
import type { Store } from './store.ts';

const MAX_PARALLEL = 50;

export interface Dispatcher {
  /** Fires due schedules and starts due deliveries. Resolves when the deliveries that this call started have ended. */
  runDue(): Promise<void>;
  /** When there is something to do next, epoch ms; null: nothing is waiting. */
  nextDueEpochMs(): number | null;
  /** Ends deliveries under way; they stay pending. */
  stop(): Promise<void>;
}

export function createDispatcher(parts: {
  readonly store: Store;
  readonly schedules: Schedules;
  readonly publish: Publish;
  readonly deliver: Deliver;
  readonly clock: Clock;
  /** Backoffs are divided by it. */
  readonly speed: number;
  /** Called after each delivery: something else may be due now. */
  readonly onSettled: () => void;
}): Dispatcher {
  const { store, schedules, publish, deliver, clock } = parts;
  const inFlight = new Map<string, Promise<void>>();
  const stopping = new AbortController();

  const start = (message: Message): Promise<void> => {
    store.events.add('ACTIVE', message);
    const delivery = deliver(message, stopping.signal)
      .then((result) => {
        const isCancelled = store.messages.get(message.messageId) === undefined;
        if (!stopping.signal.aborted && !isCancelled) settle(message, result);
      })
      .finally(() => {
        inFlight.delete(message.messageId);
        parts.onSettled();
      });
    inFlight.set(message.messageId, delivery);
    return delivery;
  };

  const settle = (message: Message, result: DeliveryResult) => {
    const details = describeResult(result);
    if (message.callback !== undefined && result.kind === 'answered') {
      publish(callbackTemplate(message.callback, callbackBody(message, result)));
    }
    if (isSuccess(result)) {
      store.events.add('DELIVERED', message, details);
      store.messages.delete(message.messageId);
      if (message.scheduleId !== undefined) schedules.noteOutcome(message.scheduleId, message.messageId, 'SUCCESS');
      return;
    }
    store.events.add('ERROR', message, details);
    if (isNonRetryable(result) || message.retried >= message.maxRetries) giveUp(message, result);
    else retry(message, result);
  };

  const retry = (message: Message, result: DeliveryResult) => {
    const now = clock.nowEpochMs();
    const waitMs = backoffMs(message, result.kind === 'answered' ? result.headers : null, now) / parts.speed;
    const dueAtEpochMs = Math.round(now + waitMs);
    store.messages.put({ ...message, retried: message.retried + 1, dueAtEpochMs });
    store.events.add('RETRY', message, { nextDeliveryTime: dueAtEpochMs });
  };

  const giveUp = (message: Message, result: DeliveryResult) => {
    const { dlqId } = store.bury(message, describeDeadLetter(result));
    store.events.add('FAILED', message, describeResult(result));
    if (message.scheduleId !== undefined) schedules.noteOutcome(message.scheduleId, message.messageId, 'FAIL');
    if (message.failureCallback !== undefined) {
      publish(callbackTemplate(message.failureCallback, { ...callbackBody(message, result), dlqId }));
    }
  };

  return {
    runDue: async () => {
      if (stopping.signal.aborted) return;
      schedules.fireDue();
      const now = clock.nowEpochMs();
      const due = deliverable(store)
        .filter((message) => message.dueAtEpochMs <= now && !inFlight.has(message.messageId))
        .slice(0, MAX_PARALLEL - inFlight.size);
      await Promise.all(due.map(start));
    },
    nextDueEpochMs: () => {
      const waiting = deliverable(store).filter(({ messageId }) => !inFlight.has(messageId));
      const times = waiting.map((message) => message.dueAtEpochMs);
      // With every place taken, the end of a delivery is what wakes us.
      const firstMessage = inFlight.size < MAX_PARALLEL ? smallest(times) : null;
      return smallest([firstMessage, schedules.earliestFiring()].filter((time) => time !== null));
    },
    stop: async () => {
      stopping.abort();
      await Promise.allSettled(inFlight.values());
    },
  };
}

/** All but those that wait for their turn in a queue: first come, first served, also through retries. */
function deliverable(store: Store): readonly Message[] {
  const taken = new Map<string, number>();
  return store.messages.all().filter(({ queueName }) => {
    const queue = queueName === undefined ? undefined : store.queues.get(queueName);
    if (queue === undefined) return true;
    const place = taken.get(queue.name) ?? 0;
    taken.set(queue.name, place + 1);
    return !queue.paused && place < queue.parallelism;
  });
}

function describeResult(result: DeliveryResult) {
  if (result.kind === 'unreachable') return { error: result.error };
  if (isSuccess(result)) return { responseStatus: result.status };
  return {
    error: `status ${result.status}`,
    responseStatus: result.status,
    responseBody: result.body.toString('utf8'),
  };
}

function describeDeadLetter(result: DeliveryResult): Omit<DeadLetter, 'dlqId' | 'message'> {
  if (result.kind === 'unreachable') {
    return { responseHeader: {}, responseBodyBase64: Buffer.from(result.error).toString('base64') };
  }
  return {
    responseStatus: result.status,
    responseHeader: Object.fromEntries([...result.headers].map(([name, value]) => [name, [value]])),
    responseBodyBase64: result.body.toString('base64'),
  };
}

function smallest(times: readonly number[]): number | null {
  return times.length === 0 ? null : times.reduce((least, time) => Math.min(least, time));
}
