/** The one door to Redis: an `@upstash/redis` client over Upstash's REST API or over TCP. Nothing above knows which it is. */
import { openConnection, type RedisConnection, type RedisOptions, type RedisTarget } from './redis-connection.ts';
import type { TcpTransport } from './redis-tcp.ts';

export type { RedisConnection, RedisOptions, RedisTarget, RedisUsage } from './redis-connection.ts';
export { faultOfRedis, RedisError } from './redis-fault.ts';

/**
 * Makes a connection; nothing is sent until the first command. Every failure is a `RedisError`, but for one: a pipeline
 * run without `keepErrors` throws the SDK’s own error for a failed command, cleaned of values all the same. A command
 * is sent once: a lost answer is an error here, because repeating an INCR or a script could do it twice.
 * @throws RedisError for a REST URL that is none
 */
export function connectRedis(target: RedisTarget, options: RedisOptions = {}): RedisConnection {
  return openConnection(target, options, target.kind === 'tcp' ? (signal) => lazyTcp(target.url, signal) : null);
}

/** The TCP transport, loaded on first use: programs that speak REST never load a TCP client. */
function lazyTcp(url: string, signal: () => AbortSignal): TcpTransport {
  let opened: Promise<TcpTransport> | undefined;
  const open = () => {
    opened ??= import('./redis-tcp.ts').then(({ createTcpTransport }) => createTcpTransport(url, signal));
    return opened;
  };
  return {
    send: async (request) => (await open()).send(request),
    // A transport that could not be made has told so to each command.
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}
