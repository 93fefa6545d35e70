import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketMsFor, bucketsFrom, bucketsOf, type DeliveryPoint } from '../../src/domain/provider-history.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { NOON } from '../support/snapshot.ts';

const aDelivery = (changes: Partial<DeliveryPoint> = {}): DeliveryPoint => ({
  provider: 'brevo',
  atEpochMs: NOON,
  outcome: 'sent',
  latencyMs: 100,
  ...changes,
});

describe('the history of a provider', () => {
  it('has buckets that fit the range', () => {
    expect([15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS, 9 * DAY_MS].map(bucketMsFor)).toEqual(
      [1, 1, 5, 15, 15].map((minutes) => minutes * MINUTE_MS),
    );
  });

  it('is made of rows as the database does it', () => {
    const rows = [
      aDelivery({ latencyMs: 300 }),
      aDelivery({ atEpochMs: NOON + 1 }),
      aDelivery({ outcome: 'failed', latencyMs: null }),
      aDelivery({ outcome: 'pending', latencyMs: null }),
      aDelivery({ provider: 'aws_ses', outcome: 'failed' }),
      aDelivery({ atEpochMs: NOON - 1 }),
    ];
    expect(bucketsFrom(rows, 5 * MINUTE_MS)).toEqual([
      { provider: 'brevo', atEpochMs: NOON - 5 * MINUTE_MS, sent: 1, failed: 0, p95Ms: 100 },
      { provider: 'aws_ses', atEpochMs: NOON, sent: 0, failed: 1, p95Ms: 100 },
      { provider: 'brevo', atEpochMs: NOON, sent: 2, failed: 1, p95Ms: 300 },
    ]);
  });

  it('shows every bucket, empty ones as zeros without latency', () => {
    const buckets = bucketsFrom([aDelivery()], 5 * MINUTE_MS);
    const history = {
      sinceEpochMs: NOON - 10 * MINUTE_MS,
      untilEpochMs: NOON + MINUTE_MS,
      bucketMs: 5 * MINUTE_MS,
      buckets,
      skipped: 0,
    };
    expect(bucketsOf(history, 'brevo').map(({ sent, p95Ms }) => [sent, p95Ms])).toEqual([
      [0, null],
      [0, null],
      [1, 100],
    ]);
    expect(bucketsOf(history, 'resend').every(({ sent }) => sent === 0)).toBe(true);
  });

  it('loses no delivery, whatever the rows', () => {
    const row = fc.record({
      provider: fc.constantFrom('brevo', 'resend'),
      atEpochMs: fc.integer({ min: NOON - DAY_MS, max: NOON }),
      outcome: fc.constantFrom('sent' as const, 'failed' as const, 'pending' as const),
      latencyMs: fc.option(fc.nat(9_999)),
    });
    fc.assert(
      fc.property(fc.array(row), fc.constantFrom(MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS), (rows, bucketMs) => {
        const buckets = bucketsFrom(rows, bucketMs);
        const total = (of: 'sent' | 'failed') => buckets.reduce((sum, bucket) => sum + bucket[of], 0);
        expect(total('sent')).toBe(rows.filter(({ outcome }) => outcome === 'sent').length);
        expect(total('failed')).toBe(rows.filter(({ outcome }) => outcome === 'failed').length);
        expect(buckets.every(({ atEpochMs }) => atEpochMs % bucketMs === 0)).toBe(true);
      }),
    );
  });
});
