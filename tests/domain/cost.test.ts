import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandsPerHour, costOf, SCHEDULE_MODES, type Usage } from '../../src/domain/cost.ts';

const MODEST: Usage = {
  emailsPerDay: 1_000,
  schedules: 'one-tick',
  watchHoursPerDay: 0,
  activeHoursPerDay: 1,
  refreshMs: null,
};

const ANY_USAGE: fc.Arbitrary<Usage> = fc.record({
  emailsPerDay: fc.integer({ min: 0, max: 1e8 }),
  schedules: fc.constantFrom(...SCHEDULE_MODES),
  watchHoursPerDay: fc.double({ min: 0, max: 2_400, noNaN: true }),
  activeHoursPerDay: fc.double({ min: 0, max: 2_400, noNaN: true }),
  refreshMs: fc.option(fc.integer({ min: 500, max: 3_600_000 })),
});

describe('the costs', () => {
  it('are nothing for a modest system with one schedule that nobody watches', () => {
    expect(costOf(MODEST)).toMatchObject({ dollars: 0, qstash: { plan: 'free' }, redis: { plan: 'free' } });
  });

  it('of three schedules are 1,032 messages a day, a little over the free tier, and the remedy is named', () => {
    const { qstash, advice } = costOf({ ...MODEST, schedules: 'three' });
    expect(qstash.perMonth).toBe(1_032 * 30);
    expect(qstash.dollars).toBe(0.3096);
    expect(advice.join()).toContain('--one-tick');
  });

  it.each(SCHEDULE_MODES)(
    'of Redis are nothing for a console left open all day, used for two hours (%s)',
    (schedules) => {
      const { redis } = costOf({ ...MODEST, schedules, watchHoursPerDay: 24, activeHoursPerDay: 2 });
      expect(redis).toMatchObject({ plan: 'free', dollars: 0 });
    },
  );

  it('of watching follow the interval that was asked for', () => {
    const watching = (usage: Usage) => costOf(usage).redis.lines.at(-1)?.perMonth ?? 0;
    const around = { ...MODEST, watchHoursPerDay: 24 };
    expect(watching({ ...around, refreshMs: 5_000 })).toBe(Math.ceil(30 * 24 * commandsPerHour(5_000)));
    expect(watching({ ...around, refreshMs: 60_000 })).toBeLessThan(watching(around));
    expect(watching({ ...around, refreshMs: 1_000 })).toBeGreaterThan(30 * 86_400);
  });

  it('advise a budget that fits the free tier', () => {
    const { redis, advice } = costOf({ ...MODEST, watchHoursPerDay: 24, refreshMs: 5_000 });
    const perDay = Number(/--budget (\d+)\/day/.exec(advice.join())?.[1]);
    const watching = redis.lines.at(-1)?.perMonth ?? 0;
    expect(redis.perMonth - watching + perDay * 30).toBeLessThanOrEqual(redis.freePerMonth);
  });

  it('never pay by the command what the fixed plan sells for less', () => {
    const { redis } = costOf({ ...MODEST, watchHoursPerDay: 48, refreshMs: 1_000 });
    expect(redis).toMatchObject({ plan: 'fixed', dollars: 10 });
  });

  it('are the sum of their lines, finite, and never less for more emails', () => {
    fc.assert(
      fc.property(ANY_USAGE, (usage) => {
        const cost = costOf(usage);
        for (const { lines, perMonth, dollars } of [cost.qstash, cost.redis]) {
          expect(perMonth).toBe(lines.reduce((sum, line) => sum + line.perMonth, 0));
          expect(dollars).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(dollars)).toBe(true);
        }
        const more = costOf({ ...usage, emailsPerDay: usage.emailsPerDay + 1_000 });
        expect(more.dollars).toBeGreaterThanOrEqual(cost.dollars);
      }),
    );
  });
});
