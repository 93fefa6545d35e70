/** What can go wrong with one request, as a table: each action has the request before it and decides what the caller sees. */
import type { Exchange } from './fault-proxy.ts';

export type NetworkFault = keyof typeof ACTIONS;
type Action = (exchange: Exchange) => Promise<void>;

/** Longer than the timeouts of the workers under test, as 30 s is longer than those of real ones. */
const TOO_LATE_MS = 2_500;
const HUGE_BYTES = 10_000_000;

const ACTIONS = {
  /** Nobody listens. The proxy sees to that; who was connected is cut off. */
  refused: async ({ socket }) => {
    socket.resetAndDestroy();
  },
  'reset in mid-answer': async (exchange) => {
    const { status, body } = await exchange.forward();
    exchange.response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length + 1 });
    exchange.response.write(body.subarray(0, Math.ceil(body.length / 2)), () => exchange.socket.resetAndDestroy());
  },
  /** Taken and never answered; the request arrives nowhere. */
  'black hole': async () => undefined,
  /** The request comes through when nobody waits for it any more. */
  'late request': async (exchange) => {
    await exchange.wait(TOO_LATE_MS);
    exchange.reply(await exchange.forward());
  },
  'late answer': async (exchange) => {
    const answer = await exchange.forward();
    await exchange.wait(TOO_LATE_MS);
    exchange.reply(answer);
  },
  '1 byte/s': async (exchange) => {
    const { status, body } = await exchange.forward();
    exchange.response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
    for (const byte of body.subarray(0, 20)) {
      if (exchange.response.destroyed) return;
      exchange.response.write(Buffer.of(byte));
      await exchange.wait(1_000);
    }
    exchange.socket.destroy();
  },
  /** It was done, and the connection breaks before a word of it comes back. */
  'answer lost': async (exchange) => {
    await exchange.forward();
    exchange.socket.resetAndDestroy();
  },
  'duplicated, one after the other': async (exchange) => {
    await exchange.forward();
    exchange.reply(await exchange.forward());
  },
  'duplicated at once': async (exchange) => {
    const [, second] = await Promise.all([exchange.forward(), exchange.forward()]);
    exchange.reply(second);
  },
  'HTTP 429': status(429),
  'HTTP 429, Retry-After': status(429, { 'retry-after': '1' }),
  'HTTP 500': status(500),
  'HTTP 502': status(502),
  'HTTP 503': status(503),
  'HTTP 503, Retry-After': status(503, { 'retry-after': '1' }),
  /** A gateway that gives up on what is done all the same. */
  'HTTP 504 after the effect': async (exchange) => {
    await exchange.forward();
    await status(504)(exchange);
  },
  'HTML instead of JSON': async ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Welcome to nginx</title>');
  },
  'HTML after the effect': async (exchange) => {
    await exchange.forward();
    exchange.response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>');
  },
  /** The provider took it and then said that it did not. */
  'failure told after the effect': async (exchange) => {
    const answer = await exchange.forward();
    const message = '500 internal_server_error: We found an error';
    exchange.reply({ ...answer, status: 500, body: Buffer.from(JSON.stringify({ success: false, message })) });
  },
  'truncated JSON': async (exchange) => {
    const answer = await exchange.forward();
    exchange.reply({ ...answer, body: answer.body.subarray(0, Math.floor(answer.body.length / 2)) });
  },
  '10 MB answer': async (exchange) => {
    const answer = await exchange.forward();
    exchange.reply({ ...answer, body: Buffer.concat([answer.body, Buffer.alloc(HUGE_BYTES, '[')]) });
  },
} as const satisfies Record<string, Action>;

export const NETWORK_ACTIONS: Readonly<Record<NetworkFault, Action>> = ACTIONS;
export const NETWORK_FAULTS = Object.keys(ACTIONS) as readonly NetworkFault[];

function status(code: number, headers: Record<string, string> = {}): Action {
  return async ({ response }) => {
    response.writeHead(code, { 'content-type': 'text/plain', ...headers }).end(`${code}\n`);
  };
}
