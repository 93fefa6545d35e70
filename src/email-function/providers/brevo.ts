/** Brevo: https://developers.brevo.com/reference/send-transac-email, /get-account, /docs/heterogenous-versions-batch-emails. */

import { safeMessageId } from '../../domain/message-id.ts';
import type { QuotaReading } from '../../domain/provider-state.ts';
import { type ErrorDialect, refusalOf } from '../failure-rules.ts';
import { at, numberAt, textAt } from '../fields.ts';
import { type EmailProvider, replyToOf, senderOf } from '../provider.ts';
import { type Called, callProvider } from '../provider-call.ts';
import { toUuid } from '../uuid.ts';
import { healthOfCall, JSON_TYPE, type ProviderOptions } from './options.ts';

export const BREVO_URL = 'https://api.brevo.com/v3';

/** A day's emails of the free plan: the account only says how many are left. */
const FREE_A_DAY = 300;
/** Health and quota come from one and the same answer: asked within this time, it is not asked for again. */
const REMEMBER_MS = 10_000;

const DIALECT: ErrorDialect = {
  rules: [
    { status: 402, kind: 'quota', period: 'day' },
    { code: /^not_enough_credits$/, kind: 'quota', period: 'day' },
    { code: /^(unauthorized|permission_denied|account_under_validation)$/, kind: 'refused' },
    { text: /sender.*not valid|account.*(suspended|under validation)/i, kind: 'refused' },
    { code: /^(invalid_parameter|missing_parameter|not_acceptable)$/, kind: 'permanent' },
  ],
  codeOf: ({ body }) => textAt(body, 'code'),
  textOf: ({ body, status }) => textAt(body, 'message') || `HTTP ${status} without a reason`,
  // It sends no Retry-After, but what stands before it may.
  resetHeaders: { 'rate-limited': ['x-sib-ratelimit-reset', 'retry-after'], outage: ['retry-after'] },
};

export function createBrevo(options: ProviderOptions): EmailProvider {
  const { apiKey, baseUrl = BREVO_URL, sender, fetch, clock } = options;
  const headers = { 'api-key': apiKey, ...JSON_TYPE };
  let account: { readonly startedAtMs: number; readonly called: Promise<Called> } | null = null;
  const askAccount = (signal: AbortSignal) => {
    const now = performance.now();
    if (account !== null && now - account.startedAtMs < REMEMBER_MS) return account;
    const request = { url: `${baseUrl}/account`, init: { headers } };
    account = { startedAtMs: now, called: callProvider('brevo', fetch, request, signal) };
    return account;
  };
  return {
    name: 'brevo',
    isConfigured: apiKey !== '',
    // Only for half an hour; a repetition may come later, so our own memory is needed as well.
    knowsKeys: false,
    // The account may be read about a hundred times an hour (FACTS §5).
    checkEveryMs: 120_000,
    send: async (email, signal) => {
      const from = senderOf(email, sender);
      const key = email.idempotencyKey;
      const body = {
        sender: { name: from.name, email: from.address },
        to: [{ email: email.to }],
        subject: email.subject,
        htmlContent: email.html,
        textContent: email.text,
        replyTo: replyToOf(email),
        // In the body, not a header of HTTP; it must be a UUID.
        headers: key === undefined ? undefined : { idempotencyKey: await toUuid(key) },
      };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const called = await callProvider('brevo', fetch, { url: `${baseUrl}/smtp/email`, init }, signal);
      if (!called.ok) return called.refusal;
      const { reply } = called;
      const id = textAt(reply.body, 'messageId');
      // Accepted without an id is accepted: taken for a failure, it would be sent again.
      return reply.status < 300
        ? { ok: true, messageId: safeMessageId(id) }
        : refusalOf(reply, DIALECT, clock.nowEpochMs());
    },
    checkHealth: async (signal) => {
      const { startedAtMs, called } = askAccount(signal);
      return healthOfCall(await called, startedAtMs, DIALECT);
    },
    readQuota: async (signal) => {
      const called = await askAccount(signal).called;
      return called.ok && called.reply.status < 300 ? quotaOf(called.reply.body) : null;
    },
  };
}

/** `plan[]` tells what is left: of the day on the free plan, of the month on a subscription without its size. */
function quotaOf(account: unknown): QuotaReading | null {
  const plans = at(account, 'plan');
  if (!Array.isArray(plans)) return null;
  const free = plans.find((plan) => textAt(plan, 'type') === 'free');
  const left = numberAt(free, 'credits');
  if (left === null) return null;
  const sent = Math.max(0, FREE_A_DAY - left);
  return { daily: { sent, limit: Math.max(FREE_A_DAY, left) }, monthly: null };
}
