import { expect, it } from 'vitest';
import { parseDuration } from '../../src/domain/duration.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';

it.each([
  ['30m', 30 * MINUTE_MS],
  ['45s', 45 * SECOND_MS],
  ['2h', 2 * HOUR_MS],
  ['1h30m', 90 * MINUTE_MS],
  [' 1 H 30 min ', 90 * MINUTE_MS],
  ['1d', DAY_MS],
  ['15', 15 * MINUTE_MS],
  ['0', 0],
  ['', null],
  ['soon', null],
  ['-5m', null],
  ['1.5h', null],
  ['30m later', null],
  ['99999999m', null],
])('%j lasts %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
