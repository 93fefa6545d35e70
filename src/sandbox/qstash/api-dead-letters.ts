/** The dead letters: list, get, delete, and publish again. */
import type { Call, Handler } from './api.ts';
import { ApiError } from './errors.ts';
import { deadLetterSubject, readCount, readFilter } from './filters.ts';
import type { DeadLetter } from './records.ts';
import { describeDeadLetter } from './wire.ts';

const A_PAGE = 1_000;

export const listDeadLetters: Handler = async (call) => {
  const { found, cursor } = find(call);
  return Response.json({ messages: found.map(describeDeadLetter), cursor });
};

export const getDeadLetter: Handler = async ({ id, store }) => {
  const deadLetter = store.deadLetters.get(id);
  if (deadLetter === undefined) throw unknown(id);
  return Response.json(describeDeadLetter(deadLetter));
};

export const deleteDeadLetter: Handler = async ({ id, store }) => {
  if (!store.deadLetters.delete(id)) throw unknown(id);
  return Response.json({ deleted: 1 });
};

/** `DELETE /v2/dlq?dlqIds=…`, or by filter; without either all of them, page by page. */
export const deleteDeadLetters: Handler = async (call) => {
  const { found, cursor } = find(call);
  for (const { dlqId } of found) call.store.deadLetters.delete(dlqId);
  return Response.json({ deleted: found.length, cursor });
};

/** `POST /v2/dlq/retry?dlqIds=…`: each becomes a new message with all its retries before it. */
export const retryDeadLetters: Handler = async (call) => {
  const { found, cursor } = find(call);
  return Response.json({ responses: found.map((deadLetter) => retry(call, deadLetter)), cursor });
};

export const retryDeadLetter: Handler = async (call) => {
  const deadLetter = call.store.deadLetters.get(call.id);
  if (deadLetter === undefined) throw unknown(call.id);
  return Response.json(retry(call, deadLetter));
};

/** Published before it is taken out: a kill in between delivers it twice rather than never. */
function retry({ publish, store }: Call, { dlqId, message }: DeadLetter): { messageId: string } {
  const {
    scheduleId,
    messageId: _old,
    createdAtEpochMs: _created,
    dueAtEpochMs: _due,
    retried: _retried,
    ...template
  } = message;
  const { messageId } = publish({ ...template, delayMs: 0 }, scheduleId === undefined ? {} : { scheduleId });
  store.deadLetters.delete(dlqId);
  return { messageId };
}

/** Newest first; the cursor is the last id of the page before. */
function find({ query, store }: Call): { found: readonly DeadLetter[]; cursor: string | undefined } {
  const matches = readFilter(query);
  const before = query.get('cursor');
  const matching = store.deadLetters
    .all()
    .toReversed()
    .filter(
      (deadLetter) => (before === null || isOlder(deadLetter.dlqId, before)) && matches(deadLetterSubject(deadLetter)),
    );
  const found = matching.slice(0, readCount(query, A_PAGE));
  return { found, cursor: matching.length > found.length ? found.at(-1)?.dlqId : undefined };
}

function isOlder(dlqId: string, other: string): boolean {
  const [time = 0, n = 0] = dlqId.split('-').map(Number);
  const [otherTime = 0, otherN = 0] = other.split('-').map(Number);
  return time === otherTime ? n < otherN : time < otherTime;
}

function unknown(id: string): ApiError {
  return new ApiError(404, `dead letter "${id}" not found`);
}
