/** The email function (WIRE.md): one POST address, an `action` in the body. It sends, chooses a provider, reports health. */
import { z } from 'zod';
import type { Provider } from '../domain/email.ts';
import type { HealthReport } from '../domain/health.ts';
import type { ProviderCondition } from '../domain/provider-rank.ts';
import { FaultError, faultOfStatus, faultOfThrown, SYSTEM, safeWords, unreadable } from './fault.ts';
import { parseHealth, type ReportedQuota } from './health-report.ts';
import { withoutKey } from './own-key.ts';
import { count, jsonOrUndefined, lenient, parseEach } from './parse.ts';

export interface EmailFunctionTarget {
  /** The Supabase URL; the function is below it. */
  readonly url: string;
  readonly serviceRoleKey: string;
  /** How long one request may take, its body included. 15,000 ms unless told: a check takes 2–5 s. */
  readonly timeoutMs?: number;
  /** Another way to it than the network's. */
  readonly fetch?: (input: string, init: RequestInit) => Promise<Response>;
}

export interface OutgoingEmail {
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text?: string;
  readonly from?: string;
  readonly fromName?: string;
  readonly replyTo?: string;
  readonly provider: Provider;
  /** The same for every try of the same email, so that a provider can tell a repetition (DESIGN §6.6). */
  readonly idempotencyKey: string;
  /** Asks the provider even where its circuit is open: an operator's test. Our function knows it, others ignore it. */
  readonly ignoreCircuit?: boolean;
}

export type SendOutcome =
  | {
      readonly ok: true;
      readonly messageId: string | null;
      readonly provider: string;
      readonly latencyMs: number | null;
    }
  | {
      readonly ok: false;
      /** The provider's sentence, cleaned and masked. */
      readonly message: string;
      readonly provider: string;
      readonly latencyMs: number | null;
      readonly status: number;
      /** From `Retry-After`, where the answer has one. */
      readonly retryAfterMs: number | null;
    };

export interface RouteAdvice {
  readonly provider: string | null;
  readonly reason: string | null;
  readonly alternates: readonly string[];
  /** What the function knows of each provider; entries that cannot be read are left out. */
  readonly health: readonly ProviderCondition[];
}

export interface HealthAnswer {
  readonly report: HealthReport;
  readonly quotas: readonly ReportedQuota[];
  readonly skipped: number;
  /** The answer's own JSON text, as `email:health:latest` keeps it. */
  readonly json: string;
}

export type HealthMode = 'ping' | 'full' | 'status';

/** All verbs throw `FaultError`; a send that the provider refused is an outcome, not an exception. */
export interface EmailFunction {
  health(mode: HealthMode, signal?: AbortSignal): Promise<HealthAnswer>;
  route(emailType: string, options?: { forceRefresh?: boolean }, signal?: AbortSignal): Promise<RouteAdvice>;
  send(email: OutgoingEmail, signal?: AbortSignal): Promise<SendOutcome>;
}

export function createEmailFunction(target: EmailFunctionTarget): EmailFunction {
  const post = (body: object, signal?: AbortSignal) => postJson(target, body, signal);
  return {
    health: async (mode, signal) => {
      const answer = await post({ action: 'health', mode }, signal);
      const health = parseHealth(okBody(answer));
      if (health === null) throw unreadableAnswer('no health report');
      return { ...health, json: answer.text };
    },
    route: async (emailType, options = {}, signal) => {
      const parsed = RouteAnswer.safeParse(okBody(await post({ action: 'route', emailType, ...options }, signal)));
      if (!parsed.success) throw unreadableAnswer('no recommendation');
      return parsed.data.recommendation;
    },
    send: async (email, signal) => {
      const answer = await post({ action: 'send', ...email }, signal);
      const parsed = SendAnswer.safeParse(answer.body);
      // Somebody else answered: a proxy, the platform, an old function. Whether the email went out is not known.
      if (!parsed.success) throw answerFault(answer);
      const { success, messageId, provider, responseTime, message, error } = parsed.data;
      const about = { provider: provider ?? email.provider, latencyMs: responseTime };
      if (success && answer.status < 300) return { ok: true, messageId, ...about };
      if (answer.status === 401 || answer.status === 403) throw answerFault(answer);
      const words = safeWords(message ?? error ?? '', 500) || `HTTP ${answer.status} without a reason`;
      return { ok: false, message: words, ...about, status: answer.status, retryAfterMs: answer.retryAfterMs };
    },
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  /** Undefined where the text is no JSON. */
  readonly body: unknown;
  readonly retryAfterMs: number | null;
}

async function postJson(target: EmailFunctionTarget, body: object, signal?: AbortSignal): Promise<Answer> {
  const timeoutMs = target.timeoutMs ?? 15_000;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const ask = target.fetch ?? fetch;
    const response = await ask(`${target.url.replace(/\/+$/, '')}/functions/v1/email`, {
      method: 'POST',
      headers: {
        // New secret keys are no JWTs and belong in `apikey`; legacy keys are accepted in both (FACTS §4).
        authorization: `Bearer ${target.serviceRoleKey}`,
        apikey: target.serviceRoleKey,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
      // Following would send key and email to wherever it leads.
      redirect: 'manual',
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    });
    const text = withoutKey(await response.text(), target.serviceRoleKey);
    const retryAfterMs = retryAfterOf(response.headers);
    return { status: response.status, text, body: jsonOrUndefined(text), retryAfterMs };
  } catch (error) {
    throw new FaultError(faultOfThrown(SYSTEM.emailFunction, error, timeoutMs), { cause: error });
  }
}

function okBody(answer: Answer): unknown {
  const isRefused = (answer.body as { success?: unknown } | null | undefined)?.success === false;
  if (answer.status >= 300 || answer.body === undefined || isRefused) throw answerFault(answer);
  return answer.body;
}

function answerFault({ status, body }: Answer): FaultError {
  const said = Refusal.safeParse(body).data;
  const words = said?.error ?? said?.message ?? '';
  if (status >= 300) return new FaultError(faultOfStatus(SYSTEM.emailFunction, status, words));
  if (said?.success !== false) {
    return unreadableAnswer(body === undefined ? 'something that is not JSON' : 'something unexpected');
  }
  return new FaultError({
    code: 'protocol',
    message: `The email function failed: ${safeWords(words) || 'no reason given'}.`,
  });
}

function unreadableAnswer(what: string): FaultError {
  return new FaultError(unreadable(SYSTEM.emailFunction, what));
}

/** Seconds, or a date, which is taken by the server's own clock (RFC 9110). */
function retryAfterOf(headers: Headers): number | null {
  const value = headers.get('retry-after');
  if (value === null) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

const text = lenient(z.string());

const Refusal = z.object({ success: z.unknown().optional(), error: text, message: text });

const Condition = z.object({
  provider: z.string(),
  status: text,
  healthScore: lenient(count),
  circuitState: text,
});

const RouteAnswer = z.object({
  recommendation: z.object({
    provider: text,
    reason: text,
    alternates: z.array(z.string()).catch([]),
    health: z
      .array(z.unknown())
      .catch([])
      .transform((conditions) => parseEach(Condition, conditions).values),
  }),
});

const SendAnswer = z.object({
  success: z.boolean(),
  message: text,
  error: text,
  provider: text,
  messageId: text,
  responseTime: lenient(count),
});
