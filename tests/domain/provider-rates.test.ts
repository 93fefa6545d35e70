import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRateBucket, rateOf } from '../../src/domain/provider-rates.ts';

describe('a rate bucket', () => {
  test('lets one second’s worth through at once, then keeps the pace', () => {
    const bucket = createRateBucket(5);
    for (let n = 0; n < 5; n += 1) {
      expect(bucket.nextAtEpochMs(1_000)).toBe(1_000);
      bucket.take(1_000);
    }
    expect(bucket.nextAtEpochMs(1_000)).toBe(1_200);
    expect(bucket.nextAtEpochMs(1_200)).toBe(1_200);
  });

  test('is not thrown off by a clock that is set back', () => {
    const bucket = createRateBucket(1);
    bucket.take(10_000);
    expect(bucket.nextAtEpochMs(5_000)).toBe(6_000);
    expect(bucket.nextAtEpochMs(6_000)).toBe(6_000);
  });

  test('never lets more than twice its rate through in any second', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }),
        (rate, gaps) => {
          const bucket = createRateBucket(rate);
          const taken: number[] = [];
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            if (bucket.nextAtEpochMs(now) > now) continue;
            bucket.take(now);
            taken.push(now);
          }
          for (const from of taken) {
            expect(taken.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(2 * rate);
          }
        },
      ),
    );
  });

  test('of Amazon is slow while the account is in its sandbox', () => {
    expect(rateOf('aws_ses', 200)).toBe(1);
    expect(rateOf('aws_ses', 50_000)).toBe(14);
    expect(rateOf('resend', 100)).toBe(5);
  });
});
