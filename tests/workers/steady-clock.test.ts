import { describe, expect, test } from 'vitest';
import { createSteadyClock } from '../../src/workers/steady-clock.ts';
import { manualClock } from '../support/clock.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');

describe('the steady clock', () => {
  test('goes on where the clock is set back', () => {
    const wall = manualClock(NOON);
    const steady = createSteadyClock(wall);
    wall.advance(10_000);
    const before = steady.nowEpochMs();
    wall.advance(-300_000);
    expect(steady.nowEpochMs()).toBeGreaterThanOrEqual(before);
    wall.advance(5_000);
    expect(steady.nowEpochMs() - before).toBeLessThan(1_000);
  });

  test('takes a leap forward as time that has passed, also when it is taken back', () => {
    const wall = manualClock(NOON);
    const steady = createSteadyClock(wall);
    wall.advance(300_000);
    expect(steady.nowEpochMs()).toBeGreaterThanOrEqual(NOON + 300_000);
    wall.advance(-300_000);
    expect(steady.nowEpochMs()).toBeGreaterThanOrEqual(NOON + 300_000);
  });

  test('does not drift by being asked often', () => {
    const steady = createSteadyClock({ nowEpochMs: () => Date.now() });
    for (let n = 0; n < 100_000; n += 1) steady.nowEpochMs();
    expect(steady.nowEpochMs() - Date.now()).toBeLessThan(20);
  });
});
