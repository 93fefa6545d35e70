/** The sandbox's QStash and a receiving endpoint, both on real loopback ports, and the SDK's own client between them. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Client } from '@upstash/qstash';
import { vi } from 'vitest';
import { createQStash, type QStash, type QStashOptions } from '../../../src/sandbox/qstash/qstash.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';

export const TOKEN = 'qstash_test';

// The SDK prints every refusal before it throws it; the tests look at what is thrown.
vi.spyOn(console, 'error').mockImplementation(() => {});

export interface Received {
  readonly method: string;
  /** As QStash was told it: the signature is bound to it. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

export interface TestQStash extends AsyncDisposable {
  readonly qstash: QStash;
  readonly client: Client;
  /** At the present time of the machine, because signatures are checked against that. */
  readonly clock: ManualClock;
  readonly endpoint: Endpoint;
  readonly folder: string;
  readonly url: string;
  restart(changes?: Partial<QStashOptions>): Promise<void>;
  raw(method: string, path: string, init?: RequestInit): Promise<{ status: number; body: unknown }>;
}

export interface Endpoint extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** Takes the answers one after the other, then 200 for ever. */
  answerWith(...answers: (Response | (() => Response | Promise<Response>))[]): void;
}

export async function startQStash(changes: Partial<QStashOptions> = {}): Promise<TestQStash> {
  const folder = mkdtempSync(join(tmpdir(), 'qstash-'));
  const clock = manualClock(Math.floor(Date.now() / 1_000) * 1_000);
  const open = (more: Partial<QStashOptions>) =>
    createQStash({ folder, clock, token: TOKEN, basePath: '/qstash', ...changes, ...more });
  let current = open({});
  const server = await listen((request) => current.fetch(request));
  const endpoint = await startEndpoint();
  const url = `${server.url}/qstash`;
  return {
    get qstash() {
      return current;
    },
    client: new Client({ baseUrl: url, token: TOKEN, devMode: false, retry: false, enableTelemetry: false }),
    clock,
    endpoint,
    folder,
    url,
    restart: async (more = {}) => {
      await current.stop();
      current = open(more);
    },
    raw: async (method, path, init = {}) => {
      const response = await fetch(url + path, { method, headers: { authorization: `Bearer ${TOKEN}` }, ...init });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    },
    [Symbol.asyncDispose]: async () => {
      await current.stop();
      await server.close();
      await endpoint[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startEndpoint(): Promise<Endpoint> {
  const received: Received[] = [];
  const answers: (Response | (() => Response | Promise<Response>))[] = [];
  const server = await listen(async (request) => {
    const { method, url, headers } = request;
    received.push({ method, url, headers, body: await request.text() });
    const answer = answers.shift();
    return (typeof answer === 'function' ? await answer() : answer) ?? Response.json({ ok: true });
  });
  return {
    url: server.url,
    received,
    answerWith: (...more) => answers.push(...more),
    [Symbol.asyncDispose]: server.close,
  };
}

async function listen(
  fetch: (request: Request) => Promise<Response>,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = serve({ fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise<void>((resolve) => server.once('listening', () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}
