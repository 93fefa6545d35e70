import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aSend, startFunction } from './setup.ts';

const field = fc.constantFrom(
  'action',
  'to',
  'subject',
  'html',
  'provider',
  'emailType',
  'mode',
  'idempotencyKey',
  'from',
);
const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('send', 'route', 'health', 'resend', 'auth', 'full', '__proto__', 'constructor', ''),
);

test('whatever is posted, the answer is one of the contract, never an internal error', async () => {
  await using email = startFunction();
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.dictionary(field, value).map((given) => JSON.stringify(given)),
    fc.dictionary(field, value).map((given) => JSON.stringify({ ...aSend(), ...given })),
  );
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      const { status, body: answer } = await email.call(text);
      expect([200, 400, 500, 501]).toContain(status);
      expect(answer).toMatchObject({ requestId: expect.any(String), version: expect.any(String) });
      expect(answer.message ?? '').not.toContain('Internal error');
      if (status === 400) expect(answer.error).toEqual(expect.any(String));
      if (status === 500) expect(answer.provider).toEqual(expect.any(String));
    }),
    { numRuns: 300 },
  );
});

test('whatever path and query are asked for, the inspection answers without an internal error', async () => {
  await using email = startFunction();
  const path = fc.oneof(fc.constantFrom('/outbox', '/outbox/summary', '/providers', '/providers/resend'), fc.webPath());
  const change = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom('mode', 'failureRate', 'dailyLimit', 'x'), value),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'DELETE', 'PUT'),
      path,
      fc.webQueryParameters(),
      change,
      async (method, where, query, body) => {
        const { status } = await email.request(method, `${where}?${query}`, method === 'GET' ? undefined : body);
        expect([200, 400, 404, 405]).toContain(status);
      },
    ),
    { numRuns: 200 },
  );
});
