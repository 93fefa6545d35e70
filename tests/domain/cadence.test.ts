import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAST_MS, goodForMs, refreshEveryMs, type Situation, SLOWEST_MS } from '../../src/domain/cadence.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';

const ADAPTIVE = { kind: 'adaptive' } as const;
const LEFT_ALONE: Situation = { level: 'ok', isUnderWay: false, sinceKeyMs: 8 * HOUR_MS, sinceChangeMs: 8 * HOUR_MS };
const every = (changes: Partial<Situation>) => refreshEveryMs(ADAPTIVE, { ...LEFT_ALONE, ...changes });

const ANY_SITUATION: fc.Arbitrary<Situation> = fc.record({
  level: fc.constantFrom('ok', 'warning', 'critical', 'unreachable', null),
  isUnderWay: fc.boolean(),
  sinceKeyMs: fc.integer({ min: -MINUTE_MS, max: 30 * DAY_MS }),
  sinceChangeMs: fc.integer({ min: -MINUTE_MS, max: 30 * DAY_MS }),
});

describe('the cadence', () => {
  it.each([
    ['nobody has pressed a key for hours and all is well', {}, MINUTE_MS],
    ['a key was pressed this moment', { sinceKeyMs: 0 }, FAST_MS],
    ['the last key was three minutes ago', { sinceKeyMs: 3 * MINUTE_MS }, 15 * SECOND_MS],
    ['the last key was a quarter of an hour ago', { sinceKeyMs: 15 * MINUTE_MS }, 30 * SECOND_MS],
    ['all has become well a minute ago', { sinceChangeMs: MINUTE_MS }, FAST_MS],
    ['a run is under way', { isUnderWay: true }, FAST_MS],
    ['nothing is known yet', { level: null }, FAST_MS],
    ['something is critical, for hours and seen by nobody', { level: 'critical' }, FAST_MS],
    ['nothing can be reached', { level: 'unreachable' }, FAST_MS],
    ['a warning is new', { level: 'warning', sinceChangeMs: 29 * MINUTE_MS }, FAST_MS],
    ['a warning has stood for hours, and nobody looks', { level: 'warning' }, 30 * SECOND_MS],
    ['a warning has stood for hours, and somebody looks', { level: 'warning', sinceKeyMs: SECOND_MS }, FAST_MS],
  ] as const)('while %s', (_situation, changes, ms) => {
    expect(every(changes)).toBe(ms);
  });

  it('is between five seconds and a minute, and with longer quiet never faster', () => {
    fc.assert(
      fc.property(ANY_SITUATION, fc.nat(DAY_MS), (situation, moreMs) => {
        const now = refreshEveryMs(ADAPTIVE, situation);
        expect(now).toBeGreaterThanOrEqual(FAST_MS);
        expect(now).toBeLessThanOrEqual(SLOWEST_MS);
        const later = {
          ...situation,
          sinceKeyMs: situation.sinceKeyMs + moreMs,
          sinceChangeMs: situation.sinceChangeMs + moreMs,
        };
        expect(refreshEveryMs(ADAPTIVE, later)).toBeGreaterThanOrEqual(now);
      }),
    );
  });

  it('with a key is five seconds, whatever else is', () => {
    fc.assert(
      fc.property(ANY_SITUATION, (situation) => {
        expect(refreshEveryMs(ADAPTIVE, { ...situation, sinceKeyMs: 0 })).toBe(FAST_MS);
      }),
    );
  });

  it('that was asked for holds, whatever is', () => {
    fc.assert(
      fc.property(ANY_SITUATION, fc.integer({ min: 500, max: HOUR_MS }), (situation, intervalMs) => {
        expect(refreshEveryMs({ kind: 'fixed', intervalMs }, situation)).toBe(intervalMs);
      }),
    );
  });

  it('reads anew what nothing tells of, every minute while fast, and at least every six', () => {
    expect(goodForMs(FAST_MS)).toBe(MINUTE_MS);
    expect(goodForMs(SLOWEST_MS)).toBe(6 * MINUTE_MS);
  });
});
