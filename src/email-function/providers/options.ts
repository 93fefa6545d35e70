/** What the HTTP providers are made of, and the health check that they share. */
import type { HealthCheck } from '../../domain/provider-state.ts';
import type { Clock } from '../../domain/time.ts';
import { type ErrorDialect, refusalOf } from '../failure-rules.ts';
import type { Sender } from '../provider.ts';
import { type Called, callProvider, type Fetch, type ProviderReply } from '../provider-call.ts';

export interface ProviderOptions {
  /** Empty: not configured. */
  readonly apiKey: string;
  /** Another address than the provider's own, without a slash at its end. */
  readonly baseUrl?: string | undefined;
  readonly sender: Sender;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

export const JSON_TYPE = {
  'content-type': 'application/json',
  accept: 'application/json',
  'user-agent': 'foodshare-email-function',
} as const;

/** Slower than this it is degraded. */
const SLOW_MS = 3_000;

/** Asks an address that costs nothing. Answered well, it is fine; a rate limit only says that we asked too often. */
export async function healthOf(
  name: string,
  fetch: Fetch,
  request: Request | { readonly url: string; readonly init: RequestInit },
  signal: AbortSignal,
  dialect: ErrorDialect,
  { isFine = () => false }: { readonly isFine?: (reply: ProviderReply) => boolean } = {},
): Promise<HealthCheck> {
  const startedAtMs = performance.now();
  return healthOfCall(await callProvider(name, fetch, request, signal), startedAtMs, dialect, isFine);
}

/** The same for an answer that is there already. */
export function healthOfCall(
  called: Called,
  startedAtMs: number,
  dialect: ErrorDialect,
  isFine: (reply: ProviderReply) => boolean = () => false,
): HealthCheck {
  const latencyMs = Math.round(performance.now() - startedAtMs);
  if (!called.ok) return { status: 'error', message: called.fault, latencyMs };
  const { reply } = called;
  if (reply.status < 300 || isFine(reply)) {
    const isSlow = latencyMs > SLOW_MS;
    return { status: isSlow ? 'degraded' : 'ok', message: isSlow ? 'Answers slowly.' : 'Operational.', latencyMs };
  }
  const { kind, message } = refusalOf(reply, dialect, 0);
  return { status: kind === 'rate-limited' ? 'degraded' : 'error', message, latencyMs };
}
