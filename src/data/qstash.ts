/**
 * The one door to QStash. The SDK writes failures with addresses to stderr, which would tear a screen, and knows neither
 * timeout nor cancellation; so its requests go through a requester of ours. It costs 67 ms and 29 MB to load, so that is done when
 * it is needed; what every look reads, two lists, is asked for without it.
 */
import type { Client } from '@upstash/qstash';
import { z } from 'zod';
import { cancelled, FaultError, faultOfStatus, faultOfThrown, SYSTEM } from './fault.ts';
import { withoutKey } from './own-key.ts';
import { jsonOrUndefined } from './parse.ts';

export interface QStashTarget {
  readonly token: string;
  /** Without it the SDK's own: the public QStash. */
  readonly url?: string | null;
  /** How long one request may take, its body included. 5,000 ms unless told. */
  readonly timeoutMs?: number;
}

export interface QStashConnection {
  /** A client whose requests end with `signal`, the timeout or the connection. They throw `FaultError`. */
  client(signal?: AbortSignal): Promise<Client>;
  /** The answer of a GET as it came, without the SDK. Throws `FaultError`. */
  get(path: readonly string[], query: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<unknown>;
  /** Requests sent so far, answered or not. */
  usage(): { readonly requests: number };
  /** Cancels what is in flight; requests fail afterwards. Idempotent. */
  close(): Promise<void>;
}

type Requester = Client['http'];
type QStashRequest = Parameters<Requester['request']>[0];

/** Nothing is loaded or sent until the first request. */
export function connectQStash(target: QStashTarget): QStashConnection {
  const timeoutMs = target.timeoutMs ?? 5_000;
  const closing = new AbortController();
  // Named for both ways, or the SDK would look for another in the environment.
  const baseUrl = target.url ?? PUBLIC_QSTASH;
  let requests = 0;

  const send = async (request: QStashRequest, caller: AbortSignal | undefined): Promise<unknown> => {
    requests += 1;
    const callers = caller === undefined ? [closing.signal] : [closing.signal, caller];
    const signal = AbortSignal.any([...callers, AbortSignal.timeout(timeoutMs)]);
    try {
      const url = urlOf(request, baseUrl);
      // The SDK's types are of another fetch than Node's; the values are the same.
      const init = request as Pick<RequestInit, 'headers' | 'body'>;
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${target.token}`);
      const sent = { method: request.method ?? 'GET', headers, body: init.body ?? null, signal };
      const response = await fetch(url, { ...sent, redirect: 'manual' });
      const text = withoutKey(await response.text(), target.token);
      if (!response.ok) throw new FaultError(faultOfStatus(SYSTEM.qstash, response.status, sentenceIn(text)));
      return request.parseResponseAsJson === false ? undefined : JSON.parse(text);
    } catch (error) {
      const fault = closing.signal.aborted ? cancelled(SYSTEM.qstash) : faultOfThrown(SYSTEM.qstash, error, timeoutMs);
      throw new FaultError(fault, { cause: error });
    }
  };

  return {
    usage: () => ({ requests }),
    close: async () => closing.abort(),
    get: (path, query, signal) => send({ method: 'GET', path: [...path], query: { ...query } }, signal),
    client: async (signal) => {
      const { Client } = await import('@upstash/qstash');
      // `devMode` would start a local server with publicly known keys where QSTASH_DEV is set (FACTS §3).
      const client = new Client({ token: target.token, devMode: false, baseUrl });
      client.http = {
        request: (request) => send(request, signal) as Promise<never>,
        requestStream: () => {
          throw new Error('Streaming is not used here.');
        },
      };
      return client;
    },
  };
}

const PUBLIC_QSTASH = 'https://qstash.upstash.io';

/** Path segments are joined as they are: a destination is a URL inside the path. */
function urlOf({ path, query = {}, baseUrl: own }: QStashRequest, baseUrl: string): URL {
  const url = new URL([own ?? baseUrl, ...path].join('/'));
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) {
      url.searchParams.append(name, each instanceof Date ? String(each.getTime()) : String(each));
    }
  }
  return url;
}

/** QStash explains itself as `{"error": …}`. */
function sentenceIn(text: string): string {
  return ErrorAnswer.safeParse(jsonOrUndefined(text)).data?.error ?? '';
}

const ErrorAnswer = z.object({ error: z.string() });
