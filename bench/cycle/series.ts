/** A dashboard over a time series of so many points in its day: each step of a refresh alone, to be called again and again. */
import { createMetrics } from '../../src/data/metrics.ts';
import { loaded } from '../../src/domain/loaded.ts';
import type { MetricPoint, MetricSeries } from '../../src/domain/metric.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { DAY_MS, SECOND_MS } from '../../src/domain/time.ts';
import { frameOf } from '../../src/ui/frame.ts';
import type { Size } from '../../src/ui/layout.ts';
import type { Frame } from '../../src/ui/panel.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { createScreen } from '../../src/ui/screen.ts';
import type { State } from '../../src/ui/state.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { calmSnapshot, connected, DARK } from '../../tests/support/dashboard.ts';
import { NOON } from '../../tests/support/snapshot.ts';

export const SIZE: Size = { columns: 120, rows: 36 };

export interface SeriesCycle {
  /** The whole day, as the first read brings it. */
  parseAll(): void;
  parseNothingNew(): void;
  parseOneMore(): void;
  reduce(): void;
  view(): void;
  /** With a point more than before, so that the chart is worked out anew. */
  viewOneMore(): void;
  draw(): void;
  destroy(): void;
}

export function createSeriesCycle(points: number): SeriesCycle {
  const clock = manualClock(NOON);
  const day = Array.from({ length: points }, (_, index) => [memberOf(index), scoreOf(index, points)]).flat();
  const metrics = createMetrics({} as never, clock);
  let known = metrics.series.parse([], [day]);
  let more = 0;
  const parseOneMore = () => {
    more += 1;
    known = metrics.series.parse([], [[memberOf(points + more), String(NOON + more)]]);
  };
  const calm = calmSnapshot();
  let seconds = 0;
  const snapshot = (series: MetricSeries): Snapshot => {
    const takenAtEpochMs = NOON + seconds * SECOND_MS;
    return { ...calm, takenAtEpochMs, metrics: loaded(series, takenAtEpochMs) };
  };
  let state: State = connected(snapshot(known), { size: SIZE, look: DARK });
  let frame: Frame = frameOf(state);
  const screen = createScreen({ size: SIZE, write: () => undefined, isSynchronised: true });
  screen.show(frame, state.look);
  const view = () => {
    seconds += 1;
    [state] = reduce(state, { type: 'tick', nowEpochMs: NOON + seconds * SECOND_MS });
    frame = frameOf(state);
  };
  return {
    parseAll: () => {
      createMetrics({} as never, clock).series.parse([], [day]);
    },
    parseNothingNew: () => {
      known = metrics.series.parse([], [[]]);
    },
    parseOneMore,
    reduce: () => {
      [state] = reduce(state, { type: 'read', snapshot: snapshot(known) });
    },
    view,
    viewOneMore: () => {
      parseOneMore();
      [state] = reduce(state, { type: 'read', snapshot: snapshot(known) });
      frame = frameOf(state);
    },
    draw: () => screen.show(frame, state.look),
    destroy: () => screen.destroy(),
  };
}

/** As a monitor writes it (WIRE.md). */
function memberOf(index: number): string {
  return JSON.stringify({
    healthy_providers: 4,
    total_providers: 4,
    daily_quota_used: 10,
    monthly_quota_used: 5,
    best_provider: 'resend',
    queue_depth: index % 50,
    oldest_queued_s: index % 7,
    sent: index % 30,
    failed: 0,
    p95_ms: 200 + (index % 90),
  });
}

function scoreOf(index: number, points: number): string {
  return String(Math.round(NOON - ((points - index) * (DAY_MS - SECOND_MS)) / points));
}

/** How many points the screen looks at when a second has passed, and when a refresh brought one more. */
export function pointsLookedAt(points: number): { tick: number; onePointMore: number } {
  let looked = 0;
  const watched = (all: readonly MetricPoint[]) =>
    new Proxy(all, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) looked += 1;
        return Reflect.get(target, key) as unknown;
      },
    });
  const metrics = createMetrics({} as never, manualClock(NOON));
  const day = Array.from({ length: points }, (_, index) => [memberOf(index), scoreOf(index, points)]).flat();
  const series = metrics.series.parse([], [day]);
  const shown = (all: readonly MetricPoint[], atEpochMs: number): Snapshot => ({
    ...calmSnapshot(),
    takenAtEpochMs: atEpochMs,
    metrics: loaded({ points: watched(all), skipped: 0 }, atEpochMs),
  });
  let state = connected(shown(series.points, NOON + 1), { size: SIZE, look: DARK, nowEpochMs: NOON + 1 });
  frameOf(state);
  const counted = (change: () => void) => {
    looked = 0;
    change();
    frameOf(state);
    return looked;
  };
  const tick = counted(() => {
    [state] = reduce(state, { type: 'tick', nowEpochMs: NOON + 2 });
  });
  const more = metrics.series.parse([], [[memberOf(points), String(NOON + 1)]]);
  const onePointMore = counted(() => {
    [state] = reduce(state, { type: 'read', snapshot: shown(more.points, NOON + 2) });
  });
  return { tick, onePointMore };
}
