/** Durations and waiting times in the ways in which they are written to QStash. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../domain/time.ts';

const UNIT_MS: Readonly<Record<string, number>> = { d: DAY_MS, h: HOUR_MS, m: MINUTE_MS, s: SECOND_MS };

/** `10s`, `6m5s`, `1d12h`, or bare seconds, as milliseconds; null when it is none of these. */
export function parseDurationMs(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * SECOND_MS;
  if (!/^(\d+(\.\d+)?[dhms])+$/.test(trimmed)) return null;
  let sumMs = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)([dhms])/g)) {
    sumMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return sumMs;
}

/** Response headers by which a destination says when to come again, the first one wins. */
const WAIT_HEADERS = ['retry-after', 'x-ratelimit-reset', 'x-ratelimit-reset-requests', 'x-ratelimit-reset-tokens'];

/** How long the destination wants to be left alone, ms; null when it does not say, or says more than a day. */
export function requestedWaitMs(headers: Headers, nowEpochMs: number): number | null {
  const text = WAIT_HEADERS.map((name) => headers.get(name)).find((value) => value !== null);
  if (text == null) return null;
  const waitMs = parseDurationMs(text) ?? Date.parse(text) - nowEpochMs;
  return Number.isFinite(waitMs) && waitMs <= DAY_MS ? Math.max(0, waitMs) : null;
}
