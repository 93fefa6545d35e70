/** The process behind `endpoint.ts`: answers `POST /functions/v1/email` as the email function does. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Arrival, EndpointRequest } from './endpoint.ts';
import { latenciesOf } from './latency.ts';

let latencies: readonly number[] = [];
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
let arrivals: Mutable<Arrival>[] = [];
let keys = new Set<string>();

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => (body === '' ? response.end() : answer(JSON.parse(body), response)));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('disconnect', () => process.exit(0));
process.on('message', (request: EndpointRequest) => {
  if ('reset' in request) {
    latencies = latenciesOf(request.reset.latency, request.reset.count);
    arrivals = [];
    keys = new Set();
    process.send?.('reset');
    return;
  }
  process.send?.(arrivals satisfies Arrival[]);
});

interface Body {
  readonly action: string;
  readonly provider?: string;
  readonly to?: string;
  readonly idempotencyKey?: string;
}

function answer({ action, provider, to = '', idempotencyKey }: Body, response: ServerResponse): void {
  if (action === 'route') {
    const recommendation = { provider: 'brevo', reason: 'fastest', alternates: [], health: [] };
    reply(response, { success: true, recommendation });
    return;
  }
  const latencyMs = latencies[arrivals.length] ?? 0;
  const key = idempotencyKey ?? to;
  const arrival: Mutable<Arrival> = {
    key,
    atEpochMs: Date.now(),
    answeredAtEpochMs: null,
    isRepeat: keys.has(key),
    hasKey: idempotencyKey !== undefined,
  };
  arrivals.push(arrival);
  keys.add(key);
  const done = () => {
    arrival.answeredAtEpochMs = Date.now();
    reply(response, { success: true, messageId: `<${key}@bench.test>`, provider, responseTime: latencyMs });
  };
  if (latencyMs === 0) done();
  else setTimeout(done, latencyMs);
}

function reply(response: ServerResponse, body: object): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
