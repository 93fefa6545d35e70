import { describe, expect, test } from 'vitest';
import type { Provider } from '../../src/domain/email.ts';
import type { ProviderQuota } from '../../src/domain/quota.ts';
import { createQuotaLedger } from '../../src/domain/quota-ledger.ts';
import { classifySendFailure, unanswered } from '../../src/domain/send-failure.ts';
import { type AskRoute, createProviderChoice } from '../../src/workers/provider-choice.ts';
import { manualClock } from '../support/clock.ts';

const ALL = ['resend', 'brevo', 'mailersend', 'aws_ses'] as const;
const quotas = (left: Partial<Record<Provider, number>> = {}): ProviderQuota[] =>
  ALL.map((provider) => ({
    provider,
    day: { sent: 0, limit: left[provider] ?? 1_000 },
    month: { sent: 0, limit: 100_000 },
  }));
const outage = classifySendFailure('brevo', '503 service_unavailable');

function aChoice({ left = {}, route }: { left?: Partial<Record<Provider, number>>; route?: AskRoute } = {}) {
  const clock = manualClock();
  const asked: { emailType: string; forceRefresh: boolean }[] = [];
  const failed: string[] = [];
  const ledger = createQuotaLedger(quotas(left));
  const disabled = new Map<Provider, number>();
  const choice = createProviderChoice({
    ledger,
    quotas: quotas(left),
    disabledUntil: (provider) => disabled.get(provider) ?? 0,
    route: async (emailType, { forceRefresh = false }, signal) => {
      asked.push({ emailType, forceRefresh });
      return route === undefined ? { provider: 'brevo', alternates: [], health: [] } : route(emailType, {}, signal);
    },
    clock,
    onRouteFailed: (emailType) => failed.push(emailType),
  });
  let n = 0;
  const choose = (more: { only?: Provider; tried?: readonly Provider[]; emailType?: string } = {}) => {
    n += 1;
    const email = { id: `email ${n}`, emailType: more.emailType ?? 'chat' };
    return choice.choose({ email, tried: new Set(more.tried), only: more.only ?? null });
  };
  return { choice, choose, clock, asked, failed, ledger, disabled };
}
const onlyBrevo = { resend: 0, mailersend: 0, aws_ses: 0 };

describe('choosing a provider', () => {
  test('asks for advice once for each type and run', async () => {
    const { choose, asked } = aChoice();
    await Promise.all([choose(), choose(), choose({ emailType: 'auth' }), choose({ emailType: 'auth' })]);
    expect(asked).toEqual([
      { emailType: 'chat', forceRefresh: false },
      { emailType: 'auth', forceRefresh: false },
    ]);
  });

  test('asks again when sends start failing, afresh, and not more often than every five seconds', async () => {
    const { choice, choose, clock, asked } = aChoice();
    const fail = () => choice.failed('brevo', outage, 'chat');
    await choose();
    for (let n = 0; n < 4; n += 1) fail();
    expect(asked).toHaveLength(1);
    clock.advance(6_000);
    fail();
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked.slice(1)).toEqual([{ emailType: 'chat', forceRefresh: true }]);
    for (let n = 0; n < 10; n += 1) fail();
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(2);
  });

  test('does without advice when there is none to be had', async () => {
    const { choose, failed } = aChoice({ route: () => Promise.reject(new Error('away')) });
    expect(await choose()).toMatchObject({ kind: 'provider' });
    expect(failed).toEqual(['chat']);
  });

  test('takes none that an operator disabled, whatever is advised, and waits where no other is left', async () => {
    const { choose, clock, disabled } = aChoice();
    const until = clock.nowEpochMs() + 3_600_000;
    disabled.set('brevo', until);
    const chosen = await Promise.all(Array.from({ length: 4 }, () => choose()));
    expect(chosen.map((each) => each.kind === 'provider' && each.provider)).not.toContain('brevo');
    expect(await choose({ only: 'brevo' })).toEqual({ kind: 'wait', untilEpochMs: until });
    for (const provider of ALL) disabled.set(provider, until);
    expect(await choose()).toEqual({ kind: 'wait', untilEpochMs: until });
    clock.advance(3_600_000);
    expect(await choose({ only: 'brevo' })).toEqual({ kind: 'provider', provider: 'brevo' });
  });

  test('two emails never share the last place of a quota', async () => {
    const { choose } = aChoice({ left: { ...onlyBrevo, brevo: 3 } });
    const chosen = await Promise.all(Array.from({ length: 5 }, () => choose()));
    expect(chosen.map(({ kind }) => kind)).toEqual(['provider', 'provider', 'provider', 'used-up', 'used-up']);
  });

  test('says until when everything is used up', async () => {
    const { choose } = aChoice({ left: { ...onlyBrevo, brevo: 0 } });
    expect(await choose()).toEqual({ kind: 'used-up', resetsAtEpochMs: Date.parse('2026-11-24T00:00:00Z') });
  });

  test('keeps to a provider’s pace, and takes another one meanwhile', async () => {
    const { choose } = aChoice({ left: { ...onlyBrevo, brevo: 0, mailersend: 100 } });
    expect(await choose()).toMatchObject({ kind: 'provider', provider: 'mailersend' });
    expect(await choose()).toMatchObject({ kind: 'provider', provider: 'mailersend' });
    expect(await choose()).toMatchObject({ kind: 'wait' });
    const both = aChoice({ left: { ...onlyBrevo, mailersend: 100 } });
    const chosen = await Promise.all(Array.from({ length: 50 }, () => both.choose()));
    expect(chosen.every(({ kind }) => kind === 'provider')).toBe(true);
  });

  test('lets a provider rest for as long as it asks', async () => {
    const { choice, choose, clock } = aChoice({ left: onlyBrevo });
    await choose();
    choice.failed('brevo', classifySendFailure('brevo', '429 Retry after 6 seconds'), 'chat');
    expect(await choose()).toEqual({ kind: 'wait', untilEpochMs: clock.nowEpochMs() + 6_000 });
    clock.advance(6_000);
    expect(await choose()).toMatchObject({ kind: 'provider', provider: 'brevo' });
  });

  test('gives a provider up for a while after three failures in a row, and for good when it refuses us', async () => {
    const { choice, choose, clock } = aChoice({ left: onlyBrevo });
    choice.failed('brevo', outage, 'chat');
    choice.failed('brevo', outage, 'chat');
    choice.sent('brevo');
    choice.failed('brevo', outage, 'chat');
    choice.failed('brevo', outage, 'chat');
    expect(await choose()).toMatchObject({ kind: 'provider' });
    choice.failed('brevo', outage, 'chat');
    expect(await choose()).toEqual({ kind: 'wait', untilEpochMs: clock.nowEpochMs() + 30_000 });
    clock.advance(30_000);
    expect(await choose()).toMatchObject({ kind: 'provider' });
    choice.failed('brevo', classifySendFailure('brevo', '401 unauthorized'), 'chat');
    expect(await choose()).toEqual({ kind: 'wait', untilEpochMs: Number.POSITIVE_INFINITY });
  });

  test('gives back what certainly was not sent, and keeps what may have been', async () => {
    const { choice, choose, ledger } = aChoice({ left: { ...onlyBrevo, brevo: 10 } });
    await choose();
    choice.failed('brevo', outage, 'chat');
    expect(ledger.left('brevo')).toBe(10);
    await choose();
    choice.failed('brevo', unanswered('No answer.'), 'chat');
    expect(ledger.left('brevo')).toBe(9);
    await choose();
    choice.notSent('brevo');
    expect(ledger.left('brevo')).toBe(9);
  });

  test('takes only the one that may have sent the email before, also against all advice', async () => {
    const health = [{ provider: 'resend', status: 'error', healthScore: 5, circuitState: 'open' }];
    const { choose, asked } = aChoice({ route: async () => ({ provider: 'brevo', alternates: [], health }) });
    expect(await choose({ only: 'resend' })).toEqual({ kind: 'provider', provider: 'resend' });
    expect(await choose({ only: 'resend', tried: ['resend'] })).toEqual({ kind: 'none' });
    expect(asked).toEqual([]);
    const usedUp = aChoice({ left: { resend: 0 } });
    expect(await usedUp.choose({ only: 'resend' })).toMatchObject({ kind: 'used-up' });
  });

  test('has none when all were tried or none is well', async () => {
    const { choose } = aChoice({ left: onlyBrevo });
    expect(await choose({ tried: ['brevo'] })).toEqual({ kind: 'none' });
    const health = ALL.map((provider) => ({ provider, status: 'error', healthScore: 0, circuitState: 'open' }));
    const ill = aChoice({ route: async () => ({ provider: null, alternates: [], health }) });
    expect(await ill.choose()).toEqual({ kind: 'none' });
  });
});
