import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PROVIDERS } from '../../../src/domain/email.ts';
import { aSend, startFunction } from './setup.ts';

const keyed = (key: number, provider: string) =>
  aSend({ provider, idempotencyKey: `key-${key}`, to: `user${key}@example.org` });

test('however sends under a few keys are ordered, repeated and interrupted, each is delivered once', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ key: fc.nat(5), provider: fc.constantFrom(...PROVIDERS) }) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 8 }), async (rounds) => {
      const flaky = { failureRate: 0.3 };
      await using email = startFunction({
        wait: () => new Promise((resolve) => setImmediate(resolve)),
        providers: { resend: flaky, brevo: flaky, mailersend: flaky, aws_ses: flaky },
      });
      const first = new Map<number, { messageId: string; provider: string }>();
      let calls = 0;
      for (const round of rounds) {
        await Promise.all(
          round.map(async (what) => {
            if (what === 'restart') return;
            calls += 1;
            const { status, body } = await email.call(keyed(what.key, what.provider));
            if (status !== 200) return;
            const answer = { messageId: body.messageId, provider: body.provider };
            expect(first.get(what.key) ?? answer).toEqual(answer);
            first.set(what.key, answer);
          }),
        );
        if (round.includes('restart')) await email.restart();
      }
      const summary = email.function.outbox.summary();
      expect(summary.doubled).toBe(0);
      expect(summary.delivered).toBe(first.size);
      expect(summary.attempts).toBe(calls);
      expect(summary.delivered + summary.failed + summary.repeats).toBe(calls);
    }),
    { numRuns: 40 },
  );
});

test('a repeat uses no quota, says that it is one, and is counted', async () => {
  await using email = startFunction();
  const first = await email.call(keyed(1, 'resend'));
  const again = await email.call(keyed(1, 'brevo'));
  expect(again).toMatchObject({ status: 200, body: { messageId: first.body.messageId, provider: 'resend' } });
  expect(email.function.outbox.summary()).toMatchObject({ delivered: 1, repeats: 1, distinctKeys: 1 });
  const { quotas } = (await email.call({ action: 'health', mode: 'status' })).body;
  expect(quotas[0].daily.sent).toBe(1);
});

test('a key is remembered for 24 hours; later it sends again and shows as doubled', async () => {
  await using email = startFunction();
  const first = await email.call(keyed(1, 'resend'));
  email.clock.advance(86_399_999);
  expect((await email.call(keyed(1, 'resend'))).body.messageId).toBe(first.body.messageId);
  email.clock.advance(1);
  expect((await email.call(keyed(1, 'resend'))).body.messageId).not.toBe(first.body.messageId);
  expect(email.function.outbox.summary()).toMatchObject({ delivered: 2, repeats: 1, doubled: 1 });
});

test('a key that was used for another email is refused', async () => {
  await using email = startFunction();
  await email.call(keyed(1, 'resend'));
  const { status, body } = await email.call({ ...keyed(1, 'resend'), to: 'other@example.org' });
  expect(status).toBe(500);
  expect(body.message).toContain('409 invalid_idempotent_request');
});

test('a failed send may be tried again under its key', async () => {
  await using email = startFunction();
  email.function.providers.set('resend', { mode: 'outage' });
  expect((await email.call(keyed(1, 'resend'))).status).toBe(500);
  expect((await email.call(keyed(1, 'brevo'))).status).toBe(200);
});
