/** The filters of the listing and bulk calls: values of one filter are alternatives, filters are combined. */
import { ApiError } from './errors.ts';
import type { DeadLetter, Message, QStashEvent } from './records.ts';

/** What can be filtered by. */
export interface Subject {
  readonly messageId: string;
  readonly url: string;
  readonly time: number;
  readonly labels: readonly string[];
  readonly callerIp: string;
  readonly scheduleId?: string | undefined;
  readonly queueName?: string | undefined;
  readonly flowControlKey?: string | undefined;
  readonly state?: string | undefined;
  readonly responseStatus?: number | undefined;
  readonly dlqId?: string | undefined;
}

const VALUES: Readonly<Record<string, (subject: Subject) => readonly (string | number | undefined)[]>> = {
  messageId: (subject) => [subject.messageId],
  messageIds: (subject) => [subject.messageId],
  dlqId: (subject) => [subject.dlqId],
  dlqIds: (subject) => [subject.dlqId],
  url: (subject) => [subject.url],
  host: (subject) => [new URL(subject.url).host, new URL(subject.url).hostname],
  path: (subject) => [new URL(subject.url).pathname],
  label: (subject) => subject.labels,
  callerIp: (subject) => [subject.callerIp],
  scheduleId: (subject) => [subject.scheduleId],
  queueName: (subject) => [subject.queueName],
  flowControlKey: (subject) => [subject.flowControlKey],
  state: (subject) => STATE_NAMES[subject.state ?? ''] ?? [subject.state],
  responseStatus: (subject) => [subject.responseStatus],
  // Nothing here is ever sent to a URL group or to one of Upstash's own APIs.
  topicName: () => [],
  api: () => [],
};
/** States that answer to more than one name: the SDK and the documentation spell differently. */
const STATE_NAMES: Readonly<Record<string, readonly string[]>> = {
  CREATED: ['CREATED', 'IN_PROGRESS'],
  ACTIVE: ['ACTIVE', 'IN_PROGRESS'],
  RETRY: ['RETRY', 'IN_PROGRESS'],
  ERROR: ['ERROR', 'IN_PROGRESS'],
  CANCELED: ['CANCELED', 'CANCELLED'],
};
const TIMES = ['fromDate', 'toDate'];
const PAGING = ['count', 'cursor'];

export type Filter = (subject: Subject) => boolean;

/** Throws {@link ApiError} 400 for a filter that is not known: ignoring it would act on more than was meant. */
export function readFilter(query: URLSearchParams): Filter {
  for (const name of query.keys()) {
    if (VALUES[name] === undefined && !TIMES.includes(name) && !PAGING.includes(name)) {
      throw new ApiError(400, `unknown filter "${name}"`);
    }
  }
  const wanted = Object.entries(VALUES)
    .map(([name, read]) => ({ read, values: query.getAll(name) }))
    .filter(({ values }) => values.length > 0);
  const from = readTime(query, 'fromDate', Number.NEGATIVE_INFINITY);
  const to = readTime(query, 'toDate', Number.POSITIVE_INFINITY);
  return (subject) =>
    subject.time >= from &&
    subject.time <= to &&
    wanted.every(({ read, values }) => read(subject).some((value) => values.includes(String(value ?? ''))));
}

export function readCount(query: URLSearchParams, most: number): number {
  const text = query.get('count');
  if (text === null) return 100;
  if (!/^\d+$/.test(text)) throw new ApiError(400, `invalid count "${text}"`);
  return Math.min(Number(text), most);
}

export function eventSubject(event: QStashEvent): Subject {
  return event;
}

export function messageSubject(message: Message): Subject {
  return { ...message, time: message.createdAtEpochMs, flowControlKey: message.flowControl?.key };
}

export function deadLetterSubject({ dlqId, message, responseStatus }: DeadLetter): Subject {
  return { ...messageSubject(message), dlqId, responseStatus, time: Number.parseInt(dlqId, 10) };
}

function readTime(query: URLSearchParams, name: string, otherwise: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const time = Number(text);
  if (!Number.isFinite(time)) throw new ApiError(400, `invalid ${name} "${text}": use epoch milliseconds`);
  return time;
}
