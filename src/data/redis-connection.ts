/**
 * The SDK's client, set as we need it, over whatever carries its commands. Without a TCP client, so that it also runs where
 * there is none (Deno); programs use `connectRedis` of redis.ts. Values arrive as the server sent them, strings and flat
 * arrays, and the gateways parse them: `hgetall` is `[field, value, …]`, `zrange` with scores `[member, score, …]`, whatever
 * the SDK's types say.
 */
import { Redis, type UpstashRequest, type UpstashResponse } from '@upstash/redis';
import { withoutKey } from './own-key.ts';
import { faultOfRedis, faultOfReply, RedisError, replyWithoutValues, timeoutFault } from './redis-fault.ts';
import type { TcpTransport } from './redis-tcp.ts';

/** Where Redis is. For `tcp`, `redis://`, `rediss://`, or the path of a unix socket. */
export type RedisTarget =
  | { readonly kind: 'rest'; readonly url: string; readonly token: string }
  | { readonly kind: 'tcp'; readonly url: string };

export interface RedisOptions {
  /** How long one request may take, connecting included. 2,000 ms unless told. */
  readonly timeoutMs?: number;
}

export interface RedisUsage {
  /** As Upstash bills them: each command of a pipeline or transaction counts. */
  readonly commands: number;
  readonly roundTrips: number;
}

export interface RedisConnection {
  readonly client: Redis;
  /** What was sent so far, answered or not. */
  usage(): RedisUsage;
  /** Cancels what is in flight and closes the connection. Commands fail afterwards. Idempotent. */
  close(): Promise<void>;
}

/**
 * Over REST, or over `tcp` where that is given. `signal` ends a request. The rules of `connectRedis`.
 * @throws RedisError for a REST URL that is none
 */
export function openConnection(
  target: RedisTarget,
  options: RedisOptions,
  openTcp: ((signal: () => AbortSignal) => TcpTransport) | null,
): RedisConnection {
  const timeoutMs = options.timeoutMs ?? 2_000;
  const closing = new AbortController();
  const signal = () => AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
  const client = createClient(target, signal);
  const tcp = openTcp?.(signal) ?? null;
  const clean = (text: string) => withoutKey(text, keyOf(target));
  let commands = 0;
  let roundTrips = 0;

  client.use(async (request, overHttp) => {
    closing.signal.throwIfAborted();
    commands += countCommands(request);
    roundTrips += 1;
    try {
      return checked(tcp === null ? await overHttp(request) : await tcp.send(request), clean) as never;
    } catch (error) {
      throw typed(withClean(error, clean), timeoutMs);
    }
  });

  return {
    client,
    usage: () => ({ commands, roundTrips }),
    close: async () => {
      closing.abort(new RedisError({ code: 'cancelled', message: 'The connection to Redis was closed.' }));
      await tcp?.close();
    },
  };
}

/** The SDK with every default that matters chosen (FACTS §1). Over TCP its HTTP client is never used. */
function createClient(target: RedisTarget, signal: () => AbortSignal): Redis {
  const settings = {
    url: target.kind === 'rest' ? target.url : 'http://tcp.invalid',
    token: target.kind === 'rest' ? target.token : 'unused',
    // {retries: 0} is one attempt; `false` would be two.
    retry: { retries: 0 },
    // As a function: a static signal makes the SDK answer an aborted read with null.
    signal,
    // Values are parsed at the gateways, once and checked: "123" stays text, malformed JSON can be counted.
    automaticDeserialization: false,
    // Off: our pipelines are explicit, a lone command has its own timeout and error, and TCP behaves the same.
    enableAutoPipelining: false,
    // On: with read replicas, the lock that we took is the lock that we read.
    readYourWrites: true,
    enableTelemetry: false,
    latencyLogging: false,
  };
  try {
    return new Redis(settings);
  } catch (error) {
    throw new RedisError(faultOfRedis(error));
  }
}

/** Turns the error answer of a single command into an exception; those of a pipeline stay with their commands. */
function checked(response: UpstashResponse<unknown>, clean: (text: string) => string): UpstashResponse<unknown> {
  if (Array.isArray(response)) {
    return response.map(({ result, error }) =>
      error === undefined ? { result } : { error: replyWithoutValues(clean(error)) },
    ) as UpstashResponse<unknown>;
  }
  if (response.error !== undefined) throw new RedisError(faultOfReply(clean(response.error)));
  return response;
}

function typed(error: unknown, timeoutMs: number): RedisError {
  if (error instanceof RedisError) return error;
  const fault = faultOfRedis(error);
  if (fault.code === 'timeout') return new RedisError(timeoutFault(timeoutMs));
  // Only network errors are kept as the cause: the SDK's others carry the whole command.
  return new RedisError(fault, fault.code === 'unreachable' ? { cause: error } : undefined);
}

/** Before it is shortened, or half a key might be left. */
function withClean(error: unknown, clean: (text: string) => string): unknown {
  if (!(error instanceof Error) || clean(error.message) === error.message) return error;
  const message = clean(error.message);
  if (error instanceof RedisError) return new RedisError({ ...error.fault, message });
  return Object.assign(error, { message });
}

/** What must not come back to us in an answer; empty where there is none. */
function keyOf(target: RedisTarget): string {
  if (target.kind === 'rest') return target.token;
  const password = URL.canParse(target.url) ? new URL(target.url).password : '';
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}

function countCommands({ path, body }: UpstashRequest): number {
  const isBatch = path?.[0] === 'pipeline' || path?.[0] === 'multi-exec';
  return isBatch && Array.isArray(body) ? body.length : 1;
}
