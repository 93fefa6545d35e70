import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROVIDERS, type Provider } from '../../src/domain/email.ts';
import { classifySendFailure } from '../../src/domain/send-failure.ts';
import type { Email } from '../../src/email-function/provider.ts';
import { createProviders } from '../../src/email-function/settings.ts';
import { manualClock } from '../support/clock.ts';
import { type ProviderStub, startProviderStub } from '../support/provider-stubs.ts';
import { FAILURES } from './answers.ts';

const KEY = '7b1e8a7e-5a39-4f0e-9a76-2f3c5d0f1a11';
const never = new AbortController().signal;

let stubs: Record<Provider, ProviderStub>;
let gone: string;
beforeAll(async () => {
  stubs = Object.fromEntries(
    await Promise.all(PROVIDERS.map(async (name) => [name, await startProviderStub(name)] as const)),
  ) as Record<Provider, ProviderStub>;
  const stopped = await startProviderStub('resend');
  await stopped[Symbol.asyncDispose]();
  gone = stopped.url;
});
afterAll(async () => {
  await Promise.all(Object.values(stubs).map((stub) => stub[Symbol.asyncDispose]()));
});

function provider(name: Provider, changes: Record<string, string> = {}) {
  const environment: Record<string, string> = { ...stubs[name].environment, ...changes };
  return createProviders((variable) => environment[variable], { clock: manualClock() })[name];
}

function anEmail(name: Provider, changes: Partial<Email> = {}): Email {
  return {
    to: 'ana@example.org',
    subject: 'Äpfel near you',
    html: '<p>Three kilos</p>',
    text: 'Three kilos',
    fromName: 'Food, Share',
    from: 'hello@foodshare.club',
    replyTo: 'team@foodshare.club',
    provider: name,
    idempotencyKey: KEY,
    ...changes,
  };
}

describe.each(PROVIDERS)('%s', (name) => {
  test('takes an email and answers with its message id', async () => {
    const before = stubs[name].delivered.length;
    const result = await provider(name).send(anEmail(name, { idempotencyKey: undefined }), never);
    expect(result).toMatchObject({ ok: true });
    expect(stubs[name].delivered.slice(before)).toEqual([
      { to: 'ana@example.org', messageId: result.ok && result.messageId },
    ]);
  });

  test('with a wrong key it is misconfigured, in sending and in its health', async () => {
    const wrong = provider(name, {
      RESEND_API_KEY: 'wrong',
      BREVO_API_KEY: 'wrong',
      MAILERSEND_API_KEY: 'wrong',
      AWS_SES_SECRET_ACCESS_KEY: 'wrong',
    });
    expect(await wrong.send(anEmail(name), never)).toMatchObject({ ok: false, kind: 'refused' });
    expect(await wrong.checkHealth(never)).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/^40[13]/),
    });
    expect(await wrong.readQuota(never)).toBeNull();
  });

  test('without a key it is not configured', () => {
    expect(createProviders(() => undefined)[name].isConfigured).toBe(false);
    expect(provider(name).isConfigured).toBe(true);
  });

  test('its health is asked where that costs nothing', async () => {
    const sends = stubs[name].sends.length;
    expect(await provider(name).checkHealth(never)).toMatchObject({ status: 'ok', message: 'Operational.' });
    expect(stubs[name].sends).toHaveLength(sends);
  });

  test('where nothing listens, it is down and certainly did not send', async () => {
    const nowhere = { RESEND_BASE_URL: gone, BREVO_BASE_URL: gone, MAILERSEND_BASE_URL: gone, AWS_SES_BASE_URL: gone };
    const result = await provider(name, nowhere).send(anEmail(name), never);
    expect(result).toMatchObject({ ok: false, kind: 'outage' });
    expect(!result.ok && classifySendFailure(name, result.message).kind).toBe('outage');
  });

  test.each(['hang', 'cut-off'] as const)(
    'an answer that does not come (%s) leaves open whether it sent',
    async (how) => {
      stubs[name].answerNext(how);
      const result = await provider(name).send(anEmail(name, { idempotencyKey: undefined }), AbortSignal.timeout(300));
      expect(result).toMatchObject({ ok: false, kind: 'unanswered' });
      expect(!result.ok && classifySendFailure(name, result.message).kind).toBe('unanswered');
    },
  );

  test('a health check that is not answered says so, and nothing of emails', async () => {
    stubs[name].answerChecks('hang');
    const check = await provider(name).checkHealth(AbortSignal.timeout(200));
    stubs[name].answerChecks(null);
    expect(check).toMatchObject({ status: 'error', message: `504 no_answer: ${name} did not answer in time.` });
    const nowhere = { RESEND_BASE_URL: gone, BREVO_BASE_URL: gone, MAILERSEND_BASE_URL: gone, AWS_SES_BASE_URL: gone };
    expect(await provider(name, nowhere).checkHealth(never)).toMatchObject({
      status: 'error',
      message: `ECONNREFUSED: ${name} could not be reached.`,
    });
  });

  test('an answer that repeats the key does not get it into a message', async () => {
    const secret = /canary-key/;
    const fetch = async (input: string | URL | Request, init: RequestInit = {}) => {
      const { headers } = input instanceof Request ? input : new Request(input, init);
      const said = JSON.stringify([...headers]);
      return Response.json({ name: 'x', code: said, message: said, errors: { a: [said] } }, { status: 400 });
    };
    const keys = { RESEND_API_KEY: 're_canary-key', BREVO_API_KEY: 'canary-key', MAILERSEND_API_KEY: 'canary-key' };
    const environment: Record<string, string> = {
      ...stubs[name].environment,
      ...keys,
      AWS_SES_SECRET_ACCESS_KEY: 'canary-key',
      AWS_SES_SESSION_TOKEN: 'canary-key',
    };
    const talkative = createProviders((variable) => environment[variable], { fetch, clock: manualClock() })[name];
    const result = await talkative.send(anEmail(name), never);
    expect(result.ok ? '' : result.message).toMatch(/^400/);
    expect(result.ok ? '' : result.message).not.toMatch(secret);
    expect((await talkative.checkHealth(never)).message).not.toMatch(secret);
  });

  test('an answer that does not end is read no further than it matters', async () => {
    stubs[name].answerNext('endless');
    const result = await provider(name).send(anEmail(name, { idempotencyKey: undefined }), AbortSignal.timeout(5_000));
    expect(result).toEqual({ ok: true, messageId: null });
  });

  test('an email that was accepted without a message id was accepted', async () => {
    stubs[name].answerNext({ status: 200, body: {} });
    expect(await provider(name).send(anEmail(name), never)).toEqual({ ok: true, messageId: null });
  });
});

describe('what a refusal means', () => {
  test.each(FAILURES)('$provider: $what is $kind ($source)', async ({ provider: name, answer, ...expected }) => {
    stubs[name].answerNext(answer);
    const result = await provider(name).send(anEmail(name), never);
    expect(result).toMatchObject({
      ok: false,
      kind: expected.kind,
      period: expected.period ?? 'day',
      retryAfterMs: expected.retryAfterMs ?? null,
    });
    if (result.ok) return;
    expect(result.message).not.toContain('ana@example.org');
    expect(result.message).not.toContain('<html>');
    // Callers read nothing but the message, and must come to the same result.
    const read = classifySendFailure(name, result.message);
    expect({ kind: read.kind, ...(read.kind === 'quota' && { period: read.period }) }).toEqual({
      kind: expected.kind,
      ...(expected.kind === 'quota' && { period: expected.period }),
    });
    if (expected.kind === 'rate-limited') expect(read.retryAfterMs).toBe(expected.retryAfterMs ?? null);
  });
});

describe('what is sent', () => {
  const sentBy = async (name: Provider, changes: Partial<Email> = {}) => {
    await provider(name).send(anEmail(name, changes), never);
    return stubs[name].sends.at(-1);
  };

  test('Resend gets the key as a header, and recognises it', async () => {
    const key = crypto.randomUUID();
    const sent = await sentBy('resend', { idempotencyKey: key });
    expect(sent?.headers['idempotency-key']).toBe(key);
    expect(sent?.body).toEqual({
      from: '"Food, Share" <hello@foodshare.club>',
      to: ['ana@example.org'],
      subject: 'Äpfel near you',
      html: '<p>Three kilos</p>',
      text: 'Three kilos',
      reply_to: 'team@foodshare.club',
    });
    const before = stubs.resend.delivered.length;
    await sentBy('resend', { idempotencyKey: key });
    expect(stubs.resend.delivered).toHaveLength(before);
  });

  test('a key that no header can hold is still one key', async () => {
    const before = stubs.resend.delivered.length;
    for (let n = 0; n < 2; n++) await sentBy('resend', { idempotencyKey: 'Grüße, 1 für ’Ana’' });
    expect(stubs.resend.delivered).toHaveLength(before + 1);
  });

  test('Brevo gets the key inside the body, as a UUID whatever the key is', async () => {
    expect((await sentBy('brevo'))?.body).toEqual({
      sender: { name: 'Food, Share', email: 'hello@foodshare.club' },
      to: [{ email: 'ana@example.org' }],
      subject: 'Äpfel near you',
      htmlContent: '<p>Three kilos</p>',
      textContent: 'Three kilos',
      replyTo: { email: 'team@foodshare.club' },
      headers: { idempotencyKey: KEY },
    });
    const first = (await sentBy('brevo', { idempotencyKey: 'welcome/42' }))?.body.headers.idempotencyKey;
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect((await sentBy('brevo', { idempotencyKey: 'welcome/42' }))?.body.headers.idempotencyKey).toBe(first);
    expect((await sentBy('brevo', { idempotencyKey: 'welcome/43' }))?.body.headers.idempotencyKey).not.toBe(first);
  });

  test('MailerSend has no place for a key', async () => {
    const sent = await sentBy('mailersend');
    expect(sent?.body).toEqual({
      from: { email: 'hello@foodshare.club', name: 'Food, Share' },
      to: [{ email: 'ana@example.org' }],
      reply_to: { email: 'team@foodshare.club' },
      subject: 'Äpfel near you',
      html: '<p>Three kilos</p>',
      text: 'Three kilos',
    });
    expect(JSON.stringify(sent)).not.toContain(KEY);
  });

  test('Brevo and MailerSend get the name of whom answers go to apart from the address', async () => {
    const replyTo = 'The team <team@foodshare.club>';
    const apart = { email: 'team@foodshare.club', name: 'The team' };
    expect((await sentBy('brevo', { replyTo }))?.body.replyTo).toEqual(apart);
    expect((await sentBy('mailersend', { replyTo }))?.body.reply_to).toEqual(apart);
  });

  test('Amazon SES gets a signed request, its sender in ASCII', async () => {
    const sent = await sentBy('aws_ses', { fromName: 'Bäckerei' });
    expect(sent?.body).toEqual({
      FromEmailAddress: '=?UTF-8?B?QsOkY2tlcmVp?= <hello@foodshare.club>',
      Destination: { ToAddresses: ['ana@example.org'] },
      ReplyToAddresses: ['team@foodshare.club'],
      Content: {
        Simple: {
          Subject: { Data: 'Äpfel near you', Charset: 'UTF-8' },
          Body: {
            Html: { Data: '<p>Three kilos</p>', Charset: 'UTF-8' },
            Text: { Data: 'Three kilos', Charset: 'UTF-8' },
          },
        },
      },
    });
  });

  test('Amazon SES gets domains in ASCII, and what is none as it is', async () => {
    const addresses = { to: 'ana@bücher.example', from: 'hello@食.example', replyTo: 'Ana <ana@bücher.example>' };
    expect((await sentBy('aws_ses', { ...addresses, fromName: 'F' }))?.body).toMatchObject({
      FromEmailAddress: 'F <hello@xn--r35a.example>',
      Destination: { ToAddresses: ['ana@xn--bcher-kva.example'] },
      ReplyToAddresses: ['Ana <ana@bücher.example>'],
    });
  });

  test('an address of Amazon that is none is a mistake of ours, said so', async () => {
    const wrong = provider('aws_ses', { AWS_SES_BASE_URL: 'eu-west-1' });
    expect(await wrong.send(anEmail('aws_ses'), never)).toMatchObject({ ok: false, kind: 'refused' });
    expect(await wrong.checkHealth(never)).toMatchObject({ status: 'error' });
  });

  test('an email without a sender comes from the one that is set', async () => {
    const set = { EMAIL_FROM: 'post@foodshare.club', EMAIL_FROM_NAME: 'Foodshare Post' };
    await provider('resend', set).send(anEmail('resend', { from: undefined, fromName: undefined }), never);
    expect(stubs.resend.sends.at(-1)?.body.from).toBe('Foodshare Post <post@foodshare.club>');
  });

  test('a sender may be written with its name, as other programs queue it', async () => {
    const sent = await sentBy('brevo', { from: '"Food, Share" <hello@foodshare.club>', fromName: undefined });
    expect(sent?.body.sender).toEqual({ name: 'Food, Share', email: 'hello@foodshare.club' });
  });
});

describe('health and quota', () => {
  test('a Resend key that may only send is a working key', async () => {
    const message = 'This API key is restricted to only send emails';
    stubs.resend.answerChecks({ status: 401, body: { statusCode: 401, name: 'restricted_api_key', message } });
    expect(await provider('resend').checkHealth(never)).toMatchObject({ status: 'ok' });
    stubs.resend.answerChecks(null);
  });

  test('Brevo tells what is left of the free day, in the same answer as its health', async () => {
    const brevo = provider('brevo');
    const before = stubs.brevo.checks.length;
    expect(await brevo.checkHealth(never)).toMatchObject({ status: 'ok' });
    expect(await brevo.readQuota(never)).toEqual({ daily: { sent: 40, limit: 300 }, monthly: null });
    expect(stubs.brevo.checks).toHaveLength(before + 1);
  });

  test('SES tells the last 24 hours, and nothing where it is unlimited', async () => {
    expect(await provider('aws_ses').readQuota(never)).toEqual({
      daily: { sent: 1_234, limit: 50_000 },
      monthly: null,
    });
    const body = { SendQuota: { Max24HourSend: -1, SentLast24Hours: 9 }, SendingEnabled: true };
    stubs.aws_ses.answerChecks({ status: 200, body });
    expect(await provider('aws_ses').readQuota(never)).toBeNull();
    stubs.aws_ses.answerChecks(null);
  });

  test.each([
    [{ SendingEnabled: false, EnforcementStatus: 'HEALTHY' }, 'error'],
    [{ SendingEnabled: true, EnforcementStatus: 'SHUTDOWN' }, 'error'],
    [{ SendingEnabled: true, EnforcementStatus: 'PROBATION' }, 'degraded'],
  ])('SES that answers but is restricted (%o) is in %s', async (body, status) => {
    stubs.aws_ses.answerChecks({ status: 200, body });
    expect(await provider('aws_ses').checkHealth(never)).toMatchObject({ status });
    stubs.aws_ses.answerChecks(null);
  });

  test.each(PROVIDERS)('%s that fails to answer its check is in error; that limits us, degraded', async (name) => {
    stubs[name].answerChecks({ status: 503, body: '<html></html>' });
    expect(await provider(name).checkHealth(never)).toMatchObject({ status: 'error' });
    stubs[name].answerChecks({ status: 429, body: {} });
    expect(await provider(name).checkHealth(never)).toMatchObject({ status: 'degraded' });
    stubs[name].answerChecks(null);
  });
});
