import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PROVIDERS } from '../../src/domain/email.ts';
import type { Email } from '../../src/email-function/provider.ts';
import { parseRequest } from '../../src/email-function/requests.ts';
import { createProviders } from '../../src/email-function/settings.ts';
import { manualClock } from '../support/clock.ts';
import { dangersIn } from '../support/hostile-text.ts';

const KEYS: Record<string, string> = {
  RESEND_API_KEY: 'canary-secret',
  BREVO_API_KEY: 'canary-secret',
  MAILERSEND_API_KEY: 'canary-secret',
  AWS_SES_ACCESS_KEY_ID: 'AKIDSTUB',
  AWS_SES_SECRET_ACCESS_KEY: 'canary-secret',
  AWS_SES_REGION: 'eu-west-1',
};
const FIELDS = ['name', 'code', 'message', 'Message', '__type', 'errors', 'warnings', 'id', 'messageId', 'plan'];
const HEADERS = ['retry-after', 'ratelimit-reset', 'x-sib-ratelimit-reset', 'x-apiquota-reset', 'x-amzn-errortype'];

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\u001b[2J\u0007', '\0', '\ud800', 'ana@example.org', 'quota', '#MS42901', 'x'.repeat(30_000)),
);
const odd = fc.oneof(fc.jsonValue(), text);
const bodies = fc.oneof(
  fc.dictionary(fc.constantFrom(...FIELDS), odd).map((body) => JSON.stringify(body)),
  odd.map((body) => JSON.stringify(body)),
  text,
);
const headers = fc.dictionary(
  fc.constantFrom(...HEADERS),
  fc.oneof(
    fc.stringMatching(/^[ -~]{0,40}$/),
    fc.constantFrom('-1', '1e99', '99999999999999999999', 'Fri, 01 Jan 9999'),
  ),
);
const statuses = fc.oneof(
  fc.constantFrom(200, 201, 202, 302, 400, 401, 402, 403, 404, 408, 409, 422, 429, 451, 500, 503, 504),
  fc.integer({ min: 200, max: 599 }).filter((status) => ![204, 205, 304].includes(status)),
);

test.each(PROVIDERS)('whatever %s answers is a result: one clean line, a wait that ends, no secret', async (name) => {
  const never = new AbortController().signal;
  const email: Email = { to: 'ana@example.org', subject: 's', html: 'h', provider: name, idempotencyKey: 'k' };
  await fc.assert(
    fc.asyncProperty(statuses, headers, bodies, async (status, head, body) => {
      const fetch = async () => new Response(body, { status, headers: head });
      const provider = createProviders((variable) => KEYS[variable], { fetch, clock: manualClock() })[name];
      const result = await provider.send(email, never);
      if (result.ok) {
        expect(status).toBeLessThan(300);
        // Postgres must be able to keep it, or the success would be forgotten.
        expect(result.messageId ?? 'none').toMatch(/^\P{Cc}+$/u);
        expect(result.messageId?.isWellFormed()).not.toBe(false);
      } else {
        expect(dangersIn(result.message)).toEqual([]);
        expect(result.message).not.toContain('ana@example.org');
        expect(result.message.length).toBeLessThan(700);
        expect(result.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
        expect(result.retryAfterMs ?? 0).toBeLessThanOrEqual(31 * 86_400_000);
      }
      const check = await provider.checkHealth(never);
      expect(dangersIn(check.message)).toEqual([]);
      await provider.readQuota(never);
    }),
    { numRuns: 500 },
  );
});

test('whatever is asked is a request or a reason, and what becomes a line of an email has no line break', () => {
  const field = fc.oneof(fc.jsonValue(), text, fc.constantFrom('a\nb', 'resend', 'ana@example.org', 'send', 'full'));
  const names = ['action', 'to', 'subject', 'html', 'text', 'from', 'fromName', 'replyTo', 'provider', 'mode', 'cc'];
  const sends = fc
    .record({ to: field, subject: field, from: field, replyTo: field, idempotencyKey: field })
    .map((given) => ({
      ...given,
      action: 'send',
      provider: 'resend',
      html: 'h',
    }));
  fc.assert(
    fc.property(fc.oneof(fc.dictionary(fc.constantFrom(...names), field), sends, fc.jsonValue()), (body) => {
      const parsed = parseRequest(JSON.stringify(body));
      if (!parsed.ok) expect(dangersIn(parsed.bad.error)).toEqual([]);
      if (!parsed.ok || parsed.request.action !== 'send') return;
      const { to, subject, from = '', fromName = '', replyTo = '' } = parsed.request.email;
      for (const line of [to, subject, from, fromName, replyTo]) expect(line).not.toMatch(/[\r\n\0]/);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (raw) => void parseRequest(raw)));
});
