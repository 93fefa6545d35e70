/**
 * Reads that can be put together: every gateway says what it wants, and one pipeline fetches it all. Plain strings of all
 * gateways go in a single MGET, because Upstash bills each command of a pipeline (DESIGN §8).
 */
import type { Redis } from '@upstash/redis';
import type { Fault } from '../domain/loaded.ts';
import { faultOfRedis, faultOfReply, RedisError } from './redis-fault.ts';

export type Pipeline = ReturnType<Redis['pipeline']>;

export interface RedisRead<T> {
  /** Keys of plain strings, fetched with everybody else's. A key of another type reads as null there. */
  readonly keys: readonly string[];
  /** How many commands {@link commands} adds. */
  readonly count: number;
  commands(pipeline: Pipeline): void;
  /** `strings` belong to `keys`, `replies` to the commands, in their order; none of them is an error. */
  parse(strings: readonly (string | null)[], replies: readonly unknown[]): T;
}

export type ReadResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

type Results<R extends Record<string, RedisRead<unknown>>> = {
  readonly [K in keyof R]: ReadResult<R[K] extends RedisRead<infer T> ? T : never>;
};

interface Reply {
  readonly result?: unknown;
  readonly error?: string | undefined;
}

/**
 * Fetches everything in one round trip. An error reply, such as WRONGTYPE, fails only the read it belongs to; a failure of
 * the round trip fails all of them. Rejects never.
 */
export async function readAll<R extends Record<string, RedisRead<unknown>>>(
  client: Redis,
  reads: R,
  signal?: AbortSignal,
): Promise<Results<R>> {
  const entries = Object.entries(reads);
  try {
    signal?.throwIfAborted();
    const pipeline = client.pipeline();
    const keys = [...new Set(entries.flatMap(([, read]) => read.keys))];
    if (keys.length > 0) pipeline.mget(...keys);
    for (const [, read] of entries) read.commands(pipeline);
    const replies = (await untilAborted(pipeline.exec({ keepErrors: true }), signal)) as readonly Reply[];
    const stringsReply = keys.length > 0 ? replies[0] : undefined;
    let next = keys.length > 0 ? 1 : 0;
    const results = entries.map(([name, read]) => {
      const own = replies.slice(next, next + read.count);
      next += read.count;
      return [name, resultOf(read, { keys, stringsReply, own })] as const;
    });
    return Object.fromEntries(results) as Results<R>;
  } catch (error) {
    const fault = faultOfRedis(error);
    return Object.fromEntries(entries.map(([name]) => [name, { ok: false, fault }])) as unknown as Results<R>;
  }
}

/** One read on its own. Throws {@link RedisError}. */
export async function readOne<T>(client: Redis, read: RedisRead<T>, signal?: AbortSignal): Promise<T> {
  const { only } = await readAll(client, { only: read }, signal);
  if (!only.ok) throw new RedisError(only.fault);
  return only.value as T;
}

function resultOf<T>(
  read: RedisRead<T>,
  { keys, stringsReply, own }: { keys: readonly string[]; stringsReply: Reply | undefined; own: readonly Reply[] },
): ReadResult<T> {
  const answers = read.keys.length > 0 && stringsReply !== undefined ? [stringsReply, ...own] : own;
  const error = answers.find((reply) => reply.error !== undefined)?.error;
  if (error !== undefined) return { ok: false, fault: faultOfReply(error) };
  if (own.length < read.count) return { ok: false, fault: { code: 'protocol', message: 'Redis left out an answer.' } };
  const values = Array.isArray(stringsReply?.result) ? stringsReply.result : [];
  const strings = read.keys.map((key) => textOrNull(values[keys.indexOf(key)]));
  return {
    ok: true,
    value: read.parse(
      strings,
      own.map((reply) => reply.result),
    ),
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** The SDK takes no signal per call; the connection's own timeout ends what is left behind here. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** A flat `[field, value, …]` reply, as `HGETALL` gives it, as a record. */
export function recordOf(reply: unknown): Readonly<Record<string, string>> {
  const flat = Array.isArray(reply) ? reply : [];
  const record: Record<string, string> = Object.create(null);
  for (let index = 0; index + 1 < flat.length; index += 2) record[String(flat[index])] = String(flat[index + 1]);
  return record;
}

export function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}
