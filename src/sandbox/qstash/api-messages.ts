/** Pending messages, the event log and the queues. */
import { z } from 'zod';
import type { Call, Handler } from './api.ts';
import { ApiError } from './errors.ts';
import { eventSubject, messageSubject, readCount, readFilter } from './filters.ts';
import type { Message, Queue } from './records.ts';
import { describeEvent, describeMessage, describeQueue } from './wire.ts';

const EVENTS_A_PAGE = 1_000;

/** `GET /v2/messages/<id>`: only while it is pending. */
export const getMessage: Handler = async ({ id, store }) => {
  const message = store.messages.get(id);
  if (message === undefined) throw new ApiError(404, `message "${id}" not found`);
  return Response.json(describeMessage(message));
};

export const cancelMessage: Handler = async (call) => {
  const message = call.store.messages.get(call.id);
  if (message === undefined) throw new ApiError(404, `message "${call.id}" not found`);
  cancel(call, message);
  return Response.json({ cancelled: 1 });
};

/** `DELETE /v2/messages?messageIds=…`, or by filter; without either: all of them. */
export const cancelMessages: Handler = async (call) => {
  const matches = readFilter(call.query);
  const found = call.store.messages.all().filter((message) => matches(messageSubject(message)));
  for (const message of found) cancel(call, message);
  return Response.json({ cancelled: found.length });
};

/** A delivery under way runs to its end, but nothing follows from it. */
function cancel({ store, schedules }: Call, message: Message): void {
  store.messages.delete(message.messageId);
  store.events.add('CANCELED', message);
  if (message.scheduleId !== undefined) schedules.noteOutcome(message.scheduleId, message.messageId, 'FAIL');
}

/** `GET /v2/events`, as the SDK asks. */
export const listEvents: Handler = async (call) => {
  const { found, cursor } = findEvents(call);
  return Response.json({ events: found, cursor });
};

/** `GET /v2/logs`, as it is documented. */
export const listLogs: Handler = async (call) => {
  const { found, cursor } = findEvents(call);
  return Response.json({ logs: found, cursor });
};

function findEvents({ query, store }: Call) {
  const matches = readFilter(query);
  const count = readCount(query, EVENTS_A_PAGE);
  const before = Number(query.get('cursor') ?? Number.POSITIVE_INFINITY);
  const matching = store.events
    .newestFirst()
    .filter((event) => event.sequence < before && matches(eventSubject(event)));
  const page = matching.slice(0, count);
  // No cursor: that was the last page.
  const cursor = matching.length > page.length ? page.at(-1)?.sequence : undefined;
  return { found: page.map(describeEvent), cursor: cursor === undefined ? undefined : String(cursor) };
}

const queueChangeSchema = z.object({
  queueName: z.string().min(1),
  parallelism: z.int().positive().default(1),
  paused: z.boolean().default(false),
});

/** `POST /v2/queues`. */
export const upsertQueue: Handler = async ({ body, store, clock }) => {
  const change = queueChangeSchema.safeParse(JSON.parse(Buffer.from(await body()).toString('utf8')));
  if (!change.success) throw new ApiError(400, `invalid queue: ${z.prettifyError(change.error)}`);
  const { queueName: name, parallelism, paused } = change.data;
  const now = clock.nowEpochMs();
  const createdAtEpochMs = store.queues.get(name)?.createdAtEpochMs ?? now;
  store.queues.put({ name, parallelism, paused, createdAtEpochMs, updatedAtEpochMs: now });
  return new Response(null, { status: 200 });
};

export const listQueues: Handler = async (call) =>
  Response.json(call.store.queues.all().map((queue) => describeQueue(queue, lag(call, queue))));

export const getQueue: Handler = async (call) => {
  const queue = find(call);
  return Response.json(describeQueue(queue, lag(call, queue)));
};

/** Its messages go with it. */
export const deleteQueue: Handler = async (call) => {
  const { name } = find(call);
  for (const message of call.store.messages.all()) if (message.queueName === name) cancel(call, message);
  call.store.queues.delete(name);
  return new Response(null, { status: 200 });
};

export const pauseQueue: Handler = async (call) => {
  call.store.queues.put({ ...find(call), paused: true, updatedAtEpochMs: call.clock.nowEpochMs() });
  return new Response(null, { status: 200 });
};

export const resumeQueue: Handler = async (call) => {
  call.store.queues.put({ ...find(call), paused: false, updatedAtEpochMs: call.clock.nowEpochMs() });
  return new Response(null, { status: 200 });
};

function find({ store, id }: Call): Queue {
  const queue = store.queues.get(id);
  if (queue === undefined) throw new ApiError(404, `queue "${id}" not found`);
  return queue;
}

function lag({ store }: Call, queue: Queue): number {
  return store.messages.all().filter((message) => message.queueName === queue.name).length;
}
