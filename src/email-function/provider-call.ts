/** One HTTP request to a provider: bounded in time and size, answered with a value whatever happens on the way. */
import { withoutKey } from '../data/own-key.ts';
import { limitedText } from './limited-text.ts';
import type { SendRefusal } from './provider.ts';

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface ProviderReply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined where the text is none. */
  readonly body: unknown;
  readonly text: string;
}

export type Called =
  | { readonly ok: true; readonly reply: ProviderReply }
  | {
      readonly ok: false;
      readonly refusal: SendRefusal;
      /** The same for a request that would send nothing. */
      readonly fault: string;
    };

/** The email function answers within 15 s, its own bookkeeping included. */
export const PROVIDER_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 20_000;

/**
 * Sends the request once, and follows no redirect: that would carry keys that are in headers of their own to wherever it leads.
 * What did not get through, or was not answered, comes as a refusal that says which of the two.
 */
export async function callProvider(
  name: string,
  fetch: Fetch,
  request: Request | { readonly url: string; readonly init: RequestInit },
  signal: AbortSignal,
): Promise<Called> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PROVIDER_TIMEOUT_MS)]);
  try {
    const response =
      request instanceof Request
        ? await fetch(request, { signal: deadline, redirect: 'manual' })
        : await fetch(request.url, { ...request.init, signal: deadline, redirect: 'manual' });
    const answer = await limitedText(response, MAX_ANSWER_BYTES);
    const text = keysIn(request instanceof Request ? request.headers : new Headers(request.init.headers)).reduce(
      withoutKey,
      answer.text,
    );
    return { ok: true, reply: { status: response.status, headers: response.headers, body: parsed(text), text } };
  } catch (error) {
    return failed(name, error);
  }
}

/** What a provider, or a proxy before it, must not get into a message by repeating what it was sent. */
function keysIn(headers: Headers): readonly string[] {
  const bearer = headers.get('authorization')?.replace(/^Bearer /, '');
  return [bearer, headers.get('api-key'), headers.get('x-amz-security-token')].filter((key) => key != null);
}

/** Errors of `fetch` carry addresses and whole requests; only what they mean gets out. */
function failed(name: string, error: unknown): Called {
  const words = wordsOf(error);
  const never = NEVER_ARRIVED.find(([pattern]) => pattern.test(words));
  if (never !== undefined) {
    const fault = `${never[1]}: ${name} could not be reached`;
    return { ok: false, refusal: refusal('outage', `${fault}; nothing was sent.`), fault: `${fault}.` };
  }
  const isTimeout = /TimeoutError|AbortError|timed? ?out/i.test(words);
  const fault = `504 no_answer: ${name} ${isTimeout ? 'did not answer in time' : 'closed the connection'}`;
  return { ok: false, refusal: refusal('unanswered', `${fault}; it may have sent the email.`), fault: `${fault}.` };
}

/** No connection was made: as Node (undici) and Deno put it. */
const NEVER_ARRIVED: readonly (readonly [pattern: RegExp, code: string])[] = [
  [/ECONNREFUSED|connection refused/i, 'ECONNREFUSED'],
  [/ENOTFOUND|EAI_AGAIN|dns error|failed to lookup address/i, 'ENOTFOUND'],
  [/EHOSTUNREACH|ENETUNREACH|unreachable/i, 'EHOSTUNREACH'],
  [/UND_ERR_CONNECT_TIMEOUT|client error \(Connect\)|CERT|certificate/i, 'EHOSTUNREACH'],
];

function refusal(kind: SendRefusal['kind'], message: string): SendRefusal {
  return { ok: false, kind, message, retryAfterMs: null, period: 'day' };
}

function wordsOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 4) return '';
  const { code } = error as { code?: unknown };
  const first = error instanceof AggregateError ? error.errors[0] : error.cause;
  return `${error.name} ${typeof code === 'string' ? code : ''} ${error.message} ${wordsOf(first, depth + 1)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
