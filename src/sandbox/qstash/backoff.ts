/** When a failed delivery is tried again. */
import { DAY_MS, SECOND_MS } from '../../domain/time.ts';
import { requestedWaitMs } from './durations.ts';
import { parseExpression } from './expression.ts';
import type { Message } from './records.ts';

/**
 * Milliseconds until the next try: what the destination asked for, else the message's own expression, else
 * min(86400, e^(2.5 n)) seconds for the n-th retry. Never more than a day.
 */
export function backoffMs(message: Message, responseHeaders: Headers | null, nowEpochMs: number): number {
  const requestedMs = responseHeaders === null ? null : requestedWaitMs(responseHeaders, nowEpochMs);
  if (requestedMs !== null) return requestedMs;
  const ownMs = message.retryDelay === undefined ? Number.NaN : parseExpression(message.retryDelay)(message.retried);
  if (Number.isFinite(ownMs) && ownMs >= 0) return Math.min(DAY_MS, ownMs);
  return Math.min(DAY_MS, Math.exp(2.5 * (message.retried + 1)) * SECOND_MS);
}
