import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatAge,
  formatClock,
  formatCount,
  formatInstant,
  formatLatency,
  formatLeft,
  formatPercent,
  plural,
} from '../../src/domain/format.ts';

const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

describe('formats', () => {
  test.each([
    [0, '0 s'],
    [-5_000, '0 s'],
    [45_999, '45 s'],
    [18 * MIN, '18 min'],
    [2 * HOUR, '2 h'],
    [2 * HOUR + 5 * MIN, '2 h 5 min'],
    [3 * DAY + 4 * HOUR, '3 d 4 h'],
    [5_000 * DAY, '>999 d'],
    [null, '–'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('an age of %s ms reads %s', (ms, expected) => {
    expect(formatAge(ms)).toBe(expected);
  });

  test.each([
    [29 * MIN + 59_800, '30 min'],
    [119_000, '2 min'],
    [61_000, '1 min'],
    [59_900, '1 min'],
    [9_600, '10 s'],
    [HOUR + 59 * MIN + 59_990, '2 h'],
    [-1, '0 s'],
    [null, '–'],
  ])('what is left of %s ms reads %s', (ms, expected) => {
    expect(formatLeft(ms)).toBe(expected);
  });

  test.each([
    [0, '0'],
    [-0.2, '0'],
    [999, '999'],
    [12_345, '12,345'],
    [-1_234, '-1,234'],
    [9_999_999, '9,999,999'],
    [12_345_678, '12.3 M'],
    [4.56e9, '4.5 G'],
    [1e15, '>999 T'],
    [null, '–'],
    [undefined, '–'],
  ])('a count of %s reads %s', (count, expected) => {
    expect(formatCount(count)).toBe(expected);
  });

  test.each([
    [0, '0 %'],
    [0.2, '<1 %'],
    [42.4, '42 %'],
    [99.9, '99 %'],
    [100, '100 %'],
    [130.2, '131 %'],
    [5_000, '>999 %'],
    [-3, '0 %'],
    [null, '–'],
  ])('a percentage of %s reads %s', (percent, expected) => {
    expect(formatPercent(percent)).toBe(expected);
  });

  test('times are UTC', () => {
    const at = Date.parse('2026-11-23T09:05:59Z');
    expect(formatClock(at)).toBe('09:05');
    expect(formatInstant(at)).toBe('2026-11-23 09:05 UTC');
    expect(formatClock(Number.MAX_VALUE)).toBe('--:--');
    expect(formatInstant(null)).toBe('–');
  });

  test('latencies and counted things', () => {
    expect([formatLatency(84.6), formatLatency(1_290), formatLatency(120_000)]).toEqual(['85 ms', '1.2 s', '2 min']);
    expect([plural(1, 'email'), plural(1_200, 'email'), plural(2, 'entry', 'entries')]).toEqual([
      '1 email',
      '1,200 emails',
      '2 entries',
    ]);
  });

  test('every number has a short look', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        for (const format of [formatAge, formatLeft, formatCount, formatPercent, formatClock, formatLatency]) {
          expect(format(value).length).toBeGreaterThan(0);
          expect(format(value).length).toBeLessThanOrEqual(12);
        }
      }),
    );
  });
});
