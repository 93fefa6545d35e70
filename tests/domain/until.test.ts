import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { parseUntil } from '../../src/domain/until.ts';
import { NOON } from '../support/snapshot.ts';

describe('until when', () => {
  it.each([
    ['30m', NOON + 30 * MINUTE_MS],
    ['2h', NOON + 2 * HOUR_MS],
    ['1d', NOON + DAY_MS],
    ['14:30', NOON + 2.5 * HOUR_MS],
    ['14:30 UTC', NOON + 2.5 * HOUR_MS],
    ['9:05', NOON - 2 * HOUR_MS - 55 * MINUTE_MS + DAY_MS],
    ['12:00', NOON + DAY_MS],
    ['24:00', null],
    ['12:60', null],
    ['soon', null],
    ['', null],
  ])('«%s» is understood', (text, expected) => {
    expect(parseUntil(text, NOON)).toBe(expected);
  });
});
