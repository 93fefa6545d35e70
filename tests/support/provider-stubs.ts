/**
 * The four providers on loopback, as their documentation says they answer (FACTS §5 and the addresses beside each): they check
 * the key or the signature, take emails in, recognise repeated keys where the real one does, and answer otherwise when told to.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Provider } from '../../src/domain/email.ts';
import { signatureFault } from './sigv4.ts';

export interface StubAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Taken {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: checked by the tests, field by field
  readonly body: any;
}

export interface ProviderStub extends AsyncDisposable {
  readonly url: string;
  /** What a deployed function's environment says to reach it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sends that arrived with the right key, taken or not. */
  readonly sends: readonly Taken[];
  /** Other requests: health and quota. */
  readonly checks: readonly Taken[];
  /** Emails that really went out, each once. */
  readonly delivered: readonly { readonly to: string; readonly messageId: string }[];
  /** Answers the coming sends so, one after the other; then as documented again. */
  answerNext(...answers: readonly (StubAnswer | 'hang' | 'cut-off' | 'endless')[]): void;
  /** Answers every check so from now on. */
  answerChecks(answer: StubAnswer | 'hang' | null): void;
}

interface Dialect {
  readonly sendPath: string;
  readonly environment: (url: string) => Record<string, string>;
  /** Null when the caller is let in. */
  readonly refuse: (request: {
    method: string;
    path: string;
    headers: IncomingHttpHeaders;
    raw: string;
  }) => StubAnswer | null;
  readonly keyOf: (taken: Taken) => string | null;
  readonly recipientOf: (taken: Taken) => string;
  readonly accept: (messageId: string) => StubAnswer;
  readonly check: StubAnswer;
}

const KEY = 'stub-api-key';
const SES = { accessKeyId: 'AKIDSTUB', secret: 'stub-secret/+key', region: 'eu-west-1', service: 'ses' } as const;

const DIALECTS: Readonly<Record<Provider, Dialect>> = {
  // https://resend.com/docs/api-reference/emails/send-email, /errors
  resend: {
    sendPath: '/emails',
    environment: (url) => ({ RESEND_API_KEY: KEY, RESEND_BASE_URL: url }),
    refuse: ({ headers }) =>
      headers.authorization === `Bearer ${KEY}`
        ? null
        : { status: 403, body: { statusCode: 403, name: 'invalid_api_key', message: 'API key is invalid' } },
    keyOf: ({ headers }) => (headers['idempotency-key'] as string | undefined) ?? null,
    recipientOf: ({ body }) => body.to[0],
    accept: (id) => ({ status: 200, headers: { 'ratelimit-limit': '5', 'ratelimit-remaining': '4' }, body: { id } }),
    check: { status: 200, body: { object: 'list', data: [] } },
  },
  // https://developers.brevo.com/reference/send-transac-email, /get-account
  brevo: {
    sendPath: '/smtp/email',
    environment: (url) => ({ BREVO_API_KEY: KEY, BREVO_BASE_URL: url }),
    refuse: ({ headers }) =>
      headers['api-key'] === KEY ? null : { status: 401, body: { code: 'unauthorized', message: 'Key not found' } },
    keyOf: ({ body }) => body.headers?.idempotencyKey ?? null,
    recipientOf: ({ body }) => body.to[0].email,
    accept: (messageId) => ({ status: 201, body: { messageId } }),
    check: {
      status: 200,
      body: { email: 'owner@foodshare.club', plan: [{ type: 'free', creditsType: 'sendLimit', credits: 260 }] },
    },
  },
  // https://developers.mailersend.com/api/v1/email.html, /general.html#api-quota
  mailersend: {
    sendPath: '/email',
    environment: (url) => ({ MAILERSEND_API_KEY: KEY, MAILERSEND_BASE_URL: url }),
    refuse: ({ headers }) =>
      headers.authorization === `Bearer ${KEY}` ? null : { status: 401, body: { message: 'Unauthenticated.' } },
    keyOf: () => null,
    recipientOf: ({ body }) => body.to[0].email,
    accept: (id) => ({ status: 202, headers: { 'x-message-id': id, 'x-apiquota-remaining': '99' } }),
    check: { status: 200, body: { quota: 100, remaining: 90, reset: '2026-11-24T00:00:00Z' } },
  },
  // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, API_GetAccount.html
  aws_ses: {
    sendPath: '/v2/email/outbound-emails',
    environment: (url) => ({
      AWS_SES_ACCESS_KEY_ID: SES.accessKeyId,
      AWS_SES_SECRET_ACCESS_KEY: SES.secret,
      AWS_SES_REGION: SES.region,
      AWS_SES_BASE_URL: url,
    }),
    refuse: ({ method, path, headers, raw }) => {
      const fault = signatureFault({ method, path, headers, body: raw }, SES);
      if (fault === null) return null;
      return {
        status: 403,
        headers: { 'x-amzn-errortype': 'SignatureDoesNotMatchException' },
        body: { message: fault },
      };
    },
    keyOf: () => null,
    recipientOf: ({ body }) => body.Destination.ToAddresses[0],
    accept: (MessageId) => ({ status: 200, body: { MessageId } }),
    check: {
      status: 200,
      body: {
        SendQuota: { Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 1_234 },
        SendingEnabled: true,
        ProductionAccessEnabled: true,
        EnforcementStatus: 'HEALTHY',
      },
    },
  },
};

export async function startProviderStub(provider: Provider): Promise<ProviderStub> {
  const dialect = DIALECTS[provider];
  const sends: Taken[] = [];
  const checks: Taken[] = [];
  const delivered: { to: string; messageId: string }[] = [];
  const byKey = new Map<string, string>();
  const next: (StubAnswer | 'hang' | 'cut-off' | 'endless')[] = [];
  let checkAnswer: StubAnswer | 'hang' | null = null;

  const take = (taken: Taken): string => {
    const key = dialect.keyOf(taken);
    const known = key === null ? undefined : byKey.get(key);
    if (known !== undefined) return known;
    const messageId = `${provider}-${randomUUID()}`;
    if (key !== null) byKey.set(key, messageId);
    delivered.push({ to: dialect.recipientOf(taken), messageId });
    return messageId;
  };

  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    const raw = await text(request).catch(() => '');
    const refusal = dialect.refuse({ method, path, headers, raw });
    if (refusal !== null) return write(response, refusal);
    const taken = { path, headers, body: raw === '' ? null : JSON.parse(raw) };
    if (method !== 'POST' || path !== dialect.sendPath) {
      checks.push(taken);
      if (checkAnswer === 'hang') return;
      return write(response, checkAnswer ?? dialect.check);
    }
    sends.push(taken);
    const told = next.shift();
    if (told === 'hang') return;
    if (told === 'cut-off') {
      take(taken);
      response.writeHead(200, { 'content-length': '1000' }).write('{');
      return void setImmediate(() => response.destroy());
    }
    if (told === 'endless') {
      take(taken);
      return writeEndlessly(response.writeHead(200));
    }
    write(response, told ?? dialect.accept(take(taken)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    environment: dialect.environment(url),
    sends,
    checks,
    delivered,
    answerNext: (...answers) => {
      next.push(...answers);
    },
    answerChecks: (answer) => {
      checkAnswer = answer;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function writeEndlessly(response: ServerResponse): void {
  const more = () => {
    if (!response.destroyed && response.write(' '.repeat(65_536))) setImmediate(more);
  };
  response.on('drain', more);
  more();
}

function write(response: ServerResponse, { status, headers = {}, body }: StubAnswer): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers });
  response.end(body === undefined ? '' : isText ? body : JSON.stringify(body));
}
