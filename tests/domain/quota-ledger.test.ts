import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProviderQuota } from '../../src/domain/quota.ts';
import { createQuotaLedger } from '../../src/domain/quota-ledger.ts';

const quota = (day: number, dayLimit: number, month = day, monthLimit = 100_000): ProviderQuota[] => [
  { provider: 'brevo', day: { sent: day, limit: dayLimit }, month: { sent: month, limit: monthLimit } },
  ...(['resend', 'mailersend', 'aws_ses'] as const).map((provider) => ({
    provider,
    day: { sent: 10, limit: 10 },
    month: { sent: 10, limit: 100_000 },
  })),
];
const NOON = Date.parse('2026-12-31T12:00:00Z');

describe('the quota ledger', () => {
  test('counts down what is reserved, and up what is refunded', () => {
    const ledger = createQuotaLedger(quota(8, 10));
    ledger.reserve('brevo');
    ledger.reserve('brevo');
    expect(ledger.left('brevo')).toBe(0);
    expect(ledger.isAnythingLeft()).toBe(false);
    ledger.refund('brevo');
    expect(ledger.left('brevo')).toBe(1);
  });

  test('is limited by the month as well', () => {
    const ledger = createQuotaLedger(quota(0, 10, 99, 100));
    expect(ledger.left('brevo')).toBe(1);
    ledger.reserve('brevo');
    expect(ledger.resetsAtEpochMs(NOON, 'brevo')).toBe(Date.parse('2027-01-01T00:00:00Z'));
  });

  test('says when something is there again: midnight for a day, the first for a month, the earliest of all', () => {
    const ledger = createQuotaLedger(quota(10, 10));
    const november = Date.parse('2026-11-23T12:00:00Z');
    expect(ledger.resetsAtEpochMs(november)).toBe(Date.parse('2026-11-24T00:00:00Z'));
    ledger.markUsedUp('brevo', 'month');
    expect(ledger.resetsAtEpochMs(november, 'brevo')).toBe(Date.parse('2026-12-01T00:00:00Z'));
    expect(ledger.resetsAtEpochMs(november)).toBe(Date.parse('2026-11-24T00:00:00Z'));
    expect(createQuotaLedger(quota(0, 10)).resetsAtEpochMs(november)).toBe(november);
  });

  test('knows a provider without a row by its known limits', () => {
    expect(createQuotaLedger([]).left('resend')).toBe(100);
  });

  test('takes into account what others sent, and its own that the database does not know yet', () => {
    const ledger = createQuotaLedger(quota(0, 100));
    for (let n = 0; n < 10; n += 1) ledger.reserve('brevo');
    for (let n = 0; n < 4; n += 1) ledger.confirm('brevo');
    const apply = ledger.beginReading();
    ledger.reserve('brevo'); // while the answer is on its way
    apply(quota(24, 100)); // 4 of ours, 20 of others
    expect(ledger.left('brevo')).toBe(100 - 24 - 7);
  });

  test('a reading never gives back within a day, and does at midnight', () => {
    const ledger = createQuotaLedger(quota(50, 100));
    ledger.markUsedUp('brevo', 'day');
    ledger.beginReading()(quota(0, 100));
    expect(ledger.left('brevo')).toBe(0);
    ledger.beginReading()(quota(0, 100), true);
    expect(ledger.left('brevo')).toBe(100);
  });

  test('never lets more through than the database has left, whatever the order of events', () => {
    const event = fc.constantFrom('reserve', 'refund', 'finish', 'other', 'read');
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), fc.integer({ min: 1, max: 60 }), (events, limit) => {
        const ledger = createQuotaLedger(quota(0, limit));
        let inDatabase = 0;
        let open = 0;
        let byOthers = 0;
        for (const name of events) {
          if (name === 'reserve' && ledger.left('brevo') > 0) {
            ledger.reserve('brevo');
            open += 1;
          } else if (name === 'refund' && open > 0) {
            ledger.refund('brevo');
            open -= 1;
          } else if (name === 'finish' && open > 0) {
            ledger.confirm('brevo');
            open -= 1;
            inDatabase += 1;
          } else if (name === 'other') {
            inDatabase += 1;
            byOthers += 1;
          } else if (name === 'read') ledger.beginReading()(quota(inDatabase, limit));
          expect(inDatabase + open - byOthers).toBeLessThanOrEqual(limit);
          if (name === 'read') expect(ledger.left('brevo')).toBeLessThanOrEqual(Math.max(0, limit - inDatabase - open));
        }
      }),
    );
  });
});
