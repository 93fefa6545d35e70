/** HTTP as an attacker writes it: bytes onto a socket, and whatever comes back until the server has had enough. */
import { connect } from 'node:net';

export interface RawAnswer {
  /** Of each answer that came. */
  readonly statuses: readonly number[];
  readonly text: string;
  /** The server ended the connection. */
  readonly isClosed: boolean;
  readonly tookMs: number;
}

/** Sends the parts one after the other; waits until the server closes, or `waitMs` after the last part. Never rejects. */
export function sendRaw(port: number, parts: readonly string[], { waitMs = 400 } = {}): Promise<RawAnswer> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer>();
  const startedAtMs = performance.now();
  let text = '';
  const socket = connect(port, '127.0.0.1');
  const finish = (isClosed: boolean) => {
    socket.destroy();
    const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status));
    resolve({ statuses, text, isClosed, tookMs: performance.now() - startedAtMs });
  };
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  // What was sent after the server has hung up.
  socket.on('error', () => undefined);
  socket.on('close', () => finish(true));
  for (const part of parts) socket.write(part, 'latin1');
  const timer = setTimeout(() => finish(false), waitMs);
  return promise.finally(() => clearTimeout(timer));
}

/** A request with its headers, and a body where there is one. */
export function request(line: string, headers: Readonly<Record<string, string>> = {}, body?: string): string {
  const all = {
    host: 'foodshare.example',
    ...headers,
    ...(body === undefined ? {} : { 'content-length': `${body.length}` }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `${[`${line} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body ?? ''}`;
}
