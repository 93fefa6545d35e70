/** What happened to which message, newest first, bounded in number and age as QStash's own log is. */
import { type Clock, DAY_MS } from '../../domain/time.ts';
import { openJournal } from '../journal.ts';
import { eventSchema, type Message, type QStashEvent } from './records.ts';

const KEPT = 20_000;
const KEPT_MS = 3 * DAY_MS;

export type EventDetails = Pick<QStashEvent, 'nextDeliveryTime' | 'error' | 'responseStatus' | 'responseBody'>;

export interface EventLog {
  add(state: QStashEvent['state'], message: Message, details?: EventDetails): void;
  newestFirst(): readonly QStashEvent[];
  close(): void;
}

export function openEventLog(path: string, clock: Clock): EventLog {
  const journal = openJournal<QStashEvent>(path, (value) => eventSchema.parse(value));
  let events: QStashEvent[] = [...journal.replayed];
  let sequence = (events.at(-1)?.sequence ?? 0) + 1;

  const isKept = (event: QStashEvent) => clock.nowEpochMs() - event.time < KEPT_MS;

  return {
    add: (state, message, details = {}) => {
      const { messageId, url, method, labels, callerIp, scheduleId, queueName, flowControl } = message;
      const about = {
        messageId,
        url,
        method,
        labels,
        callerIp,
        scheduleId,
        queueName,
        flowControlKey: flowControl?.key,
      };
      const event: QStashEvent = { sequence: sequence++, time: clock.nowEpochMs(), state, ...about, ...details };
      journal.append(event);
      events.push(event);
      if (events.length <= KEPT * 1.25) return;
      events = events.slice(-KEPT).filter(isKept);
      journal.rewrite(events);
    },
    newestFirst: () => events.filter(isKept).reverse(),
    close: () => journal.close(),
  };
}
