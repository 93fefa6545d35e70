/** A loopback HTTP server that answers as a test says: well, badly, or not at all. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface AnsweringServer extends AsyncDisposable {
  readonly url: string;
  /** Every request so far. */
  readonly requests: readonly { method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
  /** What is answered from now on. */
  answer: Responder;
}

export type Responder = (response: ServerResponse, path: string) => void;

export async function startAnsweringServer(answer: Responder): Promise<AnsweringServer> {
  const requests: AnsweringServer['requests'][number][] = [];
  const running: AnsweringServer = {
    url: '',
    requests,
    answer,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    requests.push({ method, path, headers, body: await text(request).catch(() => '') });
    running.answer(response, path);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(running, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Responder =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };

export const html =
  (status: number): Responder =>
  (response) => {
    response
      .writeHead(status, { 'content-type': 'text/html' })
      .end('<html><h1>secret-token anna@example.org</h1></html>');
  };

export const hang: Responder = () => undefined;

/** The headers come, the body begins, and that is all. */
export const hangInBody: Responder = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"version":');
};

export const truncated: Responder = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('[{"id":');
};

/** Promises more than it sends, then drops the connection. */
export const cutOff: Responder = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' }).write('[{"id":');
  setImmediate(() => response.destroy());
};
