/**
 * The one door to Postgres, through Supabase's REST API, and the reading of its errors. A query is sent once: a screen that
 * shows old values beats one that waits seven seconds for the SDK's retries (FACTS §4).
 */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type { Fault, FaultCode } from '../domain/loaded.ts';
import { cancelled, FaultError, faultOfStatus, SYSTEM, safeWords, timedOut, unreachable, unreadable } from './fault.ts';
import { refusalWithoutKey } from './own-key.ts';

export interface SupabaseTarget {
  readonly url: string;
  readonly serviceRoleKey: string;
  /** How long one request may take, its body included. 5,000 ms unless told. */
  readonly timeoutMs?: number;
}

export interface SupabaseConnection {
  readonly client: SupabaseClient;
  /** HTTP requests sent so far, answered or not. */
  usage(): { readonly requests: number };
  /** Cancels what is in flight; requests fail afterwards. Idempotent. */
  close(): Promise<void>;
}

/** Makes a client; nothing is sent until the first query. */
export function connectSupabase(target: SupabaseTarget): SupabaseConnection {
  const timeoutMs = target.timeoutMs ?? 5_000;
  const closing = new AbortController();
  let requests = 0;
  // Our own timeout instead of the client's `db.timeout`: that one ends when the headers are there, and a body can hang too.
  const countingFetch: typeof fetch = async (input, init) => {
    requests += 1;
    const signals = [closing.signal, AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])];
    // Following a redirect would send the key along: fetch takes away `authorization` then, but not `apikey`.
    const response = await fetch(input, { ...init, redirect: 'manual', signal: AbortSignal.any(signals) });
    return refusalWithoutKey(response, target.serviceRoleKey);
  };
  const client = createClient(target.url, target.serviceRoleKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: countingFetch },
  });
  return {
    client,
    usage: () => ({ requests }),
    close: async () => closing.abort(),
  };
}

/** What every query builder of the SDK can do and resolve to, as far as we use it. */
export interface Query {
  retry(enabled: boolean): unknown;
  abortSignal(signal: AbortSignal): unknown;
  then<R>(onAnswer: (answer: Answer) => R): PromiseLike<R>;
}

interface Answer {
  readonly data: unknown;
  readonly count?: number | null;
  readonly status: number;
  readonly error: PostgrestProblem | null;
}

interface PostgrestProblem {
  readonly message?: string | undefined;
  readonly code?: string | undefined;
  readonly details?: string | null | undefined;
}

/** Runs a query once. Throws {@link FaultError}. `count` is null where none was asked for. */
export async function answerOf(query: Query, signal?: AbortSignal): Promise<{ data: unknown; count: number | null }> {
  query.retry(false);
  if (signal !== undefined) query.abortSignal(signal);
  const { data, count, status, error } = await query.then((answer) => answer);
  if (error === null) return { data, count: count ?? null };
  throw new FaultError(signal?.aborted ? faultOfAbort(signal) : faultOfPostgrest(status, error));
}

/** The rows of a query. Throws {@link FaultError}, also where the answer is no list. */
export async function rowsOf(query: Query, signal?: AbortSignal): Promise<readonly unknown[]> {
  const { data } = await answerOf(query, signal);
  if (!Array.isArray(data)) throw new FaultError(unreadable(SYSTEM.postgres, 'no list of rows'));
  return data;
}

/** How many rows a `head: true, count: 'exact'` query has. Throws {@link FaultError}. */
export async function countOf(query: Query, signal?: AbortSignal): Promise<number> {
  const { count } = await answerOf(query, signal);
  if (count === null || !Number.isFinite(count)) throw new FaultError(unreadable(SYSTEM.postgres, 'no count'));
  return count;
}

/** True when a function, table or column that our migration makes is not there. */
export function isMissingSchema(error: unknown): boolean {
  return error instanceof FaultError && error.fault.code === 'missing-schema';
}

const MISSING_CODES = new Set(['PGRST202', 'PGRST204', 'PGRST205', '42883', '42P01', '42703']);

const CODE_BY_SQLSTATE: readonly { pattern: RegExp; code: FaultCode; says: string; remedy?: string }[] = [
  {
    pattern: /^(42501|28...|PGRST30.)$/,
    code: 'unauthorized',
    says: 'does not accept our credentials',
    remedy: 'Check SUPABASE_SERVICE_ROLE_KEY: it must be the service role key, or a secret key.',
  },
  {
    pattern: /^57014$/,
    code: 'timeout',
    says: 'gave a statement up',
    remedy: 'The database is slow or locked: look at its activity.',
  },
  {
    pattern: /^(PGRST00.|08...|57P0.|53...)$/,
    code: 'unreachable',
    says: 'cannot work at the moment',
    remedy: 'Check the database and the status page.',
  },
];

/** Maps an error answer. `status` 0 means that there was none. */
export function faultOfPostgrest(status: number, { message = '', code = '', details }: PostgrestProblem): Fault {
  const system = SYSTEM.postgres;
  if (status === 0) return faultOfFailedFetch(message, details ?? '');
  if (MISSING_CODES.has(code)) {
    return {
      code: 'missing-schema',
      message: `Postgres lacks what we need: ${safeWords(message)}.`,
      remedy: 'Apply supabase/migrations; email-ops doctor shows how.',
    };
  }
  const known = CODE_BY_SQLSTATE.find(({ pattern }) => pattern.test(code));
  if (known !== undefined) {
    const sentence = `Postgres ${known.says}: ${safeWords(message)}.`;
    return { code: known.code, message: sentence, ...(known.remedy === undefined ? {} : { remedy: known.remedy }) };
  }
  // Without a code it is not PostgREST who speaks, but a proxy or somebody else's server; its text is not worth a line.
  if (code === '') {
    return status < 300 ? unreadable(system, 'something that is not JSON') : faultOfStatus(system, status);
  }
  return { code: 'protocol', message: `Postgres refused a request (${code}): ${safeWords(message)}.` };
}

/** The SDK turns exceptions of fetch into text; what we need is still in it. */
function faultOfFailedFetch(message: string, details: string): Fault {
  if (message.startsWith('TimeoutError')) return timedOut(SYSTEM.postgres);
  if (message.startsWith('AbortError')) return cancelled(SYSTEM.postgres);
  const code = /\(([A-Z][A-Z0-9_]{3,})\)/.exec(details)?.[1];
  return unreachable(SYSTEM.postgres, code ?? 'no connection');
}

function faultOfAbort({ reason }: AbortSignal): Fault {
  const isTimeout = reason instanceof Error && reason.name === 'TimeoutError';
  return isTimeout ? timedOut(SYSTEM.postgres) : cancelled(SYSTEM.postgres);
}
