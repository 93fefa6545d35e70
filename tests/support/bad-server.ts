/** Servers that fail in ways that real ones do: silent, rude, half-finished. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface BadServer {
  readonly port: number;
  /** How often something was sent to it. */
  requests(): number;
  stop(): Promise<void>;
}

/** Accepts connections on a loopback port and does `onData` to each socket that sends something. */
export async function startBadServer(onData: (socket: Socket) => void): Promise<BadServer> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', () => {
      requests += 1;
      onData(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return {
    port: address.port,
    requests: () => requests,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
