/**
 * A small HTTP proxy on loopback that misbehaves on demand, put between a worker and a system. Callers come in by a path of
 * their own (`/w/<caller>/…`, or `/w/<caller>~<process>/…`), so that one of them can be cut off while the others are not.
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Random } from '../../../src/sandbox/random.ts';
import { NETWORK_ACTIONS, type NetworkFault } from './network-actions.ts';

export interface FaultProxy {
  /** The address for one caller. */
  urlFor(caller: string): string;
  /** From now on this share of the requests, 0–1, suffers; of one caller only if it is named. Replaces what was set before. */
  inject(fault: NetworkFault, options?: { readonly rate?: number; readonly caller?: string }): Promise<void>;
  /** All is well again; what is under way ends as it began. */
  clear(): Promise<void>;
  /** Whoever is connected is cut off, and what is under way goes no further: for the next experiment. */
  cutOff(): void;
  /** Changes each request's body before it is forwarded. */
  rewrite: ((body: Buffer) => Buffer) | null;
  /** Told when the system has answered, before the caller hears of it. */
  onAnswered: ((passing: Passing) => void) | null;
  /** Told what becomes of every request, in a word. */
  trace: ((event: 'asked' | 'answered' | 'not heard', passing: Passing) => void) | null;
  /** Requests that suffered so far. */
  suffered(): number;
  stop(): Promise<void>;
}

export interface Passing {
  readonly caller: string;
  /** Null where the caller does not say. */
  readonly process: number | null;
  readonly path: string;
  /** As the caller sent it. */
  readonly body: Buffer;
}

/** What an action works with. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Lets the system do it, and answers what it said. Rejects when it is away. */
  forward(): Promise<Answer>;
  /** Says to the caller what the system said. */
  reply(answer: Answer): void;
  /** Ends waiting when the proxy stops. */
  wait(ms: number): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const LONGEST_ANSWER_MS = 120_000;
const CALLED = /^\/w\/(?<caller>[^/~]+)(~(?<pid>\d+))?(?<path>\/.*)?$/;

interface Injected {
  readonly fault: NetworkFault;
  readonly rate: number;
  readonly caller: string | null;
}

export async function startFaultProxy(target: string, random: Random): Promise<FaultProxy> {
  // A connection that is kept may be closed by the other side at the moment when it is used again: a fault that nobody planned.
  const agent = new Agent({ keepAlive: false, maxSockets: 200 });
  const sockets = new Set<Socket>();
  const waits = new Set<() => void>();
  let injected: Injected | null = null;
  let suffered = 0;
  let generation = 0;

  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        waits.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      waits.add(end);
    });

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const called = CALLED.exec(incoming.url ?? '')?.groups;
    const { caller = '', pid, path = '/' } = called ?? {};
    const born = generation;
    const received = await buffer(incoming);
    const body = proxy.rewrite === null ? received : proxy.rewrite(received);
    const passing = { caller, process: pid === undefined ? null : Number(pid), path, body: received };
    proxy.trace?.('asked', passing);
    response.once('close', () => {
      if (!response.writableFinished) proxy.trace?.('not heard', passing);
    });
    const exchange: Exchange = {
      request: incoming,
      response,
      socket: incoming.socket,
      forward: async () => {
        if (born !== generation) throw new Error('Of an experiment that is over.');
        const answer = await ask(target, { agent, method: incoming.method, path, headers: incoming.headers, body });
        proxy.trace?.('answered', passing);
        proxy.onAnswered?.(passing);
        return answer;
      },
      reply: ({ status, headers, body: said }) => {
        if (response.destroyed) return;
        const { connection: _c, 'transfer-encoding': _t, 'content-length': _l, 'keep-alive': _k, ...kept } = headers;
        response.writeHead(status, { ...kept, 'content-length': said.length }).end(said);
      },
      wait,
    };
    const { fault, rate, caller: only } = injected ?? { fault: null, rate: 0, caller: null };
    const suffers = fault !== null && (only === null || only === caller) && random.next() < rate;
    if (!suffers) return exchange.reply(await exchange.forward());
    suffered += 1;
    await NETWORK_ACTIONS[fault](exchange);
  };

  const server = createServer((incoming, response) => {
    // The system is away, or the caller left in the middle: the caller sees a broken connection either way.
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const unlisten = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const proxy: FaultProxy = {
    urlFor: (caller) => `http://127.0.0.1:${port}/w/${caller}`,
    inject: async (fault, { rate = 1, caller = null as string | null } = {}) => {
      injected = { fault, rate, caller };
      // Nobody listens: that cannot be had for one caller only, or for some requests.
      if (fault === 'refused' && server.listening) await unlisten();
    },
    clear: async () => {
      injected = null;
      if (!server.listening) await listen(port);
    },
    cutOff: () => {
      generation += 1;
      for (const end of waits) end();
      for (const socket of sockets) socket.resetAndDestroy();
    },
    rewrite: null,
    onAnswered: null,
    trace: null,
    suffered: () => suffered,
    stop: async () => {
      for (const end of waits) end();
      if (server.listening) await unlisten();
      agent.destroy();
    },
  };
  return proxy;
}

interface Asked {
  readonly agent: Agent;
  readonly method: string | undefined;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

async function ask(target: string, { agent, method, path, headers, body }: Asked): Promise<Answer> {
  const { host: _h, connection: _c, 'transfer-encoding': _t, ...kept } = headers;
  const outgoing = request(new URL(path, target), {
    agent,
    method: method ?? 'GET',
    headers: { ...kept, 'content-length': body.length },
    // Ends the answer as well where that does not come to an end.
    signal: AbortSignal.timeout(LONGEST_ANSWER_MS),
  });
  // What breaks after the answer has begun is told by the answer.
  outgoing.on('error', () => undefined);
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode ?? 502, headers: incoming.headers, body: await buffer(incoming) };
}
