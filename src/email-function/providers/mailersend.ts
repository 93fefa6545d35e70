/** MailerSend: https://developers.mailersend.com/api/v1/email.html, /general.html (errors, rate limits, API quota). */

import { safeMessageId } from '../../domain/message-id.ts';
import { type ErrorDialect, refusalOf } from '../failure-rules.ts';
import { at, textAt } from '../fields.ts';
import { type EmailProvider, replyToOf, type SendRefusal, senderOf } from '../provider.ts';
import { callProvider, type ProviderReply } from '../provider-call.ts';
import { healthOf, JSON_TYPE, type ProviderOptions } from './options.ts';

export const MAILERSEND_URL = 'https://api.mailersend.com/v1';

const DIALECT: ErrorDialect = {
  rules: [
    { code: /^#MS42901$/, kind: 'quota', period: 'day' },
    { code: /^#MS42903$/, kind: 'rate-limited' },
    // Unverified domain and the caps of trial accounts: this account cannot, another provider can.
    { code: /^#MS422(07|22|25)$/, kind: 'refused' },
    { status: 422, kind: 'permanent' },
  ],
  codeOf: ({ body }) => /#MS\d{5}/.exec(textAt(body, 'message'))?.[0] ?? '',
  textOf: wordsOf,
  resetHeaders: {
    'rate-limited': ['retry-after', 'x-ratelimit-reset'],
    quota: ['x-apiquota-reset'],
    outage: ['retry-after'],
  },
};

export function createMailersend(options: ProviderOptions): EmailProvider {
  const { apiKey, baseUrl = MAILERSEND_URL, sender, fetch, clock } = options;
  const headers = { authorization: `Bearer ${apiKey}`, ...JSON_TYPE };
  return {
    name: 'mailersend',
    isConfigured: apiKey !== '',
    // It has no idempotency keys at all.
    knowsKeys: false,
    checkEveryMs: 60_000,
    send: async (email, signal) => {
      const from = senderOf(email, sender);
      const body = {
        from: { email: from.address, name: from.name },
        to: [{ email: email.to }],
        reply_to: replyToOf(email),
        subject: email.subject,
        html: email.html,
        text: email.text,
      };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const called = await callProvider('mailersend', fetch, { url: `${baseUrl}/email`, init }, signal);
      if (!called.ok) return called.refusal;
      const { reply } = called;
      const id = reply.headers.get('x-message-id') ?? '';
      if (isSuppressed(reply)) return SUPPRESSED;
      // Accepted without an id is accepted: taken for a failure, it would be sent again.
      return reply.status < 300
        ? { ok: true, messageId: safeMessageId(id) }
        : refusalOf(reply, DIALECT, clock.nowEpochMs());
    },
    // Free of charge: it does not count against the quota that it reports.
    checkHealth: async (signal) =>
      healthOf('mailersend', fetch, { url: `${baseUrl}/api-quota`, init: { headers } }, signal, DIALECT),
    // What it reports are API requests, not emails.
    readQuota: async () => null,
  };
}

/** Answered 202 all the same: nobody is left to send to. */
function isSuppressed({ body }: ProviderReply): boolean {
  return textAt(body, 'warnings', 0, 'type') === 'ALL_SUPPRESSED';
}

const SUPPRESSED: SendRefusal = {
  ok: false,
  kind: 'permanent',
  message: '422 ALL_SUPPRESSED: The recipient is on the suppression list.',
  retryAfterMs: null,
  period: 'day',
};

/** The message, and the first of `errors`, which names the field. */
function wordsOf({ body, status }: ProviderReply): string {
  const message = textAt(body, 'message');
  const errors = at(body, 'errors');
  const first = typeof errors === 'object' && errors !== null ? Object.values(errors)[0] : undefined;
  const detail = textAt(first, 0);
  return (
    [message, detail].filter((words, index, all) => words !== '' && all.indexOf(words) === index).join(' ') ||
    `HTTP ${status} without a reason`
  );
}
