/**
 * What every email function does, whatever stands behind it: WIRE.md's JSON, keys, CORS, idempotency, failures as they are told.
 * Run against the simulated providers, a real SMTP server, and the four providers' stubs with Postgres.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEmailFunction, type EmailFunction } from '../../src/data/email-function.ts';
import { PROVIDERS, type Provider } from '../../src/domain/email.ts';

export interface Subject {
  /** One of the keys it accepts. */
  readonly key: string;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Recipients of what really went out, in order. */
  delivered(): readonly string[];
  /** The provider refuses the coming send for good, as it would a bad recipient; answers an address to send to. */
  refuseNext(provider: Provider): string;
  stop(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire has no type here
type Answer = any;

const URL_OF_FUNCTION = 'http://127.0.0.1:1/functions/v1/email';
const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/);
const always = { requestId, version: expect.any(String) };
const percent = { limit: expect.any(Number), remaining: expect.any(Number), percentUsed: expect.any(Number) };

export function describeEmailFunction(name: string, open: () => Promise<Subject>): void {
  describe(name, () => {
    let subject: Subject;
    let client: EmailFunction;
    let keys = 0;
    beforeAll(async () => {
      subject = await open();
      client = createEmailFunction({
        url: 'http://127.0.0.1:1',
        serviceRoleKey: subject.key,
        fetch: (input, init) => subject.fetch(new Request(input, init)),
      });
    });
    afterAll(() => subject.stop());

    const call = async (body: unknown, headers: Record<string, string> = { apikey: subject.key }) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const response = await subject.fetch(new Request(URL_OF_FUNCTION, { method: 'POST', headers, body: text }));
      return { status: response.status, body: (await response.json()) as Answer, headers: response.headers };
    };
    const aSend = (changes: Record<string, unknown> = {}) => ({
      action: 'send',
      to: 'ana@example.org',
      subject: 'Apples near you',
      html: '<p>Three kilos</p>',
      provider: 'resend',
      ...changes,
    });
    const aKey = () => {
      keys += 1;
      return `contract-${name}-${keys}`;
    };

    test.each(PROVIDERS)(
      'a send through %s is answered with provider, message id and time, and went out',
      async (provider) => {
        const before = subject.delivered().length;
        const { status, body } = await call(aSend({ provider }));
        expect({ status, body }).toEqual({
          status: 200,
          body: {
            success: true,
            message: 'Email sent successfully',
            provider,
            messageId: expect.any(String),
            responseTime: expect.any(Number),
            ...always,
          },
        });
        expect(subject.delivered().slice(before)).toEqual(['ana@example.org']);
      },
    );

    test.each(PROVIDERS)('a failed send through %s is a 500 with its reason in message', async (provider) => {
      const to = subject.refuseNext(provider);
      const { status, body } = await call(aSend({ provider, to }));
      expect({ status, body }).toEqual({
        status: 500,
        body: { success: false, message: expect.any(String), provider, responseTime: expect.any(Number), ...always },
      });
      expect(body.message).toMatch(/^[45]\d\d\b/);
    });

    test('our own client understands both', async () => {
      const email = { to: 'ana@example.org', subject: 'Apples', html: '<p>3</p>', provider: 'brevo' as const };
      expect(await client.send({ ...email, idempotencyKey: aKey() })).toMatchObject({ ok: true, provider: 'brevo' });
      const to = subject.refuseNext('brevo');
      expect(await client.send({ ...email, to, idempotencyKey: aKey() })).toMatchObject({ ok: false, status: 500 });
    });

    test.each([
      ['a missing provider', () => ({ ...aSend(), provider: undefined }), 'Missing required field: provider'],
      ['no provider, as null', () => aSend({ provider: null }), 'Missing required field: provider'],
      ['an unknown provider', () => aSend({ provider: 'sendgrid' }), 'Unknown provider'],
    ])('%s is a 400 that names the four', async (_, body, error) => {
      expect(await call(body())).toMatchObject({ status: 400, body: { error, validProviders: [...PROVIDERS] } });
    });

    test.each([
      ['no recipient', () => aSend({ to: undefined }), 'Missing required fields: to'],
      ['an empty subject', () => aSend({ subject: '' }), 'Missing required fields: subject'],
      ['no html', () => aSend({ html: null }), 'Missing required fields: html'],
      ['a key that is too long', () => aSend({ idempotencyKey: 'k'.repeat(257) }), 'Invalid fields: idempotencyKey'],
      ['a key that no database holds', () => aSend({ idempotencyKey: 'k\0' }), 'Invalid fields: idempotencyKey'],
      ['a key with half a character', () => aSend({ idempotencyKey: 'k\ud800' }), 'Invalid fields: idempotencyKey'],
      ['several recipients', () => aSend({ to: ['a@example.org', 'b@example.org'] }), 'Invalid fields: to'],
      ['an attachment', () => aSend({ attachments: [{ filename: 'a.pdf' }] }), 'Unsupported fields: attachments'],
      ['copies', () => aSend({ cc: 'b@example.org', bcc: ['c@example.org'] }), 'Unsupported fields: cc, bcc'],
      ['no action', () => ({}), 'Unknown or missing action'],
      ['broken JSON', () => '{"action":', 'Invalid JSON: the body must be one JSON object'],
      ['a list', () => [], 'Invalid JSON: the body must be one JSON object'],
      ['an unknown mode', () => ({ action: 'health', mode: 'deep' }), 'Invalid fields: mode'],
      ['an unknown type', () => ({ action: 'route', emailType: 'spam' }), 'Invalid fields: emailType'],
    ])('%s is a 400', async (_, body, error) => {
      const before = subject.delivered().length;
      expect(await call(body())).toMatchObject({ status: 400, body: { error, ...always } });
      expect(subject.delivered()).toHaveLength(before);
    });

    test.each(['to', 'subject', 'from', 'fromName', 'replyTo'])('a line break in %s is a 400', async (field) => {
      const before = subject.delivered().length;
      expect(await call(aSend({ [field]: 'a@example.org\r\nBcc: b@example.org' }))).toMatchObject({
        status: 400,
        body: { error: `Invalid fields: ${field}` },
      });
      expect(subject.delivered()).toHaveLength(before);
    });

    test('a repeated key sends nothing and answers with the first message id, also through another provider', async () => {
      const key = aKey();
      const first = await call(aSend({ idempotencyKey: key, provider: 'mailersend' }));
      const before = subject.delivered().length;
      for (const provider of PROVIDERS) {
        const again = await call(aSend({ idempotencyKey: key, provider }));
        expect(again).toMatchObject({
          status: 200,
          body: { success: true, provider: 'mailersend', messageId: first.body.messageId },
        });
      }
      expect(subject.delivered()).toHaveLength(before);
    });

    test('the same key many times at once sends once', async () => {
      const key = aKey();
      const before = subject.delivered().length;
      const answers = await Promise.all(Array.from({ length: 12 }, () => call(aSend({ idempotencyKey: key }))));
      expect(new Set(answers.map(({ body }) => body.messageId)).size).toBe(1);
      expect(subject.delivered()).toHaveLength(before + 1);
    });

    test('a key that was used for another email is refused', async () => {
      const key = aKey();
      await call(aSend({ idempotencyKey: key }));
      const { status, body } = await call(aSend({ idempotencyKey: key, to: 'bea@example.org' }));
      expect(status).toBe(500);
      expect(body.message).toContain('409 invalid_idempotent_request');
    });

    test('a key whose send failed may be sent again', async () => {
      const key = aKey();
      const to = subject.refuseNext('aws_ses');
      expect((await call(aSend({ idempotencyKey: key, provider: 'aws_ses', to }))).status).toBe(500);
      expect((await call(aSend({ idempotencyKey: key, provider: 'brevo', to: 'cid@example.org' }))).status).toBe(200);
    });

    test('route recommends by the type’s priority, and our own client understands it', async () => {
      const { status, body } = await call({ action: 'route', emailType: 'newsletter', forceRefresh: true });
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          success: true,
          recommendation: {
            provider: 'brevo',
            reason: expect.any(String),
            alternates: ['mailersend', 'aws_ses', 'resend'],
            health: PROVIDERS.map((provider) => ({
              provider,
              status: 'ok',
              healthScore: expect.any(Number),
              latencyMs: expect.any(Number),
              circuitState: 'closed',
              remaining: expect.any(Number),
            })),
          },
          cached: false,
          durationMs: expect.any(Number),
          ...always,
        },
      });
      expect(await client.route('auth', { forceRefresh: true })).toMatchObject({ provider: 'resend' });
    });

    test.each(['ping', 'full', 'status'] as const)('health %s answers every field of the contract', async (mode) => {
      const { status, body } = await call({ action: 'health', mode });
      const common = {
        success: true,
        timestamp: expect.stringMatching(/^\d{4}-.+Z$/),
        providers: PROVIDERS.map((provider) => ({
          provider,
          status: 'ok',
          healthScore: expect.any(Number),
          latencyMs: expect.any(Number),
          message: expect.any(String),
          configured: true,
          lastChecked: expect.stringMatching(/^\d{4}-.+Z$/),
        })),
        quotas: PROVIDERS.map((provider) => ({
          provider,
          daily: { sent: expect.any(Number), ...percent },
          monthly: { sent: expect.any(Number), ...percent },
          source: expect.stringMatching(/^(api|database)$/),
        })),
        summary: {
          totalProviders: 4,
          healthyProviders: 4,
          configuredProviders: 4,
          daily: total,
          monthly: total,
          bestProvider: expect.any(String),
        },
        snapshotsTaken: expect.any(Number),
        durationMs: expect.any(Number),
        ...always,
      };
      const more = {
        healthMetrics: PROVIDERS.map((provider) => ({
          provider,
          healthScore: expect.any(Number),
          successRate: expect.any(Number),
          avgLatencyMs: expect.any(Number),
          totalRequests: expect.any(Number),
          consecutiveFailures: 0,
          circuitState: 'closed',
        })),
        alerts: expect.any(Array),
      };
      expect({ status, body }).toEqual({ status: 200, body: mode === 'ping' ? common : { ...common, ...more } });
      const understood = await client.health(mode);
      expect(understood).toMatchObject({ skipped: 0, report: { healthyProviders: 4 } });
      expect(understood.quotas).toHaveLength(4);
    });

    test.each([
      ['no key', () => ({}), 401],
      ['an empty bearer token', () => ({ authorization: 'Bearer ' }), 401],
      ['a wrong bearer token', () => ({ authorization: 'Bearer wrong' }), 401],
      ['a wrong apikey', () => ({ apikey: 'wrong' }), 401],
      ['a key as basic authorisation', () => ({ authorization: `Basic ${subject.key}` }), 401],
      ['the key as bearer token', () => ({ authorization: `Bearer ${subject.key}` }), 200],
      ['the key as bearer token, spelt otherwise', () => ({ Authorization: `bearer  ${subject.key}` }), 200],
      ['the key as apikey', () => ({ apikey: subject.key }), 200],
      ['a publishable key as bearer token beside it', () => ({ authorization: 'Bearer x', apikey: subject.key }), 200],
    ])('with %s a call is let in or not', async (_, headers, status) => {
      expect((await call({ action: 'health', mode: 'status' }, headers() as Record<string, string>)).status).toBe(
        status,
      );
    });

    test('a CORS preflight needs no key; every answer may be read from anywhere', async () => {
      const preflight = await subject.fetch(new Request(URL_OF_FUNCTION, { method: 'OPTIONS' }));
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
      for (const headers of [{}, { apikey: subject.key }]) {
        const answer = await call({ action: 'health', mode: 'status' }, headers as Record<string, string>);
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      }
    });

    test('fields that are left empty count as left out', async () => {
      const empty = { text: null, from: '', fromName: '', replyTo: '', idempotencyKey: '', attachments: [], cc: null };
      const before = subject.delivered().length;
      for (let n = 0; n < 2; n++) expect((await call(aSend(empty))).status).toBe(200);
      expect(subject.delivered()).toHaveLength(before + 2);
    });

    test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s is not allowed, only POST', async (method) => {
      const request = new Request(URL_OF_FUNCTION, { method, headers: { apikey: subject.key } });
      const answer = await subject.fetch(request);
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('POST, OPTIONS');
    });

    test('a body that does not end is refused, and not read on', async () => {
      let chunks = 0;
      const body = new ReadableStream({
        pull: (controller) => {
          chunks += 1;
          controller.enqueue(new Uint8Array(1_000_000).fill(32));
        },
      });
      const init = { method: 'POST', headers: { apikey: subject.key }, body, duplex: 'half' } as RequestInit;
      const answer = await subject.fetch(new Request(URL_OF_FUNCTION, init));
      expect({ status: answer.status, body: await answer.json() }).toMatchObject({
        status: 413,
        body: { success: false, error: 'The body is too large' },
      });
      expect(chunks).toBeLessThan(30);
    });
  });
}

const total = {
  totalSent: expect.any(Number),
  totalLimit: expect.any(Number),
  totalRemaining: expect.any(Number),
  percentUsed: expect.any(Number),
};
