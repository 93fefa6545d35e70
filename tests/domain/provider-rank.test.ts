import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROVIDERS, type Provider } from '../../src/domain/email.ts';
import { type ProviderCondition, priorityOf, rankProviders } from '../../src/domain/provider-rank.ts';

const plenty = () => 1_000;
const emails = (count: number, emailType = 'auth') =>
  Array.from({ length: count }, (_, n) => ({
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    emailType,
  }));
const firsts = (
  count: number,
  left: (provider: Provider) => number,
  advice: Parameters<typeof rankProviders>[1] = null,
) => {
  const tally: Record<string, number> = {};
  for (const email of emails(count)) {
    const first = rankProviders(email, advice, left)[0] ?? 'none';
    tally[first] = (tally[first] ?? 0) + 1;
  }
  return tally;
};
const condition = (provider: Provider, change: Partial<ProviderCondition>): ProviderCondition => ({
  provider,
  status: 'ok',
  healthScore: 100,
  circuitState: 'closed',
  ...change,
});

describe('the order of providers', () => {
  test('is the type’s priority where nobody advises', () => {
    expect(priorityOf('auth')[0]).toBe('resend');
    expect(priorityOf('chat')[0]).toBe('brevo');
    expect(priorityOf('newsletter').at(-1)).toBe('resend');
    expect(priorityOf('toString')).toEqual(priorityOf('chat'));
    const tally = firsts(4_000, plenty);
    expect(tally.resend).toBeGreaterThan((tally.brevo ?? 0) * 1.5);
    expect(tally.brevo).toBeGreaterThan((tally.mailersend ?? 0) * 1.5);
    expect(tally.mailersend).toBeGreaterThan((tally.aws_ses ?? 0) * 1.5);
  });

  test('follows what route advises', () => {
    const tally = firsts(2_000, plenty, { provider: 'aws_ses', alternates: ['mailersend'], health: [] });
    expect(tally.aws_ses).toBeGreaterThan(tally.mailersend ?? 0);
    expect(tally.mailersend).toBeGreaterThan(tally.resend ?? 0);
  });

  test('spreads by what is left, so that a small rest lasts', () => {
    const left = (provider: Provider) => (provider === 'resend' ? 10 : 1_000);
    expect(firsts(2_000, left).resend ?? 0).toBeLessThan(100);
  });

  test('passes over what is used up, open, unconfigured, or in bad health', () => {
    const advice = {
      provider: 'resend',
      alternates: [],
      health: [
        condition('resend', { circuitState: 'open' }),
        condition('brevo', { healthScore: 19 }),
        condition('mailersend', { status: 'unconfigured' }),
        condition('aws_ses', { healthScore: 20 }),
      ],
    };
    for (const email of emails(50)) expect(rankProviders(email, advice, plenty)).toEqual(['aws_ses']);
    for (const email of emails(50)) expect(rankProviders(email, advice, () => 0)).toEqual([]);
  });

  test('ignores names that are no provider of ours', () => {
    const [email] = emails(1);
    if (email === undefined) throw new Error();
    const advice = { provider: 'sendgrid', alternates: ['postmark', 'brevo'], health: [] };
    expect(new Set(rankProviders(email, advice, plenty))).toEqual(new Set(PROVIDERS));
  });

  test('is the same for the same email, and moves few when what is left changes a little', () => {
    let moved = 0;
    for (const email of emails(1_000)) {
      const before = rankProviders(email, null, () => 1_000);
      expect(rankProviders(email, null, () => 1_000)).toEqual(before);
      const after = rankProviders(email, null, (provider) => (provider === 'brevo' ? 980 : 1_000));
      if (before[0] !== after[0]) moved += 1;
    }
    expect(moved).toBeLessThan(20);
  });

  test('never names a provider twice, nor one without anything left', () => {
    const lefts = fc.record(Object.fromEntries(PROVIDERS.map((name) => [name, fc.integer({ min: -5, max: 50 })])));
    fc.assert(
      fc.property(fc.uuid(), fc.string(), lefts, (id, emailType, left) => {
        const order = rankProviders({ id, emailType }, null, (provider) => left[provider] ?? 0);
        expect(new Set(order).size).toBe(order.length);
        expect(new Set(order)).toEqual(new Set(PROVIDERS.filter((provider) => (left[provider] ?? 0) > 0)));
      }),
    );
  });
});
