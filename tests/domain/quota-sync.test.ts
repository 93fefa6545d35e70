import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROVIDERS, type Provider } from '../../src/domain/email.ts';
import { completeQuotas } from '../../src/domain/quota.ts';
import { missingDays, type QuotaDay, quotaAlerts, quotaWarnings, raisedCounts } from '../../src/domain/quota-sync.ts';

const row = (provider: Provider, date: string, changes: Partial<QuotaDay> = {}): QuotaDay => ({
  provider,
  date,
  emailsSent: 0,
  dailyLimit: 100,
  monthlyLimit: 3_000,
  ...changes,
});
const report = (provider: Provider, daySent: number) => ({
  provider,
  daySent,
  monthSent: daySent,
  dayLimit: 500,
  monthLimit: 15_000,
});
const usage = (sent: number, monthSent = sent) =>
  completeQuotas([{ provider: 'brevo', day: { sent, limit: 300 }, month: { sent: monthSent, limit: 9_000 } }]);

describe('the rows that the quota sync adds', () => {
  it('are today and tomorrow for every provider, with known limits', () => {
    const rows = missingDays([], ['2026-11-23', '2026-11-24'], []);
    expect(rows.map(({ provider, date }) => `${provider} ${date}`)).toEqual(
      PROVIDERS.flatMap((provider) => [`${provider} 2026-11-23`, `${provider} 2026-11-24`]),
    );
    expect(rows.find(({ provider }) => provider === 'aws_ses')).toMatchObject({
      dailyLimit: 200,
      monthlyLimit: 62_000,
    });
  });

  it('go on with the limits of the newest row, even of last month', () => {
    const known = [row('resend', '2026-11-30', { dailyLimit: 7_000, monthlyLimit: 50_000 })];
    const [today] = missingDays(known, ['2026-12-01'], [report('resend', 1)]);
    expect(today).toMatchObject({ dailyLimit: 7_000, monthlyLimit: 50_000, emailsSent: 0 });
  });

  it('begin with the limits that a provider reports where there never was a row', () => {
    expect(missingDays([], ['2026-11-23'], [report('resend', 1)])[0]).toMatchObject({ dailyLimit: 500 });
  });

  it('are none where all exist', () => {
    const all = PROVIDERS.map((provider) => row(provider, '2026-11-23'));
    expect(missingDays(all, ['2026-11-23'], [])).toEqual([]);
  });
});

describe('reconciled counts', () => {
  it('never fall: only a higher report changes them', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(10_000), (counted, reported) => {
        const rows = [row('brevo', '2026-11-23', { emailsSent: counted })];
        const raised = raisedCounts(rows, '2026-11-23', [report('brevo', reported)]);
        expect(raised).toEqual(reported > counted ? [{ provider: 'brevo', from: counted, to: reported }] : []);
      }),
    );
  });
});

describe('quota warnings', () => {
  it('begin at 70 % and are an alert from 90 % on', () => {
    expect(quotaWarnings(usage(209))).toEqual([]);
    expect(quotaWarnings(usage(210)).map(({ text }) => text)).toEqual(['brevo is at 70 % of its day (210 of 300).']);
    expect(quotaAlerts(quotaWarnings(usage(269)))).toEqual([]);
    expect(quotaAlerts(quotaWarnings(usage(270))).map(({ text }) => text)).toEqual([
      'Quota: brevo is at 90 % of its day (270 of 300).',
    ]);
  });

  it('tell of the month where that is fuller', () => {
    expect(quotaWarnings(usage(10, 8_500)).map(({ text }) => text)).toEqual([
      'brevo is at 94 % of its month (8,500 of 9,000).',
    ]);
  });
});
