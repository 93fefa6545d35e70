/** One call of a destination, and what came of it. */
import type { Clock } from '../../domain/time.ts';
import type { Message } from './records.ts';
import { signDelivery } from './signature.ts';

/** Of an answer, so much is kept. */
const RESPONSE_KEPT_BYTES = 65_536;
const NON_RETRYABLE_STATUS = 489;

export type DeliveryResult =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: Headers; readonly body: Buffer }
  | { readonly kind: 'unreachable'; readonly error: string };

export type Deliver = (message: Message, signal: AbortSignal) => Promise<DeliveryResult>;

export function createDeliver(parts: {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly signingKey: () => string;
}): Deliver {
  return async (message, signal) => {
    if (!isLoopback(message.url)) {
      const error = 'the sandbox delivers to this machine only (127.0.0.1, localhost); this destination was not called';
      return { kind: 'unreachable', error };
    }
    const hasBody = message.method !== 'GET' && message.method !== 'HEAD';
    const body = hasBody ? Buffer.from(message.bodyBase64, 'base64') : Buffer.alloc(0);
    const nowEpochMs = parts.clock.nowEpochMs();
    const timeout = AbortSignal.timeout(message.timeoutMs);
    try {
      const response = await parts.fetch(message.url, {
        method: message.method,
        headers: deliveryHeaders(message, signDelivery(parts.signingKey(), { url: message.url, body, nowEpochMs })),
        ...(hasBody && { body }),
        // Only 2xx is success: a redirect is an answer, not somewhere to go.
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout]),
      });
      const answer = Buffer.from(await response.arrayBuffer()).subarray(0, RESPONSE_KEPT_BYTES);
      return { kind: 'answered', status: response.status, headers: response.headers, body: answer };
    } catch (error) {
      if (timeout.aborted) return { kind: 'unreachable', error: `no answer within ${message.timeoutMs / 1_000} s` };
      return { kind: 'unreachable', error: describeError(error) };
    }
  };
}

export function isSuccess(result: DeliveryResult): boolean {
  return result.kind === 'answered' && result.status >= 200 && result.status < 300;
}

/** The destination's way to say: don't come again with this one. */
export function isNonRetryable(result: DeliveryResult): boolean {
  return (
    result.kind === 'answered' &&
    result.status === NON_RETRYABLE_STATUS &&
    result.headers.get('upstash-nonretryable-error') === 'true'
  );
}

function deliveryHeaders(message: Message, signature: string): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.header)) {
    for (const value of values) headers.append(name, value);
  }
  if (!headers.has('user-agent')) headers.set('user-agent', 'Upstash-QStash');
  headers.set('upstash-signature', signature);
  headers.set('upstash-message-id', message.messageId);
  headers.set('upstash-retried', String(message.retried));
  headers.set('upstash-caller-ip', message.callerIp);
  if (message.scheduleId !== undefined) headers.set('upstash-schedule-id', message.scheduleId);
  if (message.queueName !== undefined) headers.set('upstash-queue-name', message.queueName);
  return headers;
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** fetch says only "fetch failed"; its cause knows more. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
