import { describe, expect, it } from 'vitest';
import { type Loaded, loaded } from '../../src/domain/loaded.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import { bannerLines } from '../../src/ui/banner.ts';
import { textOf } from '../../src/ui/line.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import { afterEvents, connected, incidentSnapshot, keys, pausedSnapshot } from '../support/dashboard.ts';
import { aSnapshot, NOON } from '../support/snapshot.ts';

const PRODUCTION = { name: 'production', isSandbox: false };
const at = <T>(value: T): Loaded<T> => loaded(value, NOON);
/** Nothing in it becomes a reason to worry with time. */
const calm = aSnapshot({
  environment: PRODUCTION,
  runs: at({ runs: [], skipped: 0 }),
  metrics: at({ points: [], skipped: 0 }),
});
const tick = (afterMs: number): UiEvent => ({ type: 'tick', nowEpochMs: NOON + afterMs });
const readAt = (afterMs: number, snapshot = calm): UiEvent[] => [
  tick(afterMs),
  { type: 'read', snapshot: { ...snapshot, takenAtEpochMs: NOON + afterMs } },
];
const second = (state: State, columns = 120) => textOf(bannerLines(state, columns)[1] ?? []);

describe('the dashboard', () => {
  it('refreshes every five seconds at first, and every minute when nobody has touched it for long', () => {
    const state = connected(calm);
    expect(state.refreshMs).toBe(5 * SECOND_MS);
    expect(afterEvents(state, tick(3 * MINUTE_MS)).refreshMs).toBe(15 * SECOND_MS);
    expect(afterEvents(state, tick(HOUR_MS)).refreshMs).toBe(MINUTE_MS);
  });

  it('is back at five seconds with any key, even one that does nothing', () => {
    const state = afterEvents(connected(calm), tick(HOUR_MS));
    expect(afterEvents(state, ...keys('f12')).refreshMs).toBe(5 * SECOND_MS);
    expect(afterEvents(state, { type: 'input', input: { kind: 'paste', text: 'x' } }).refreshMs).toBe(5 * SECOND_MS);
  });

  it('is back at five seconds when something goes wrong, and stays there', () => {
    const state = afterEvents(connected(calm), ...readAt(HOUR_MS, { ...incidentSnapshot(), environment: PRODUCTION }));
    expect(state.refreshMs).toBe(5 * SECOND_MS);
    expect(afterEvents(state, tick(5 * HOUR_MS)).refreshMs).toBe(5 * SECOND_MS);
  });

  it('is fast while a run is under way here, or the lock is held elsewhere', () => {
    const idle = afterEvents(connected(calm), ...readAt(HOUR_MS));
    const run = { worker: 'queue-processor', trigger: 'schedule', startedAtEpochMs: NOON + HOUR_MS, text: '' } as const;
    const begun = afterEvents(idle, { type: 'live', live: [run] });
    // Most are over at once, and cost no refresh.
    expect(begun.refreshMs).toBe(MINUTE_MS);
    const later = afterEvents(begun, tick(HOUR_MS + 3 * SECOND_MS));
    expect(later.refreshMs).toBe(5 * SECOND_MS);
    expect(afterEvents(later, { type: 'live', live: [] }).refreshMs).toBe(MINUTE_MS);
    const held = { ...calm, lock: incidentSnapshot().lock };
    expect(afterEvents(idle, ...readAt(HOUR_MS, held)).refreshMs).toBe(5 * SECOND_MS);
  });

  it('does not take ages that go on for news', () => {
    const paused = { ...calm, lock: pausedSnapshot().lock };
    const later = afterEvents(connected(paused), ...readAt(20 * MINUTE_MS, paused), ...readAt(31 * MINUTE_MS, paused));
    expect(later.verdictSinceEpochMs).toBe(NOON);
    expect(later.refreshMs).toBe(30 * SECOND_MS);
  });

  it('says how often it refreshes, and that a key brings it back', () => {
    const state = connected(calm);
    expect(second(state)).toMatch(/refreshed 12:00:00, every 5 s$/);
    expect(second(afterEvents(state, ...readAt(HOUR_MS)))).toMatch(/refreshed 13:00:00, every 1 min until a key$/);
    expect(second(afterEvents(state, ...readAt(HOUR_MS)), 50)).toMatch(/13:00:00, every 1 min$/);
  });

  it('says how old it is when a refresh is missed, by the interval that holds', () => {
    const slow = afterEvents(connected(calm), ...readAt(HOUR_MS));
    expect(second(afterEvents(slow, tick(HOUR_MS + 100 * SECOND_MS)))).not.toContain('ago');
    expect(second(afterEvents(slow, tick(HOUR_MS + 125 * SECOND_MS)))).toMatch(/last refresh 2 min ago$/);
  });

  it('is not late for having been slow: a key only begins the shorter interval', () => {
    const slow = afterEvents(connected(calm), ...readAt(HOUR_MS), tick(HOUR_MS + 50 * SECOND_MS), ...keys('f12'));
    expect(second(slow)).not.toContain('ago');
    expect(second(afterEvents(slow, tick(HOUR_MS + 60 * SECOND_MS)))).toMatch(/last refresh 1 min ago$/);
  });

  it('shows what it sends, and that the sandbox bills nothing', () => {
    const counted = (afterMs: number, redisCommands: number, environment = PRODUCTION) =>
      readAt(afterMs, { ...calm, environment, cost: { ...calm.cost, redisCommands } });
    const busy = afterEvents(connected(calm), ...counted(60_000, calm.cost.redisCommands + 50));
    expect(second(busy)).toContain('3,000 cmd/h, $3.32/month');
    const sandbox = { name: 'sandbox', isSandbox: true };
    const free = afterEvents(connected(calm), ...counted(60_000, calm.cost.redisCommands + 50, sandbox));
    expect(second(free)).toContain('3,000 cmd/h, free here');
  });
});
