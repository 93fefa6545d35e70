/**
 * What went wrong with Redis, in words for a person. The SDK's own errors repeat the whole command, values and addresses
 * included; nothing of that leaves this file.
 */
import type { Fault, FaultCode } from '../domain/loaded.ts';

/** Every error that a connection of `connectRedis` throws. `message` holds no value, no key's content and no token. */
export class RedisError extends Error {
  override readonly name = 'RedisError';
  readonly fault: Fault;

  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.message, options);
    this.fault = fault;
  }
}

/** Maps anything thrown while talking to Redis, by a connection of ours or by the bare SDK. Never throws. */
export function faultOfRedis(error: unknown): Fault {
  if (error instanceof RedisError) return error.fault;
  if (!(error instanceof Error)) return fault('internal', 'Redis failed without saying why.');
  if (error.name === 'TimeoutError') return timeoutFault();
  if (error.name === 'AbortError') return fault('cancelled', 'The Redis command was cancelled.');
  if (error.name === 'UpstashJSONParseError') {
    return fault('protocol', 'Redis answered with something that is not JSON.', REMEDY.endpoint);
  }
  if (error.name === 'UrlError') return fault('not-configured', 'The Redis URL is not a valid URL.', REMEDY.endpoint);
  const network = networkCode(error);
  if (network !== null) return unreachableFault(network);
  if (error.name === 'UpstashError') return faultOfReply(error.message);
  if (error instanceof TypeError && error.message === 'fetch failed') return unreachableFault('no connection');
  return fault('internal', `Redis failed: ${error.name}.`);
}

/** Maps an error that the server itself answered with, such as `WRONGTYPE …` or `ERR max requests limit exceeded`. */
export function faultOfReply(reply: string): Fault {
  const text = replyWithoutValues(reply);
  const known = REPLIES.find(({ pattern }) => pattern.test(text));
  return known === undefined
    ? fault('protocol', `Redis refused a command: ${text}`)
    : fault(known.code, `${known.message}: ${text}`, known.remedy);
}

/** The fault of a command that got no answer in time; `timeoutMs` is how long was waited, where it is known. */
export function timeoutFault(timeoutMs?: number): Fault {
  const waited = timeoutMs === undefined ? 'in time' : `within ${timeoutMs} ms`;
  return fault('timeout', `Redis did not answer ${waited}.`, 'Check the network; the command may still take effect.');
}

/** The fault of a connection that was not made or was lost. `reason` is an error code such as ECONNREFUSED. */
export function unreachableFault(reason: string): Fault {
  const remedy = TLS_CODE.test(reason) ? REMEDY.tls : REMEDY.reach;
  return fault('unreachable', `Redis is not reachable (${reason}).`, remedy);
}

const REMEDY = {
  endpoint: 'Check KV_REST_API_URL (https://…, the REST URL) or REDIS_URL (redis:// or rediss://).',
  reach: 'Check KV_REST_API_URL or REDIS_URL, and that this machine can reach the server.',
  tls: 'The server’s certificate is not accepted: check the host name, and redis:// against rediss://.',
  token: 'Check KV_REST_API_TOKEN, or the user and password in REDIS_URL.',
  readOnly: 'Use the token that may write: the read-only one cannot run this.',
  plan: 'The plan’s limit is used up: wait for its reset, raise it, or refresh less often (--interval, --budget).',
  loading: 'The server is starting: try again in a moment.',
} as const;

const TLS_CODE = /CERT|TLS|SSL|SELF_SIGNED|ALTNAME|UNABLE_TO_/;

/** Server answers by their text: the SDK does not hand the HTTP status on. First match wins. */
const REPLIES: readonly { pattern: RegExp; code: FaultCode; message: string; remedy: string }[] = [
  {
    pattern: /^(WRONGPASS|NOAUTH)|unauthorized|invalid password|AUTH <password> called without/i,
    code: 'unauthorized',
    message: 'Redis does not accept our credentials',
    remedy: REMEDY.token,
  },
  { pattern: /^NOPERM/, code: 'unauthorized', message: 'Redis forbids a command', remedy: REMEDY.readOnly },
  {
    pattern: /max (daily )?requests? limit exceeded|max .*bandwidth|too many requests|rate limit/i,
    code: 'rate-limited',
    message: 'Redis has stopped serving us',
    remedy: REMEDY.plan,
  },
  { pattern: /^(LOADING|MASTERDOWN)/, code: 'unreachable', message: 'Redis is not ready', remedy: REMEDY.loading },
];

/** A server's error text without what it and the SDK repeat of the command: its arguments, and addresses. One line. */
export function replyWithoutValues(reply: string): string {
  const [text = ''] = reply.split(/, command was: |, with args beginning with: /);
  const line = text
    .replace(/^Command \d+ \[ .*? \] failed: /, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return line.replaceAll(/[^\s@'"<>]+@[^\s@'"<>]+/g, '…@…').slice(0, 200);
}

/** The system's or undici's error code, however deep it is wrapped; an AggregateError has it in its parts. */
function networkCode(error: unknown, depth = 0): string | null {
  if (!(error instanceof Error) || depth > 4) return null;
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  if (error instanceof AggregateError) return networkCode(error.errors[0], depth + 1);
  return networkCode(error.cause, depth + 1);
}

function fault(code: FaultCode, message: string, remedy?: string): Fault {
  return remedy === undefined ? { code, message } : { code, message, remedy };
}
