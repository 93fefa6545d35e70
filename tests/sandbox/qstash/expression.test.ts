import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDurationMs, requestedWaitMs } from '../../../src/sandbox/qstash/durations.ts';
import { ExpressionError, parseExpression } from '../../../src/sandbox/qstash/expression.ts';

test.each([
  ['1000', 0, 1000],
  ['1000 * (1 + retried)', 2, 3000],
  ['pow(2, retried) * 1000', 3, 8000],
  ['max(1000, pow(2, retried) * 100)', 1, 1000],
  ['min(60000, exp(retried) * 1e3)', 0, 1000],
  ['-2 * -3', 0, 6],
  ['10 - 3 - 2', 0, 5],
  ['2 + 3 * 4 % 5', 0, 4],
  ['floor(7 / 2) + ceil(0.1) + round(1.5) + abs(-1) + sqrt(9)', 0, 10],
])('%s with retried = %d is %d', (text, retried, value) => {
  expect(parseExpression(text)(retried)).toBe(value);
});

test.each([
  ...['', '1 +', '(1', '1)', 'pow(1)', 'pow(1, 2, 3)', 'retries', 'constructor(1)', 'toString()', 'process.exit()'],
  ...['1; 2', '"1"', 'a[0]', '1 2', `${'('.repeat(600)}1`],
])('"%s" is refused', (text) => {
  expect(() => parseExpression(text)).toThrow(ExpressionError);
});

test('any text is either an expression that gives a number, or refused', () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom('1', '2.5', '+', '-', '*', '/', '(', ')', ',', 'min', 'retried', ' '))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, fc.nat(10), (candidate, retried) => {
      try {
        expect(typeof parseExpression(candidate)(retried)).toBe('number');
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionError);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('sums and products agree with arithmetic', () => {
  const number = fc.nat(1_000);
  fc.assert(
    fc.property(number, number, number, number, (a, b, c, d) => {
      expect(parseExpression(`${a}+${b}*${c}-retried*(${a}-${b})`)(d)).toBe(a + b * c - d * (a - b));
    }),
  );
});

test.each([
  ['10s', 10_000],
  ['6m5s', 365_000],
  ['1d12h', 129_600_000],
  ['0.5s', 500],
  ['30', 30_000],
  ['10 s', null],
  ['soon', null],
  ['', null],
])('the duration "%s" is %s ms', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test('a date in Retry-After is a wait from now; one in the past is no wait', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  const headers = (value: string) => new Headers({ 'retry-after': value });
  expect(requestedWaitMs(headers('Mon, 23 Nov 2026 12:01:00 GMT'), now)).toBe(60_000);
  expect(requestedWaitMs(headers('Mon, 23 Nov 2026 11:00:00 GMT'), now)).toBe(0);
  expect(requestedWaitMs(headers('nonsense'), now)).toBeNull();
  expect(requestedWaitMs(new Headers(), now)).toBeNull();
});
