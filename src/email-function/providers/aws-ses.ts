/** Amazon SES, API v2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/ (SendEmail, GetAccount). Signed with SigV4. */

import { AwsClient } from 'aws4fetch';
import { safeMessageId } from '../../domain/message-id.ts';
import type { HealthCheck, QuotaReading } from '../../domain/provider-state.ts';
import { type ErrorDialect, refusalOf } from '../failure-rules.ts';
import { at, numberAt, textAt } from '../fields.ts';
import { asciiAddress, asciiMailbox } from '../mailbox.ts';
import { type EmailProvider, type SendRefusal, senderOf } from '../provider.ts';
import { type Called, callProvider, type ProviderReply } from '../provider-call.ts';
import { healthOfCall, JSON_TYPE, type ProviderOptions } from './options.ts';

export interface SesOptions extends Omit<ProviderOptions, 'apiKey'> {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly region: string;
}

/** Health and quota come from one and the same answer: asked within this time, it is not asked for again. */
const REMEMBER_MS = 10_000;

const DIALECT: ErrorDialect = {
  rules: [
    // A used-up day is a kind of throttling to Amazon: the words tell them apart.
    { text: /daily message quota/i, kind: 'quota', period: 'day' },
    { text: /monthly message quota/i, kind: 'quota', period: 'month' },
    { code: /^(TooManyRequests|Throttling)/, kind: 'rate-limited' },
    { text: /maximum sending rate/i, kind: 'rate-limited' },
    { code: /^LimitExceeded/, kind: 'quota', period: 'day' },
    { code: /^(AccountSuspended|SendingPaused|AccessDenied|MailFromDomainNotVerified|NotFound)/, kind: 'refused' },
    // Credentials, or a clock that is wrong, some of them with the status of a bad request: not the email's fault.
    {
      code: /^(RequestExpired|ExpiredToken|IncompleteSignature|InvalidSignature|NotAuthorized|OptIn)/,
      kind: 'refused',
    },
    // In its sandbox every recipient must be verified, and outside of it the sender.
    { code: /^MessageRejected/, text: /not verified/i, kind: 'refused' },
    { code: /^(MessageRejected|BadRequest|InvalidParameter)/, kind: 'permanent' },
    { code: /^(InternalFailure|ServiceUnavailable)/, kind: 'outage' },
  ],
  codeOf: ({ headers, body }) => (headers.get('x-amzn-errortype') ?? textAt(body, '__type')).replace(/^.*#|:.*$/g, ''),
  textOf: ({ body, status }) => textAt(body, 'message') || textAt(body, 'Message') || `HTTP ${status} without a reason`,
  // It says nowhere when to come back.
  resetHeaders: { 'rate-limited': ['retry-after'], outage: ['retry-after'] },
};

export function createAwsSes(options: SesOptions): EmailProvider {
  const { accessKeyId, secretAccessKey, sessionToken, region, sender, fetch, clock } = options;
  const baseUrl = `${options.baseUrl ?? `https://email.${region}.amazonaws.com`}/v2/email`;
  const isConfigured = accessKeyId !== '' && secretAccessKey !== '' && region !== '';
  const aws = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    service: 'ses',
    retries: 0,
  });
  const call = async (path: string, init: RequestInit, signal: AbortSignal): Promise<Called> => {
    try {
      return await callProvider('aws_ses', fetch, await aws.sign(`${baseUrl}${path}`, init), signal);
    } catch {
      // Signing fails where the address is none; the request was not made.
      return { ok: false, refusal: MISCONFIGURED, fault: MISCONFIGURED.message };
    }
  };

  let account: { readonly startedAtMs: number; readonly called: Promise<Called> } | null = null;
  const askAccount = (signal: AbortSignal) => {
    const now = performance.now();
    if (account !== null && now - account.startedAtMs < REMEMBER_MS) return account;
    account = { startedAtMs: now, called: call('/account', { method: 'GET' }, signal) };
    return account;
  };
  return {
    name: 'aws_ses',
    isConfigured,
    // SendEmail has no idempotency token.
    knowsKeys: false,
    checkEveryMs: 60_000,
    send: async (email, signal) => {
      const from = senderOf(email, sender);
      const text = (data: string) => ({ Data: data, Charset: 'UTF-8' });
      const body = {
        // It takes domains in their ASCII form alone (SES Developer Guide, Unicode in addresses).
        FromEmailAddress: asciiMailbox(from.name, asciiAddress(from.address)),
        Destination: { ToAddresses: [asciiAddress(email.to)] },
        ReplyToAddresses: email.replyTo === undefined ? undefined : [asciiAddress(email.replyTo)],
        Content: {
          Simple: {
            Subject: text(email.subject),
            Body: { Html: text(email.html), ...(email.text === undefined ? {} : { Text: text(email.text) }) },
          },
        },
      };
      const init = { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) };
      const called = await call('/outbound-emails', init, signal);
      if (!called.ok) return called.refusal;
      const { reply } = called;
      const id = textAt(reply.body, 'MessageId');
      // Accepted without an id is accepted: taken for a failure, it would be sent again.
      return reply.status < 300
        ? { ok: true, messageId: safeMessageId(id) }
        : refusalOf(reply, DIALECT, clock.nowEpochMs());
    },
    checkHealth: async (signal) => {
      const { startedAtMs, called: asked } = askAccount(signal);
      const called = await asked;
      const check = healthOfCall(called, startedAtMs, DIALECT);
      return called.ok && check.status === 'ok' ? judged(called.reply, check) : check;
    },
    readQuota: async (signal) => {
      const called = await askAccount(signal).called;
      return called.ok && called.reply.status < 300 ? quotaOf(called.reply.body) : null;
    },
  };
}

/** The address answers, but the account may not be allowed to send. */
function judged({ body }: ProviderReply, check: HealthCheck): HealthCheck {
  const enforcement = textAt(body, 'EnforcementStatus');
  if (at(body, 'SendingEnabled') === false || enforcement === 'SHUTDOWN') {
    return { ...check, status: 'error', message: 'Amazon has switched sending off for this account.' };
  }
  if (enforcement === 'PROBATION') {
    return { ...check, status: 'degraded', message: 'The account is on probation.' };
  }
  return check;
}

/** Of the last 24 hours, not of the UTC day. -1 is unlimited: then it says nothing. */
function quotaOf(account: unknown): QuotaReading | null {
  const limit = numberAt(account, 'SendQuota', 'Max24HourSend');
  const sent = numberAt(account, 'SendQuota', 'SentLast24Hours');
  if (limit === null || sent === null || limit < 0) return null;
  return { daily: { sent: Math.ceil(sent), limit: Math.floor(limit) }, monthly: null };
}

const MISCONFIGURED: SendRefusal = {
  ok: false,
  kind: 'refused',
  message: '401 not_configured: AWS_SES_REGION or AWS_SES_BASE_URL is wrong.',
  retryAfterMs: null,
  period: 'day',
};
