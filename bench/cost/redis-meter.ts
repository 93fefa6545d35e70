/**
 * Counts at a redis-server what really came in: MONITOR names every command and says which ones a script made. Bytes are counted
 * at its door, a TCP proxy that those who are measured connect to.
 */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connectRedis } from '../../src/data/redis.ts';

export interface RedisCount {
  /** As they were sent: a script is one, each command of a pipeline is one. */
  readonly sent: number;
  /** Those that scripts made besides. */
  readonly inScripts: number;
  /** In both directions, as Redis speaks (RESP). */
  readonly bytes: number;
}

export interface RedisMeter extends AsyncDisposable {
  /** The server, through the door where bytes are counted. */
  readonly url: string;
  /** Since the beginning. */
  read(): Promise<RedisCount>;
}

/** What a client asks when it connects is no command of ours. */
const HANDSHAKE = /\] "(info|client|hello|select)"/i;

/** `port` of 127.0.0.1. */
export async function startRedisMeter(port: number): Promise<RedisMeter> {
  const stack = new AsyncDisposableStack();
  const own = connectRedis({ kind: 'tcp', url: `redis://127.0.0.1:${port}` });
  stack.defer(own.close);
  const monitor = connect(port, '127.0.0.1').setEncoding('latin1');
  stack.defer(() => void monitor.destroy());
  await once(monitor, 'connect');
  const count = { sent: 0, inScripts: 0 };
  const marks = new Map<string, () => void>();
  let rest = '';
  monitor.on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const mark = /\] "echo" "(meter-\d+)"$/i.exec(line)?.[1];
      if (mark !== undefined) marks.get(mark)?.();
      else if (/^\+[\d.]+ \[\d+ lua\]/.test(line)) count.inScripts += 1;
      else if (/^\+[\d.]+ \[/.test(line) && !HANDSHAKE.test(line)) count.sent += 1;
    }
  });
  monitor.write('MONITOR\r\n');
  const door = await openDoor(port);
  stack.use(door);
  return {
    url: `redis://127.0.0.1:${door.port}`,
    read: async () => {
      // Until the monitor has said everything that came before.
      const mark = `meter-${marks.size + 1}`;
      const said = new Promise<void>((resolve) => marks.set(mark, resolve));
      await own.client.echo(mark);
      await said;
      return { ...count, bytes: door.bytes() };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function openDoor(port: number) {
  let bytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((inside) => {
    const outside = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true).on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
      from.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      from.pipe(to);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return {
    port: address.port,
    bytes: () => bytes,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
