import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aSend, startFunction } from './setup.ts';

const DAY_MS = 86_400_000;

test('a quota counts successful sends of the UTC day and begins anew at UTC midnight', async () => {
  await using email = startFunction();
  email.function.providers.set('resend', { dailyLimit: 3 });
  email.clock.set(Date.parse('2026-11-23T23:59:58Z'));
  await email.call(aSend({ to: 'bounce@example.org' }));
  for (let n = 0; n < 3; n++) expect((await email.call(aSend())).status).toBe(200);

  const refused = await email.call(aSend());
  expect(refused.status).toBe(500);
  expect(refused.body.message).toBe(
    '429 daily_quota_exceeded: The daily sending quota is used up. 3 of 3 sent today. Resets at 2026-11-24T00:00:00.000Z.',
  );
  email.clock.set(Date.parse('2026-11-24T00:00:00Z'));
  expect((await email.call(aSend())).status).toBe(200);
  const { body } = await email.call({ action: 'health', mode: 'status' });
  expect(body.quotas[0]).toMatchObject({ daily: { sent: 1, remaining: 2 }, monthly: { sent: 4 } });
});

test('a used-up month refuses until the first of the next one', async () => {
  await using email = startFunction();
  email.function.providers.set('aws_ses', { monthlyLimit: 2 });
  email.clock.set(Date.parse('2026-11-29T10:00:00Z'));
  await email.call(aSend({ provider: 'aws_ses' }));
  email.clock.set(Date.parse('2026-11-30T23:59:59Z'));
  await email.call(aSend({ provider: 'aws_ses' }));
  const refused = await email.call(aSend({ provider: 'aws_ses' }));
  expect(refused.body.message).toContain(
    'Monthly message quota exceeded. 2 of 2 sent this month. Resets at 2026-12-01',
  );
  email.clock.advance(1_000);
  expect((await email.call(aSend({ provider: 'aws_ses' }))).status).toBe(200);
});

test('sends side by side cannot overrun a limit', async () => {
  await using email = startFunction({ wait: () => new Promise((resolve) => setImmediate(resolve)) });
  email.function.providers.set('resend', { dailyLimit: 7 });
  const answers = await Promise.all(Array.from({ length: 40 }, () => email.call(aSend())));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
});

test('a used-up provider is passed over by route and warned about', async () => {
  await using email = startFunction();
  email.function.providers.set('resend', { dailyLimit: 1 });
  await email.call(aSend());
  const { body } = await email.call({ action: 'route', emailType: 'auth' });
  expect(body.recommendation).toMatchObject({ provider: 'brevo', reason: 'Passed over: resend has used up its quota' });
  const health = (await email.call({ action: 'health', mode: 'full' })).body;
  expect(health.alerts).toEqual(['CRITICAL: resend daily quota is used up (1 of 1)']);
});

test('whatever is dropped from the outbox stays counted, now and after a restart', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: DAY_MS / 2 }), { minLength: 12, maxLength: 40 }),
      async (gapsMs) => {
        await using email = startFunction({ keepAttempts: 5, providers: { brevo: { failureRate: 0.2 } } });
        const sent = new Map<string, number>();
        const check = async () => {
          const now = new Date(email.clock.nowEpochMs()).toISOString();
          const month = [...sent].filter(([day]) => day.startsWith(now.slice(0, 7)));
          const { quotas } = (await email.call({ action: 'health', mode: 'status' })).body;
          expect(quotas[1].daily.sent).toBe(sent.get(now.slice(0, 10)) ?? 0);
          expect(quotas[1].monthly.sent).toBe(month.reduce((sum, [, count]) => sum + count, 0));
        };
        for (const gapMs of gapsMs) {
          email.clock.advance(gapMs);
          const day = new Date(email.clock.nowEpochMs()).toISOString().slice(0, 10);
          const { status } = await email.call(aSend({ provider: 'brevo' }));
          if (status === 200) sent.set(day, (sent.get(day) ?? 0) + 1);
        }
        await check();
        await email.restart();
        await check();
        const summary = email.function.outbox.summary();
        expect(summary.attempts).toBeLessThanOrEqual(7);
        expect(summary.attempts + summary.dropped).toBe(gapsMs.length);
      },
    ),
    { numRuns: 25 },
  );
});
