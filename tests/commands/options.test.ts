import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Budget, createPacer, MOST_PER_LOOK, parseBudget } from '../../src/commands/budget.ts';
import { hasColour, isUtf8 } from '../../src/commands/io.ts';
import { parseDuration, wholeNumber } from '../../src/commands/options.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';

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
    ['10000/day', 10_000, DAY_MS],
    ['500k/month', 500_000, 30 * DAY_MS],
    ['1M/hour', 1_000_000, HOUR_MS],
    ['60/minute', 60, MINUTE_MS],
  ])('%s is %i commands in %i ms', (text, commands, periodMs) => {
    expect(parseBudget(text)).toEqual({ commands, periodMs });
  });

  it.each(['10000', '0/day', 'many/day', '5/year', '-5/day'])('%j is none', (text) => {
    expect(() => parseBudget(text)).toThrow(/is not a budget/);
  });
});

describe('the pace of a budget', () => {
  /** Looks as soon as it may, not more often than `leastMs`; answers what was spent when. */
  function spend(budget: Budget, costs: readonly number[], leastMs: number) {
    const pacer = createPacer(budget);
    let now = 0;
    return costs.map((commands) => {
      pacer.spent(commands, now);
      const look = { atEpochMs: now, commands };
      now = Math.max(now + leastMs, pacer.nextAtEpochMs());
      return look;
    });
  }

  it('spends no more than the budget in any of its periods, whatever the looks cost', () => {
    const budgets = fc.record({
      commands: fc.integer({ min: 2 * MOST_PER_LOOK + 4, max: 100_000 }),
      periodMs: fc.constantFrom(MINUTE_MS, HOUR_MS, DAY_MS),
    });
    const costs = fc.array(fc.integer({ min: 0, max: MOST_PER_LOOK }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(budgets, costs, fc.constantFrom(0, 500, 5_000), (budget, looks, leastMs) => {
        const spent = spend(budget, looks, leastMs);
        for (const { atEpochMs: from } of spent) {
          const inPeriod = spent.filter(({ atEpochMs }) => atEpochMs >= from && atEpochMs < from + budget.periodMs);
          const sum = inPeriod.reduce((total, { commands }) => total + commands, 0);
          expect(sum).toBeLessThanOrEqual(budget.commands);
        }
      }),
    );
  });

  it('makes use of the budget: looks of one command take at least four fifths of it', () => {
    const spent = spend({ commands: 100, periodMs: MINUTE_MS }, new Array(500).fill(1), 0);
    expect(spent.filter(({ atEpochMs }) => atEpochMs < MINUTE_MS).length).toBeGreaterThan(80);
  });

  it('comes to rest where a single look is more than the budget', () => {
    const spent = spend({ commands: 5, periodMs: MINUTE_MS }, new Array(20).fill(8), 0);
    expect(spent.at(-1)?.atEpochMs).toBeGreaterThan(20 * MINUTE_MS);
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
