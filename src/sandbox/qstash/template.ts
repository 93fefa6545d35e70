/** Reads `Upstash-*` headers into a template, or says which of them is wrong. */
import { DAY_MS, SECOND_MS } from '../../domain/time.ts';
import { parseDurationMs } from './durations.ts';
import { ApiError } from './errors.ts';
import { parseExpression } from './expression.ts';
import type { Template } from './records.ts';

const DEFAULT_RETRIES = 3;
const DEFAULT_TIMEOUT_MS = 300 * SECOND_MS;
const MAX_DELAY_MS = 7 * DAY_MS;
const MAX_BODY_BYTES = 1_048_576;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const FORWARD_PREFIX = 'upstash-forward-';
/** They belong to one connection and can't be forwarded. */
const HOP_BY_HOP = ['connection', 'content-length', 'expect', 'host', 'keep-alive', 'transfer-encoding', 'upgrade'];

/** Throws {@link ApiError} 400. */
export function readTemplate(destination: string, headers: Headers, body: Uint8Array): Template {
  if (body.byteLength > MAX_BODY_BYTES) {
    throw new ApiError(413, `maximum message size is ${MAX_BODY_BYTES} bytes, this one has ${body.byteLength}`);
  }
  const retryDelay = headers.get('upstash-retry-delay');
  const flowControl = readFlowControl(headers);
  return {
    url: readUrl(destination, 'destination'),
    method: readMethod(headers.get('upstash-method') ?? 'POST'),
    header: forwardedHeaders(headers),
    bodyBase64: Buffer.from(body).toString('base64'),
    maxRetries: readRetries(headers.get('upstash-retries')),
    ...(retryDelay !== null && { retryDelay: readRetryDelay(retryDelay) }),
    ...readCallback(headers, 'upstash-callback', 'callback'),
    ...readCallback(headers, 'upstash-failure-callback', 'failureCallback'),
    timeoutMs: readDuration(headers, 'upstash-timeout') ?? DEFAULT_TIMEOUT_MS,
    delayMs: readDelay(headers),
    ...(headers.has('upstash-queue-name') && { queueName: headers.get('upstash-queue-name') ?? '' }),
    labels: (headers.get('upstash-label') ?? '').split(',').filter((label) => label !== ''),
    callerIp: '127.0.0.1',
    ...(flowControl !== null && { flowControl }),
  };
}

/** Some proxies squeeze the `//` of a URL within a path; a percent-encoded one is as good. */
export function normalizeDestination(text: string): string {
  const decoded = /^https?%3a/i.test(text) ? decodeURIComponent(text) : text;
  return decoded.replace(/^(https?:)\/+/i, '$1//');
}

function readUrl(text: string, what: string): string {
  const url = normalizeDestination(text);
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new ApiError(400, `invalid ${what} url: "${text}" must begin with http:// or https://`);
  }
  return url;
}

function readCallback(headers: Headers, header: string, field: 'callback' | 'failureCallback') {
  const text = headers.get(header);
  return text === null ? {} : { [field]: readUrl(text, field) };
}

function readMethod(text: string): string {
  const method = text.toUpperCase();
  if (!METHODS.includes(method)) throw new ApiError(400, `invalid method "${text}"`);
  return method;
}

function readRetries(text: string | null): number {
  if (text === null) return DEFAULT_RETRIES;
  if (!/^\d{1,4}$/.test(text)) throw new ApiError(400, `invalid Upstash-Retries "${text}": must be a number from 0`);
  return Number(text);
}

function readRetryDelay(text: string): string {
  try {
    parseExpression(text);
    return text;
  } catch (cause) {
    throw new ApiError(400, `invalid Upstash-Retry-Delay: ${(cause as Error).message}`, { cause });
  }
}

function readDuration(headers: Headers, name: string): number | null {
  const text = headers.get(name);
  if (text === null) return null;
  const durationMs = parseDurationMs(text);
  if (durationMs === null) throw new ApiError(400, `invalid ${name} "${text}": use for example 10s, 5m, 1h30m`);
  return durationMs;
}

function readDelay(headers: Headers): number {
  const delayMs = readDuration(headers, 'upstash-delay') ?? 0;
  if (delayMs > MAX_DELAY_MS) throw new ApiError(400, 'invalid Upstash-Delay: the maximum is 7 days');
  return delayMs;
}

function forwardedHeaders(headers: Headers): Record<string, string[]> {
  const forwarded: Record<string, string[]> = {};
  const contentType = headers.get('content-type');
  if (contentType !== null) forwarded['Content-Type'] = [contentType];
  for (const [name, value] of headers) {
    if (!name.startsWith(FORWARD_PREFIX)) continue;
    const own = name.slice(FORWARD_PREFIX.length);
    if (!HOP_BY_HOP.includes(own)) forwarded[own] = [value];
  }
  return forwarded;
}

/** `Upstash-Flow-Control-Value: parallelism=3, rate=10, period=60s`. */
function readFlowControl(headers: Headers): NonNullable<Template['flowControl']> | null {
  const key = headers.get('upstash-flow-control-key');
  if (key === null) return null;
  const given = Object.fromEntries(
    (headers.get('upstash-flow-control-value') ?? '').split(',').map((part) => part.trim().split('=')),
  ) as Record<string, string | undefined>;
  const periodMs = given.period === undefined ? null : parseDurationMs(given.period);
  return {
    key,
    ...(given.parallelism !== undefined && { parallelism: Number(given.parallelism) }),
    ...(given.rate !== undefined && { rate: Number(given.rate) }),
    ...(periodMs !== null && { periodSeconds: periodMs / SECOND_MS }),
  };
}
