import { describe, expect, it } from 'vitest';
import { loaded } from '../../src/domain/loaded.ts';
import type { MetricPoint } from '../../src/domain/metric.ts';
import { SERIES } from '../../src/domain/metric-series.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import { FIRST_CHART, movedCursor, roundTop } from '../../src/ui/chart.ts';
import { textOf } from '../../src/ui/line.ts';
import type { Plot } from '../../src/ui/panel.ts';
import type { State } from '../../src/ui/state.ts';
import { plotLines } from '../../src/ui/text-plot.ts';
import { chartPanel } from '../../src/ui/views/parts/chart.ts';
import { afterEvents, aState, calmSnapshot, connected, keys } from '../support/dashboard.ts';
import { aMetricPoint, NOON } from '../support/snapshot.ts';

const RECT = { x: 0, y: 0, width: 60, height: 12 };

function chartOf(points: readonly MetricPoint[], id = 'queue', changes: Partial<State> = {}) {
  const series = SERIES.find((each) => each.id === id);
  if (series === undefined) throw new Error(`no series ${id}`);
  const state = connected({ ...calmSnapshot(), metrics: loaded({ points, skipped: 0 }, NOON) });
  return chartPanel({ ...state, ...changes }, { id: 'chart', rect: RECT, series });
}

const depths = (...values: (number | null)[]) =>
  values.map((queueDepth, index) =>
    aMetricPoint({ atEpochMs: NOON - (values.length - index) * 5 * MINUTE_MS, queueDepth }),
  );

const spansOf = (plot: Plot | undefined) => (plot?.traces[0]?.columns ?? []).filter((span) => span !== null);

describe('the chart', () => {
  it('has units on the one axis and real times on the other', () => {
    const { lines, frame } = chartOf(depths(10, 40, 20));
    expect(textOf(lines[0] ?? [])).toMatch(/^ 40┤/);
    expect(textOf(lines.at(-2) ?? [])).toMatch(/^ {2}0┤/);
    expect(textOf(lines.at(-1) ?? [])).toMatch(/^UTC .*08:00.*10:00/);
    expect(textOf(frame?.title ?? [])).toBe('Queue depth, 6 h · waiting 20');
  });

  it('keeps the highest and the lowest where several points fall into a column', () => {
    const points = Array.from({ length: 600 }, (_, index) =>
      aMetricPoint({ atEpochMs: NOON - (600 - index) * 30_000, queueDepth: index === 300 ? 80 : 10 }),
    );
    const rows = chartOf(points).plot?.rect.height ?? 0;
    expect(Math.max(...spansOf(chartOf(points).plot).map(({ high }) => high))).toBe(rows * 4 - 1);
  });

  it('shows a gap as a gap', () => {
    const columns = chartOf(depths(10, 10, 10, null, null, null, 10, 10, 10)).plot?.traces[0]?.columns ?? [];
    const text = columns.map((span) => (span === null ? ' ' : '#')).join('');
    expect(text.trim()).toMatch(/^#+ +#+$/);
  });

  it('says so when there is nothing to show', () => {
    const panel = chartOf([]);
    expect(panel.plot).toBeUndefined();
    expect(panel.lines.map(textOf).join(' ')).toContain('No measurement in the last 6 h');
  });

  it('stands still while no cell has passed', () => {
    const points = depths(10, 20, 30);
    expect(chartOf(points, 'queue', { nowEpochMs: NOON + 1_000 }).plot).toEqual(
      chartOf(points, 'queue', { nowEpochMs: NOON + 60_000 }).plot,
    );
  });

  it('is not worked out again while neither points nor cells have moved', () => {
    const points = depths(10, 40, 20);
    const [first, second] = [0, 1_000].map((later) => chartOf(points, 'queue', { nowEpochMs: NOON + 1 + later }));
    expect(second?.plot?.traces).toBe(first?.plot?.traces);
    expect(chartOf([...points], 'queue', { nowEpochMs: NOON + 1 }).plot?.traces).not.toBe(first?.plot?.traces);
  });

  it('draws no failures as long as there are none', () => {
    const points = depths(1, 1, 1).map((point) => ({ ...point, failed: 0, sent: 5 }));
    const failed = chartOf(points, 'sent').plot?.traces[1];
    expect(failed?.columns.every((span) => span === null)).toBe(true);
  });

  it.each(SERIES.map(({ id }) => id))('draws the series %s within its room at any size', (id) => {
    const series = SERIES.find((each) => each.id === id) ?? SERIES[0];
    if (series === undefined) throw new Error('no series');
    for (let width = 8; width <= 220; width += 7) {
      for (let height = 3; height <= 60; height += 5) {
        const state = connected(calmSnapshot());
        const { lines, plot } = chartPanel(state, { id: 'chart', rect: { x: 0, y: 0, width, height }, series });
        expect(lines.length).toBeLessThanOrEqual(Math.max(1, height - 2));
        if (plot === undefined) continue;
        expect(plot.rect.x + plot.rect.width).toBeLessThanOrEqual(width - 2);
        for (const { columns } of plot.traces) {
          expect(columns).toHaveLength(plot.rect.width * 2);
          for (const span of columns) {
            if (span !== null)
              expect(span.low >= 0 && span.high < plot.rect.height * 4 && span.low <= span.high).toBe(true);
          }
        }
      }
    }
  });
});

describe('the cursor', () => {
  const points = depths(1, 2, 3);

  it('goes from point to point, and away past the newest', () => {
    const back = movedCursor(FIRST_CHART, points, -1, NOON);
    expect(back.cursorAtEpochMs).toBe(points[2]?.atEpochMs);
    const further = movedCursor(movedCursor(back, points, -1, NOON), points, -1, NOON);
    expect(further.cursorAtEpochMs).toBe(points[0]?.atEpochMs);
    expect(movedCursor(further, points, -1, NOON)).toEqual(further);
    expect(movedCursor(back, points, 1, NOON).cursorAtEpochMs).toBeNull();
    expect(movedCursor(FIRST_CHART, [], -1, NOON).cursorAtEpochMs).toBeNull();
  });

  it('reads the values of its point in the title', () => {
    const state = connected({ ...calmSnapshot(), metrics: loaded({ points, skipped: 0 }, NOON) });
    const read = afterEvents(state, ...keys(',', ','));
    const series = SERIES[read.chart.series] ?? SERIES[0];
    if (series === undefined) throw new Error('no series');
    const { frame, plot } = chartPanel(read, { id: 'chart', rect: RECT, series });
    expect(textOf(frame?.title ?? [])).toBe('Queue depth · at 11:50 waiting 2');
    expect(plot?.cursor).not.toBeNull();
  });
});

it('changes series and range by keys, and stops at the longest range', () => {
  const changed = afterEvents(aState(), ...keys('c', ']'));
  expect(changed.chart).toMatchObject({ series: 1, range: 3, cursorAtEpochMs: null });
  expect(afterEvents(changed, ...keys(']', ']')).chart.range).toBe(3);
});

it.each([
  [0, 10, 10],
  [10, 10, 10],
  [11, 10, 20],
  [41, 10, 50],
  [99, 10, 100],
  [1_234, 10, 2_000],
  [Number.NaN, 10, 10],
  [Number.POSITIVE_INFINITY, 10, 10],
])('an axis for %d, at least %d, ends at %d', (value, least, top) => {
  expect(roundTop(value, least)).toBe(top);
});

it('draws the same in ASCII, a character a cell', () => {
  const { plot } = chartOf(depths(10, 40, 10, 40));
  const rows = plot === undefined ? [] : plotLines(plot).map(textOf);
  expect(rows).toHaveLength(plot?.rect.height ?? -1);
  expect(rows.every((row) => row.length === plot?.rect.width && /^[ *:|]*$/.test(row))).toBe(true);
  expect(rows.join('')).toContain('*');
});
