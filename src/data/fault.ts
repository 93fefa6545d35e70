/**
 * What went wrong outside, in words for a person. Errors of fetch and of the SDKs carry addresses, keys and whole requests;
 * here they become a {@link Fault} of one line, and nothing else of them gets out. Redis has its own file, `redis-fault.ts`.
 */
import type { Fault, FaultCode } from '../domain/loaded.ts';
import { cleanText, maskEmailsIn } from '../domain/text.ts';

/** What the gateways throw: a fault, for the sentence, and the cause, for whoever debugs. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
  readonly fault: Fault;

  constructor(fault: Fault, options?: ErrorOptions) {
    super(fault.message, options);
    this.fault = fault;
  }
}

/** How a system is called in messages, and what to look at when it fails. */
export interface SystemWords {
  readonly name: string;
  /** Variables with its address. */
  readonly address: string;
  /** Variables with its credentials. */
  readonly credentials: string;
}

export const SYSTEM = {
  redis: {
    name: 'Redis',
    address: 'KV_REST_API_URL or REDIS_URL',
    credentials: 'KV_REST_API_URL and KV_REST_API_TOKEN, or REDIS_URL',
  },
  postgres: {
    name: 'Postgres',
    address: 'NEXT_PUBLIC_SUPABASE_URL',
    credentials: 'NEXT_PUBLIC_SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY',
  },
  emailFunction: {
    name: 'The email function',
    address: 'NEXT_PUBLIC_SUPABASE_URL',
    credentials: 'SUPABASE_SERVICE_ROLE_KEY',
  },
  qstash: { name: 'QStash', address: 'QSTASH_URL', credentials: 'QSTASH_TOKEN' },
} as const satisfies Record<string, SystemWords>;

/** The remedy names the variables that make it configured. */
export function notConfigured(system: SystemWords): Fault {
  return {
    code: 'not-configured',
    message: `${system.name} is not configured.`,
    remedy: `Set ${system.credentials} in the environment or in .env.`,
  };
}

export function timedOut(system: SystemWords, timeoutMs?: number): Fault {
  const within = timeoutMs === undefined ? 'in time' : `within ${Math.round(timeoutMs / 100) / 10} s`;
  return {
    code: 'timeout',
    message: `${system.name} did not answer ${within}.`,
    remedy: 'Check the network and its status page; what was asked for may still take effect.',
  };
}

export function cancelled(system: SystemWords): Fault {
  return { code: 'cancelled', message: `Waiting for ${system.name} was cancelled.` };
}

/** The server answered, but not with what it should. `what` ends the sentence '<system> answered with …'. */
export function unreadable(system: SystemWords, what: string): Fault {
  return {
    code: 'protocol',
    message: `${system.name} answered with ${what}.`,
    remedy: `Check that ${system.address} is the right address.`,
  };
}

/** Maps an HTTP status. `detail` is the server's own sentence, if it gave one; it is cleaned and masked here. */
export function faultOfStatus(system: SystemWords, status: number, detail = ''): Fault {
  const words = safeWords(detail);
  const because = words === '' ? '' : `: ${words}`;
  const { code, says, remedy } = STATUS_RULES.find(({ applies }) => applies(status)) ?? STATUS_OTHER;
  return { code, message: `${system.name} ${says} (HTTP ${status})${because}.`, ...remedy(system) };
}

/** Maps anything thrown on the way to a system, by fetch or by our own code. Never throws. */
export function faultOfThrown(system: SystemWords, error: unknown, timeoutMs?: number): Fault {
  const carried = (error as { fault?: Fault } | null)?.fault;
  if (error instanceof Error && carried !== undefined) return carried;
  const name = error instanceof Error ? error.name : '';
  if (name === 'TimeoutError') return timedOut(system, timeoutMs);
  if (name === 'AbortError') return cancelled(system);
  const network = networkCodeOf(error);
  if (network !== null || (error instanceof TypeError && error.message === 'fetch failed')) {
    return unreachable(system, network ?? 'no connection');
  }
  if (name === 'SyntaxError') return unreadable(system, 'something that is not JSON');
  return { code: 'internal', message: `${system.name} could not be read: ${name === '' ? 'unknown error' : name}.` };
}

export function unreachable(system: SystemWords, reason: string): Fault {
  return {
    code: 'unreachable',
    message: `${system.name} is not reachable (${reason}).`,
    remedy: `Check ${system.address}, the network, and the status page.`,
  };
}

/** One line of what a server said, without controls and full addresses. */
export function safeWords(text: string, maxLength = 200): string {
  return maskEmailsIn(cleanText(text, maxLength)).replace(/[.\s]+$/, '');
}

interface StatusRule {
  readonly code: FaultCode;
  readonly says: string;
  readonly remedy: (system: SystemWords) => { remedy?: string };
}

const STATUS_OTHER: StatusRule = { code: 'protocol', says: 'refused the request', remedy: () => ({}) };

const STATUS_RULES: readonly (StatusRule & { readonly applies: (status: number) => boolean })[] = [
  {
    applies: (status) => status === 401 || status === 403,
    code: 'unauthorized',
    says: 'does not accept our credentials',
    remedy: ({ credentials }) => ({ remedy: `Check ${credentials}.` }),
  },
  {
    applies: (status) => status >= 300 && status < 400,
    code: 'protocol',
    says: 'sends us to another address, which gets nothing from us',
    remedy: ({ address }) => ({ remedy: `Check ${address}: give the address it has now.` }),
  },
  {
    applies: (status) => status === 404 || status === 405,
    code: 'protocol',
    says: 'is not at this address',
    remedy: ({ address }) => ({ remedy: `Check ${address}, and that it is deployed.` }),
  },
  {
    applies: (status) => status === 429,
    code: 'rate-limited',
    says: 'limits us',
    remedy: () => ({ remedy: 'Refresh less often (--interval, --budget), or raise the plan.' }),
  },
  {
    applies: (status) => status === 408 || status === 504,
    code: 'timeout',
    says: 'did not answer its gateway in time',
    remedy: () => ({ remedy: 'Check its status page.' }),
  },
  {
    applies: (status) => status >= 500,
    code: 'unreachable',
    says: 'fails',
    remedy: () => ({ remedy: 'Check its logs and its status page.' }),
  },
];

/** The system's or undici's code, such as ECONNREFUSED, however deep it is wrapped. */
function networkCodeOf(error: unknown, depth = 0): string | null {
  if (!(error instanceof Error) || depth > 4) return null;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  if (error instanceof AggregateError) return networkCodeOf(error.errors[0], depth + 1);
  return networkCodeOf(error.cause, depth + 1);
}
