/** Resend: https://resend.com/docs/api-reference (emails, errors, idempotency keys, rate limits). */

import { safeMessageId } from '../../domain/message-id.ts';
import { type ErrorDialect, refusalOf } from '../failure-rules.ts';
import { textAt } from '../fields.ts';
import { mailbox } from '../mailbox.ts';
import { type EmailProvider, senderOf } from '../provider.ts';
import { callProvider } from '../provider-call.ts';
import { toUuid } from '../uuid.ts';
import { healthOf, JSON_TYPE, type ProviderOptions } from './options.ts';

export const RESEND_URL = 'https://api.resend.com';

const DIALECT: ErrorDialect = {
  // Quota and rate share the status 429: the name tells them apart.
  rules: [
    { code: /^daily_quota_exceeded$/, kind: 'quota', period: 'day' },
    { code: /^monthly_quota_exceeded$/, kind: 'quota', period: 'month' },
    { code: /^rate_limit_exceeded$/, kind: 'rate-limited' },
    { code: /^concurrent_idempotent_requests$/, kind: 'unanswered' },
    { code: /^invalid_idempotent_request$/, kind: 'permanent' },
    { code: /^(missing|restricted|invalid)_api_key$/, kind: 'refused' },
    // An invalid key has been seen under this name as well.
    { code: /^validation_error$/, text: /api key is invalid|domain is not verified|testing emails/i, kind: 'refused' },
    { code: /^validation_error$/, kind: 'permanent' },
    { code: /^(application|internal_server)_error$/, kind: 'outage' },
  ],
  codeOf: ({ body }) => textAt(body, 'name'),
  textOf: ({ body, status }) => textAt(body, 'message') || `HTTP ${status} without a reason`,
  // Of its quota it does not say when it ends.
  resetHeaders: { 'rate-limited': ['retry-after', 'ratelimit-reset'], outage: ['retry-after'] },
};

export function createResend(options: ProviderOptions): EmailProvider {
  const { apiKey, baseUrl = RESEND_URL, sender, fetch, clock } = options;
  const headers = { authorization: `Bearer ${apiKey}`, ...JSON_TYPE };
  return {
    name: 'resend',
    isConfigured: apiKey !== '',
    knowsKeys: true,
    checkEveryMs: 60_000,
    send: async (email, signal) => {
      const from = senderOf(email, sender);
      const key = email.idempotencyKey;
      const init = {
        method: 'POST',
        // Kept for 24 h: the same key and payload gets the first answer again.
        headers: { ...headers, ...(key === undefined ? {} : { 'idempotency-key': await headerOf(key) }) },
        body: JSON.stringify({
          from: mailbox(from.name, from.address),
          to: [email.to],
          subject: email.subject,
          html: email.html,
          text: email.text,
          reply_to: email.replyTo,
        }),
      };
      const called = await callProvider('resend', fetch, { url: `${baseUrl}/emails`, init }, signal);
      if (!called.ok) return called.refusal;
      const { reply } = called;
      const id = textAt(reply.body, 'id');
      // Accepted without an id is accepted: taken for a failure, it would be sent again.
      return reply.status < 300
        ? { ok: true, messageId: safeMessageId(id) }
        : refusalOf(reply, DIALECT, clock.nowEpochMs());
    },
    checkHealth: async (signal) =>
      healthOf('resend', fetch, { url: `${baseUrl}/domains`, init: { headers } }, signal, DIALECT, {
        // A key that may only send is not allowed to look at domains, and answers so: it works.
        isFine: ({ status, body }) => status === 401 && textAt(body, 'name') === 'restricted_api_key',
      }),
    // There is no endpoint for it, and what its quota headers count is not documented (FACTS §5).
    readQuota: async () => null,
  };
}

/** A header holds ASCII only; another key becomes a UUID, always the same one. */
async function headerOf(key: string): Promise<string> {
  return /^[\x21-\x7e]+$/.test(key) ? key : toUuid(key);
}
