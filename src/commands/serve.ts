/** `email-ops serve`: the endpoints that QStash calls, the admin API, health and metrics over HTTP, until told to stop. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { type Command, CommandError, EXIT, type Invocation } from './command.ts';
import { connectSystems } from './connect.ts';
import { keepTelling } from './notifier.ts';
import { wholeNumber } from './options.ts';
import { openServer } from './serve-app.ts';
import { logTo, untilAborted } from './workers.ts';

const DEFAULT_PORT = 8_787;
/** The longest that stopping waits for runs: sends in flight time out before. */
const DRAIN_MS = 60_000;
const LAST_ANSWERS_MS = 2_000;
/** Who sends headers or a body more slowly only holds a connection: everything sent here is small. */
const SLOWEST_MS = { headers: 10_000, request: 30_000 } as const;

/** How often slow connections are looked for. */
const CHECK_EVERY_MS = 2_000;

type Options = { port?: number; host?: string };

export const serve: Command<Options> = {
  name: 'serve',
  summary: 'offer the worker endpoints, the admin API and metrics over HTTP',
  options: [
    {
      flags: '-p, --port <port>',
      description: `0 takes a free one (default ${DEFAULT_PORT})`,
      parse: wholeNumber(0, 65_535),
    },
    { flags: '--host <address>', description: 'address to listen on (default 127.0.0.1, this machine only)' },
  ],
  examples: [
    { line: 'email-ops serve', what: 'behind a reverse proxy on this machine' },
    { line: 'email-ops serve --host 0.0.0.0 --port 8080', what: 'in a container' },
  ],
  exitCodes: '0 stopped by a signal and drained, 1 the address is taken, 2 wrong configuration.',
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  const log = logTo(io);
  const host = options.host ?? '127.0.0.1';
  await using systems = await connectSystems(io, { environment, signal });
  const server = await openServer(systems, { log, isLoopback: isLoopback(host), hostName: hostname(), signal });
  const { createAdaptorServer } = await import('@hono/node-server');
  const listener = createAdaptorServer({
    fetch: server.fetch,
    serverOptions: {
      headersTimeout: SLOWEST_MS.headers,
      requestTimeout: SLOWEST_MS.request,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
  });
  await listen(listener, host, options.port ?? DEFAULT_PORT);
  const { address, port, family } = listener.address() as AddressInfo;
  log.info(`[serve] Listening on http://${family === 'IPv6' ? `[${address}]` : address}:${port}`);
  for (const line of server.notes) log.info(`[serve] ${line}`);
  const telling = keepTelling(systems, log, signal);
  try {
    await untilAborted(signal);
  } finally {
    log.info('[serve] Stopping.');
    const closed = new Promise((resolve) => listener.close(resolve));
    await Promise.race([server.drain(), timeout(DRAIN_MS)]);
    // Runs are over; their answers still have to leave.
    await Promise.race([closed, timeout(LAST_ANSWERS_MS)]);
    if ('closeAllConnections' in listener) listener.closeAllConnections();
    await closed;
    await telling;
    log.info('[serve] Stopped.');
  }
  return EXIT.ok;
}

async function listen(
  listener: { listen(port: number, host: string): unknown } & NodeJS.EventEmitter,
  host: string,
  port: number,
): Promise<void> {
  listener.listen(port, host);
  try {
    await once(listener, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const remedy =
      code === 'EADDRINUSE' ? 'Another program listens there; choose another --port' : 'Choose another --host';
    // The cause, which is said behind it, has the code.
    throw new CommandError(`${host}:${port} cannot be listened on. ${remedy}`, { cause: error });
  }
}

/** 127.0.0.0/8, ::1 and localhost: nobody else reaches them. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
