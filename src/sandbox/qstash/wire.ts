/** Records as QStash shows them to its clients. */
import type { DeadLetter, Message, QStashEvent, Queue, ScheduleRecord, Template } from './records.ts';

export function describeMessage(message: Message): Record<string, unknown> {
  return {
    messageId: message.messageId,
    url: message.url,
    ...describeTemplate(message),
    maxRetries: message.maxRetries,
    notBefore: message.dueAtEpochMs,
    createdAt: message.createdAtEpochMs,
    retried: message.retried,
    scheduleId: message.scheduleId,
  };
}

export function describeDeadLetter(deadLetter: DeadLetter): Record<string, unknown> {
  const { text, base64 } = readBody(deadLetter.responseBodyBase64);
  return {
    ...describeMessage(deadLetter.message),
    dlqId: deadLetter.dlqId,
    responseStatus: deadLetter.responseStatus,
    responseHeader: deadLetter.responseHeader,
    responseBody: text,
    responseBodyBase64: base64,
  };
}

export function describeSchedule(schedule: ScheduleRecord, nextEpochMs: number | null): Record<string, unknown> {
  const { template } = schedule;
  return {
    scheduleId: schedule.scheduleId,
    cron: schedule.cron,
    createdAt: schedule.createdAtEpochMs,
    destination: template.url,
    ...describeTemplate(template),
    retries: template.maxRetries,
    ...(template.delayMs > 0 && { delay: template.delayMs / 1_000 }),
    isPaused: schedule.isPaused,
    ...(nextEpochMs !== null && { nextScheduleTime: nextEpochMs }),
    ...(schedule.lastFiredAtEpochMs !== undefined && {
      lastScheduleTime: schedule.lastFiredAtEpochMs,
      lastScheduleStates: schedule.lastStates,
    }),
  };
}

export function describeQueue(queue: Queue, lag: number): Record<string, unknown> {
  const { name, parallelism, paused, createdAtEpochMs, updatedAtEpochMs } = queue;
  return { name, parallelism, paused, lag, createdAt: createdAtEpochMs, updatedAt: updatedAtEpochMs };
}

export function describeEvent({ sequence, labels, ...event }: QStashEvent): Record<string, unknown> {
  return { ...event, ...describeLabels(labels) };
}

function describeTemplate(template: Template): Record<string, unknown> {
  const { text, base64 } = readBody(template.bodyBase64);
  return {
    method: template.method,
    header: template.header,
    body: text,
    bodyBase64: base64,
    retryDelayExpression: template.retryDelay,
    callback: template.callback,
    failureCallback: template.failureCallback,
    queueName: template.queueName,
    callerIp: template.callerIp,
    callerIP: template.callerIp,
    flowControlKey: template.flowControl?.key,
    parallelism: template.flowControl?.parallelism,
    rate: template.flowControl?.rate,
    period: template.flowControl?.periodSeconds,
    ...describeLabels(template.labels),
  };
}

/** `label` is the older field, for a single one. */
function describeLabels(labels: readonly string[]): Record<string, unknown> {
  return labels.length === 0 ? {} : { label: labels[0], labels };
}

/** A body that is text is shown as text, any other as base64. */
function readBody(bodyBase64: string): { text?: string; base64?: string } {
  if (bodyBase64 === '') return {};
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(bodyBase64, 'base64')) };
  } catch {
    return { base64: bodyBase64 };
  }
}
