import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HALF_LIFE_MS, NO_RECORD, recordSend, type SendRecord, standingOf } from '../../src/domain/provider-record.ts';

const sends = (verdicts: string, latencyMs = 100, at = 0): SendRecord =>
  [...verdicts].reduce(
    (record, letter) =>
      recordSend(record, { verdict: letter === '+' ? 'success' : 'failure', latencyMs, error: 'down' }, at),
    NO_RECORD,
  );

describe('how a provider stands', () => {
  test.each([
    ['', 100, 100],
    ['+', 100, 100],
    ['-', 67, 0],
    ['----', 33, 0],
    ['-----', 15, 0],
    ['+++++++++-', 92, 90],
  ])('after %j its score is %d and its success rate %d %%', (verdicts, healthScore, successRatePercent) => {
    expect(standingOf(sends(verdicts), 0)).toMatchObject({ healthScore, successRatePercent });
  });

  test.each([
    [1_000, 100],
    [5_500, 75],
    [10_000, 50],
    [60_000, 50],
  ])('an average of %d ms leaves %d of the score', (latencyMs, healthScore) => {
    expect(standingOf(sends('++++', latencyMs), 0)).toMatchObject({ healthScore, averageLatencyMs: latencyMs });
  });

  test('half-open it is worth asking for, whatever came before; failures are forgotten in time', () => {
    const record = sends('-----');
    expect(standingOf(record, 60_000)).toMatchObject({ circuitState: 'half-open', healthScore: 31 });
    expect(standingOf(sends('---'), HALF_LIFE_MS).observed).toBe(1.5);
    expect(standingOf(sends('---'), 10 * HALF_LIFE_MS)).toMatchObject({ healthScore: 100, successRatePercent: 100 });
  });

  test('is always between 0 and 100, and no success makes it worse', () => {
    const verdicts = fc.array(fc.constantFrom('+', '-'), { maxLength: 40 }).map((each) => each.join(''));
    fc.assert(
      fc.property(verdicts, fc.nat(1_000), fc.nat(3_600_000), (before, latencyMs, later) => {
        const record = sends(before, latencyMs);
        const { healthScore, successRatePercent, observed } = standingOf(record, later);
        expect(healthScore).toBeGreaterThanOrEqual(0);
        expect(healthScore).toBeLessThanOrEqual(100);
        expect(successRatePercent).toBeLessThanOrEqual(100);
        expect(observed).toBeLessThanOrEqual(before.length);
        const better = recordSend(record, { verdict: 'success', latencyMs, error: null }, later);
        // By two points at most: what weighed too little to be seen is seen again.
        expect(standingOf(better, later).healthScore).toBeGreaterThanOrEqual(healthScore - 2);
      }),
    );
  });
});
