/** What became of a schedule's messages, and what QStash gave up on: read when somebody looks, not with every refresh. */
import { z } from 'zod';
import type { DeadDeliveries, DeadDelivery, Delivery, DeliveryLog } from '../domain/delivery.ts';
import { FaultError, SYSTEM, unreadable } from './fault.ts';
import { epochMs, lenient, parseEach } from './parse.ts';
import { connectQStash, type QStashTarget } from './qstash.ts';
import { messageState, newestFirst, sentenceOf } from './qstash-messages.ts';

/** One request each. Both throw `FaultError`. */
export interface ScheduleLog {
  /** The last messages of one schedule, from the newest hundred entries of the log. */
  deliveries(scheduleId: string, signal?: AbortSignal): Promise<DeliveryLog>;
  /** A page of what QStash gave up on; `cursor` is the one of the page before. */
  deadLetters(cursor: string | null, signal?: AbortSignal): Promise<DeadDeliveries>;
}

const EVENTS_PAGE = 100;
const DEAD_PAGE = 50;

export function createScheduleLog(target: QStashTarget): ScheduleLog {
  const connection = connectQStash(target);
  return {
    deliveries: (scheduleId, signal) =>
      asked('no log', async () => {
        const client = await connection.client(signal);
        const answer = Log.parse(await client.logs({ filter: { scheduleId }, count: EVENTS_PAGE }));
        const { values, skipped } = parseEach(Entry, answer.logs);
        return { deliveries: deliveriesOf(values), skipped };
      }),
    deadLetters: (cursor, signal) =>
      asked('no list of dead letters', async () => {
        const client = await connection.client(signal);
        const options = cursor === null ? { count: DEAD_PAGE } : { count: DEAD_PAGE, cursor };
        const answer = DeadAnswer.parse(await client.dlq.listMessages(options));
        const { values, skipped } = parseEach(DeadLetter, answer.messages);
        return { messages: values, cursor: answer.cursor || null, skipped };
      }),
  };
}

async function asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw new FaultError(unreadable(SYSTEM.qstash, what), { cause: error });
  }
}

type LogEntry = z.output<typeof Entry>;

function deliveriesOf(entries: readonly LogEntry[]): readonly Delivery[] {
  const byMessage = Map.groupBy(entries, ({ messageId }) => messageId);
  const beganAt = ({ createdAtEpochMs, lastAtEpochMs }: Delivery) => createdAtEpochMs ?? lastAtEpochMs;
  return [...byMessage.values()].map(deliveryOf).sort((a, b) => beganAt(b) - beganAt(a));
}

function deliveryOf(entries: readonly LogEntry[]): Delivery {
  const sorted = entries.toSorted(newestFirst);
  const [newest] = sorted;
  if (newest === undefined) throw new Error('A message without an entry in the log.');
  const isWaiting = newest.state === 'retry' || newest.state === 'error';
  return {
    messageId: newest.messageId,
    state: newest.state,
    createdAtEpochMs: sorted.find(({ state }) => state === 'created')?.time ?? null,
    lastAtEpochMs: newest.time,
    attempts: sorted.filter(({ state }) => state === 'active').length,
    nextAttemptAtEpochMs: isWaiting
      ? (sorted.find(({ nextDeliveryTime }) => nextDeliveryTime !== null)?.nextDeliveryTime ?? null)
      : null,
    error: errorOf(sorted),
  };
}

/** The sentence of the endpoint says more than `status 500`. */
function errorOf(newestFirst: readonly LogEntry[]): string | null {
  const failed = newestFirst.find(({ error, responseStatus }) => error !== null || (responseStatus ?? 200) >= 300);
  if (failed === undefined) return null;
  const said = sentenceOf(failed.responseBody);
  const status = failed.responseStatus === null ? '' : `HTTP ${failed.responseStatus}`;
  if (said === null || said === '') return failed.error ?? status;
  return status === '' ? said : `${status}: ${said}`;
}

const Log = z.object({ logs: z.array(z.unknown()) });
const Entry = z.object({
  messageId: z.string(),
  time: epochMs,
  state: messageState,
  error: lenient(z.string()),
  nextDeliveryTime: lenient(epochMs),
  responseStatus: lenient(z.number()),
  responseBody: lenient(z.string()),
});

const DeadAnswer = z.object({ messages: z.array(z.unknown()), cursor: z.string().nullish() });
const DeadLetter: z.ZodType<DeadDelivery> = z
  .object({
    dlqId: z.string(),
    messageId: z.string(),
    url: lenient(z.string()),
    scheduleId: lenient(z.string()),
    createdAt: lenient(epochMs),
    responseStatus: lenient(z.number()),
    responseBody: lenient(z.string()),
    responseBodyBase64: lenient(z.string()),
  })
  .transform(({ dlqId, messageId, url, scheduleId, createdAt, responseStatus, responseBody, responseBodyBase64 }) => {
    const said = sentenceOf(responseBody ?? decoded(responseBodyBase64));
    const status = responseStatus === null ? '' : `HTTP ${responseStatus}`;
    const words = [status, said ?? ''].filter((each) => each !== '');
    return {
      id: dlqId,
      messageId,
      scheduleId: scheduleId === '' ? null : scheduleId,
      destination: url ?? '',
      createdAtEpochMs: createdAt,
      diedAtEpochMs: timeIn(dlqId),
      responseStatus,
      reason: words.length === 0 ? 'no answer' : words.join(': '),
    };
  });

/** Ids of dead letters begin with the time of their death. */
function timeIn(dlqId: string): number | null {
  const ms = Number(/^(\d{13})-/.exec(dlqId)?.[1]);
  return ms > 0 ? ms : null;
}

function decoded(base64: string | null): string | null {
  return base64 === null ? null : Buffer.from(base64, 'base64').toString('utf8');
}
