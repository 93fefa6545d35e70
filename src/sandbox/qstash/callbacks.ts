/** What a callback URL is told about a delivery: a message of its own, with retries of its own. */
import type { DeliveryResult } from './delivery.ts';
import type { Message, Template } from './records.ts';

const CALLBACK_RETRIES = 3;
const CALLBACK_TIMEOUT_MS = 300_000;

export function callbackTemplate(url: string, body: Record<string, unknown>): Template {
  return {
    url,
    method: 'POST',
    header: { 'Content-Type': ['application/json'] },
    bodyBase64: Buffer.from(JSON.stringify(body)).toString('base64'),
    maxRetries: CALLBACK_RETRIES,
    timeoutMs: CALLBACK_TIMEOUT_MS,
    delayMs: 0,
    labels: [],
    callerIp: '127.0.0.1',
  };
}

/** Bodies are base64, times epoch ms. A failure callback adds `dlqId`. */
export function callbackBody(message: Message, result: DeliveryResult): Record<string, unknown> {
  const answer =
    result.kind === 'answered'
      ? {
          status: result.status,
          header: Object.fromEntries([...result.headers].map(([name, value]) => [name, [value]])),
          body: result.body.toString('base64'),
        }
      : { status: 0, header: {}, body: Buffer.from(result.error).toString('base64') };
  return {
    ...answer,
    retried: message.retried,
    maxRetries: message.maxRetries,
    sourceMessageId: message.messageId,
    url: message.url,
    method: message.method,
    sourceHeader: message.header,
    sourceBody: message.bodyBase64,
    notBefore: message.dueAtEpochMs,
    createdAt: message.createdAtEpochMs,
    ...(message.scheduleId !== undefined && { scheduleId: message.scheduleId }),
    callerIP: message.callerIp,
  };
}
