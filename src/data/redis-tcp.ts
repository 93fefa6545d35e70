/**
 * Redis over TCP, TLS or a unix socket, spoken as the Upstash SDK expects of a transport. One connection, made on demand: a
 * command that finds it gone makes a new one within its own deadline; nothing is queued or repeated behind its back.
 */
import type { UpstashRequest, UpstashResponse } from '@upstash/redis';
import { Command, Redis, type RedisOptions, ReplyError } from 'ioredis';
import { faultOfReply, RedisError, unreachableFault } from './redis-fault.ts';

export interface TcpTransport {
  /** A pipeline or transaction is answered with an array, whatever the SDK's type says. */
  send(request: UpstashRequest): Promise<UpstashResponse<unknown>>;
  close(): Promise<void>;
}

type Answer = { readonly result: unknown } | { readonly error: string };

/** `signal` is asked once for each request: it ends the wait for an answer, and with it the connection. */
export function createTcpTransport(url: string, signal: () => AbortSignal): TcpTransport {
  const connection = createConnection(parseTarget(url));
  return {
    send: async (request) => {
      const deadline = signal();
      const redis = await untilAborted(connection.ready(), deadline, connection.drop);
      const answers = answer(redis, request);
      return (await untilAborted(answers, deadline, connection.drop)) as UpstashResponse<unknown>;
    },
    close: async () => connection.drop(),
  };
}

/** Sends a request's commands in one write and collects their answers in the shape of Upstash's REST API. */
async function answer(redis: Redis, { path, body }: UpstashRequest): Promise<Answer | Answer[]> {
  switch (path?.[0]) {
    case undefined:
      return (await sendAll(redis, [body as unknown[]]))[0] ?? { error: 'ERR empty command' };
    case 'pipeline':
      return sendAll(redis, body as unknown[][]);
    case 'multi-exec':
      return transaction(redis, body as unknown[][]);
    default:
      throw new RedisError({ code: 'protocol', message: `Over TCP there is no ${path?.join('/')}.` });
  }
}

/** A discarded transaction is answered as a whole by one error. */
async function transaction(redis: Redis, commands: readonly unknown[][]): Promise<Answer | Answer[]> {
  const answers = await sendAll(redis, [['MULTI'], ...commands, ['EXEC']]);
  const executed = answers.at(-1);
  if (executed === undefined || 'error' in executed) {
    // EXECABORT names no reason; the command that was refused at queueing does.
    const reasons = answers.map((each) => ('error' in each ? each.error : '')).filter((reason) => reason !== '');
    return { error: `EXECABORT Transaction discarded because of: ${reasons[0] ?? 'no answer'}` };
  }
  return (executed.result as unknown[]).map(toAnswer);
}

async function sendAll(redis: Redis, commands: readonly unknown[][]): Promise<Answer[]> {
  redis.stream.cork();
  const replies = commands.map(([name, ...args]) =>
    // In upper case ioredis leaves replies as they came; for lower-case names it shapes some, hgetall into an object.
    redis.sendCommand(new Command(String(name).toUpperCase(), args.map(String), { replyEncoding: 'utf8' })),
  );
  redis.stream.uncork();
  const settled = await Promise.allSettled(replies);
  return settled.map((reply) => toAnswer(reply.status === 'fulfilled' ? reply.value : reply.reason));
}

/** An error reply is an answer; any other error means that the connection broke and whether the command ran is unknown. */
function toAnswer(reply: unknown): Answer {
  if (reply instanceof ReplyError) return { error: (reply as Error).message };
  if (reply instanceof Error) throw new RedisError(unreachableFault('connection lost'));
  return { result: reply };
}

/** At most one connection, shared by all commands; made anew after it ended. */
function createConnection(target: RedisOptions) {
  let current: { redis: Redis; ready: Promise<Redis> } | undefined;
  const drop = () => {
    current?.redis.disconnect();
    current = undefined;
  };
  const open = () => {
    const redis = new Redis({ ...target, ...ON_DEMAND, replyMapping: 'legacy' });
    let lastError: Error | undefined;
    redis.on('error', (error) => {
      lastError ??= error;
    });
    redis.once('end', () => {
      if (current?.redis === redis) current = undefined;
    });
    const ready = redis.connect().then(
      () => redis,
      (error) => {
        if (current?.redis === redis) current = undefined;
        throw connectError(lastError ?? error);
      },
    );
    return { redis, ready };
  };
  return {
    ready: () => {
      current ??= open();
      return current.ready;
    },
    drop,
  };
}

/** ioredis without its own ideas of reconnecting, queueing and repeating; deadlines are the requests'. */
const ON_DEMAND: RedisOptions = {
  lazyConnect: true,
  retryStrategy: null,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  enableReadyCheck: false,
  disableClientInfo: true,
  connectTimeout: 0,
  protocol: 2,
};

function connectError(error: Error): RedisError {
  if (error instanceof ReplyError) return new RedisError(faultOfReply((error as Error).message));
  const code = (error as { code?: unknown }).code;
  return new RedisError(unreachableFault(typeof code === 'string' ? code : 'connection lost'), { cause: error });
}

function parseTarget(target: string): RedisOptions {
  if (target.startsWith('/')) return { path: target };
  const url = URL.parse(target);
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol)) {
    throw new RedisError({
      code: 'not-configured',
      message: 'The Redis URL is not a valid redis:// or rediss:// URL.',
      remedy: 'Set REDIS_URL to something like rediss://user:password@host:6379.',
    });
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1';
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(url.pathname.slice(1)) || 0,
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** Waits for `work`, at most until the signal: then `abandon`s it, because a late answer would go to nobody. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal, abandon: () => void): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => {
    reject(signal.reason);
    abandon();
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
    aborted.catch(() => {});
  }
}
