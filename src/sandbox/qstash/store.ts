/** Everything durable of the sandbox's QStash, in one folder. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, DAY_MS } from '../../domain/time.ts';
import { type EventLog, openEventLog } from './event-log.ts';
import {
  type DeadLetter,
  type Deduplication,
  deadLetterSchema,
  deduplicationSchema,
  type Keys,
  keysSchema,
  type Message,
  messageSchema,
  originSchema,
  type Queue,
  queueSchema,
  type ScheduleRecord,
  scheduleSchema,
} from './records.ts';
import { openTable, type Table } from './table.ts';

const DEAD_LETTERS_KEPT_MS = 3 * DAY_MS;

export interface Store {
  readonly schedules: Table<ScheduleRecord>;
  /** Not yet delivered, nor given up. */
  readonly messages: Table<Message>;
  readonly deadLetters: Table<DeadLetter>;
  readonly queues: Table<Queue>;
  readonly deduplications: Table<Deduplication>;
  readonly events: EventLog;
  keys(): Keys;
  /** Where the sandbox was when somebody last said so; null: nobody has. */
  origin(): string | null;
  setOrigin(origin: string): void;
  /** The next key becomes the current one, and a new one the next. */
  rotateKeys(): Keys;
  /** Files a message that was given up; ends its life as a message. */
  bury(message: Message, response: Omit<DeadLetter, 'dlqId' | 'message'>): DeadLetter;
  close(): void;
}

export function openStore(folder: string, clock: Clock): Store {
  const schedules = openTable(join(folder, 'schedules.jsonl'), scheduleSchema, (record) => record.scheduleId);
  const messages = openTable(join(folder, 'messages.jsonl'), messageSchema, (record) => record.messageId);
  const deadLetters = openTable(join(folder, 'dead-letters.jsonl'), deadLetterSchema, (record) => record.dlqId);
  const queues = openTable(join(folder, 'queues.jsonl'), queueSchema, (record) => record.name);
  const deduplications = openTable(join(folder, 'deduplications.jsonl'), deduplicationSchema, (record) => record.id);
  const keyTable = openTable(join(folder, 'keys.jsonl'), keysSchema, () => 'keys');
  const origins = openTable(join(folder, 'origin.jsonl'), originSchema, () => 'origin');
  const events = openEventLog(join(folder, 'events.jsonl'), clock);

  // A kill between the two steps of bury() leaves the message in both places.
  for (const { message } of deadLetters.all()) messages.delete(message.messageId);

  const keys = () => {
    const known = keyTable.get('keys') ?? { current: newKey(), next: newKey() };
    if (keyTable.get('keys') === undefined) keyTable.put(known);
    return known;
  };
  keys();
  let buried = 1 + Number(deadLetters.all().at(-1)?.dlqId.split('-')[1] ?? -1);

  return {
    schedules,
    messages,
    deadLetters,
    queues,
    deduplications,
    events,
    keys,
    origin: () => origins.get('origin')?.origin ?? null,
    setOrigin: (origin) => origins.put({ origin }),
    rotateKeys: () => {
      keyTable.put({ current: keys().next, next: newKey() });
      return keys();
    },
    bury: (message, response) => {
      const now = clock.nowEpochMs();
      for (const old of deadLetters.all()) {
        if (now - Number.parseInt(old.dlqId, 10) < DEAD_LETTERS_KEPT_MS) break;
        deadLetters.delete(old.dlqId);
      }
      const deadLetter = { dlqId: `${now}-${buried++}`, message, ...response };
      deadLetters.put(deadLetter);
      messages.delete(message.messageId);
      return deadLetter;
    },
    close: () => {
      const tables = [schedules, messages, deadLetters, queues, deduplications, keyTable, origins];
      for (const part of [...tables, events]) part.close();
    },
  };
}

function newKey(): string {
  return `sig_${randomBytes(21).toString('base64url')}`;
}
