import { describe, expect, it } from 'vitest';
import { intervalWithin, parseBudget } from '../../src/commands/budget.ts';
import { hasColour, isUtf8 } from '../../src/commands/io.ts';
import { parseDuration, wholeNumber } from '../../src/commands/options.ts';

describe('durations', () => {
  it.each([
    ['5', 5_000],
    ['5s', 5_000],
    ['500ms', 500],
    ['1m', 60_000],
    ['1.5h', 5_400_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', 's', '-5s', '5 s', '1d', '5s5', 'Infinity', '1e3'])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow(/is not a duration/);
  });
});

describe('whole numbers', () => {
  it('keep to their range', () => {
    expect(wholeNumber(1, 500)('500')).toBe(500);
    for (const text of ['0', '501', '1.5', '', 'x', '-1']) expect(() => wholeNumber(1, 500)(text)).toThrow(/1 to 500/);
  });
});

describe('a budget', () => {
  it.each([
    ['10000/day', 8, 69_120],
    ['500k/month', 8, 41_472],
    ['1M/hour', 8, 1_000],
    ['60/minute', 0, 1_000],
  ])('%s allows, with %i commands a refresh, one every %i ms', (text, commands, ms) => {
    expect(intervalWithin(parseBudget(text), commands)).toBe(ms);
  });

  it.each(['10000', '0/day', 'many/day', '5/year', '-5/day'])('%j is none', (text) => {
    expect(() => parseBudget(text)).toThrow(/is not a budget/);
  });
});

describe('the terminal', () => {
  it.each([
    [{}, true, {}, true],
    [{}, false, {}, false],
    [{ NO_COLOR: '1' }, true, {}, false],
    [{ NO_COLOR: '' }, true, {}, true],
    [{ TERM: 'dumb' }, true, {}, false],
    [{ FORCE_COLOR: '1' }, false, {}, true],
    [{ FORCE_COLOR: '0' }, true, {}, false],
    [{ FORCE_COLOR: '1' }, true, { color: false }, false],
  ])('with %j (TTY: %s, %j) has colours: %s', (environment, isTty, choices, expected) => {
    expect(hasColour(environment, isTty, choices)).toBe(expected);
  });

  it.each([
    [{}, true],
    [{ LANG: 'en_US.UTF-8' }, true],
    [{ LANG: 'de_DE.utf8' }, true],
    [{ LANG: 'C' }, false],
    [{ LC_ALL: 'POSIX', LANG: 'en_US.UTF-8' }, false],
    [{ LC_ALL: '', LC_CTYPE: 'C.UTF-8', LANG: 'C' }, true],
  ])('with %j shows more than ASCII: %s', (environment, expected) => {
    expect(isUtf8(environment)).toBe(expected);
  });
});
