import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { downsample, METRIC_WINDOW_MS, mergePoints, pointsBetween } from '../../src/domain/metric.ts';
import { aMetricPoint, NOON } from '../support/snapshot.ts';

const MIN = 60_000;
const at = (minutesAgo: number, depth: number | null = 1) =>
  aMetricPoint({ atEpochMs: NOON - minutesAgo * MIN, queueDepth: depth });

describe('mergePoints', () => {
  test('keeps a day, ascending, one point an instant, and the newer reading of it', () => {
    const merged = mergePoints([at(25 * 60), at(10), at(5, 1)], [at(0), at(5, 2)], NOON);
    expect(merged.map(({ atEpochMs, queueDepth }) => [(NOON - atEpochMs) / MIN, queueDepth])).toEqual([
      [10, 1],
      [5, 2],
      [0, 1],
    ]);
  });

  test('answers the known points themselves when nothing changes', () => {
    const known = [at(10), at(5)];
    expect(mergePoints(known, [], NOON)).toBe(known);
  });

  test('drops points from far ahead', () => {
    expect(mergePoints([], [at(-120), at(-10)], NOON)).toHaveLength(1);
  });

  test('in whatever portions points arrive, the result is the same', () => {
    const point = fc.integer({ min: -90, max: 30 * 60 }).map((minutesAgo) => at(minutesAgo));
    fc.assert(
      fc.property(fc.array(point), fc.nat(50), (points, cut) => {
        const inTwo = mergePoints(mergePoints([], points.slice(0, cut), NOON), points.slice(cut), NOON);
        expect(inTwo).toEqual(mergePoints([], points, NOON));
        for (const [index, { atEpochMs }] of inTwo.entries()) {
          expect(atEpochMs).toBeGreaterThan(inTwo[index - 1]?.atEpochMs ?? NOON - METRIC_WINDOW_MS);
        }
      }),
    );
  });
});

describe('pointsBetween', () => {
  test('are those after the one and until the other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50)),
        fc.integer({ min: -5, max: 60 }),
        fc.integer({ min: -5, max: 60 }),
        (ago, a, b) => {
          const points = ago.sort((x, y) => y - x).map((minutes) => at(minutes));
          const [from, to] = [NOON - Math.max(a, b) * MIN, NOON - Math.min(a, b) * MIN];
          expect(pointsBetween(points, from, to)).toEqual(
            points.filter(({ atEpochMs }) => atEpochMs > from && atEpochMs <= to),
          );
        },
      ),
    );
  });

  test('are the points themselves where that is all', () => {
    const points = [at(3), at(2)];
    expect(pointsBetween(points, NOON - 4 * MIN, NOON)).toBe(points);
  });
});

describe('downsample', () => {
  const lastHour = { fromEpochMs: NOON - 60 * MIN, toEpochMs: NOON, buckets: 6 };

  test('keeps the lowest and the highest of each column', () => {
    const points = [at(59, 5), at(56, 90), at(52, 1), at(45, 7)];
    const [first, second] = downsample(points, (point) => point.queueDepth, lastHour);
    expect(first).toEqual({ min: 1, max: 90, last: 1 });
    expect(second).toEqual({ min: 7, max: 7, last: 7 });
  });

  test('neighbours are joined, gaps stay gaps', () => {
    const fine = { ...lastHour, buckets: 60 };
    const columns = downsample([at(60, 0), at(50, 10), at(20, 3)], (point) => point.queueDepth, fine);
    expect(columns.slice(0, 11).map((bucket) => bucket?.last)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(columns.slice(11, 40).every((bucket) => bucket === null)).toBe(true);
  });

  test('a point without the value is a gap, not a zero', () => {
    const fine = { ...lastHour, buckets: 60 };
    const columns = downsample([at(30, 4), at(28, null), at(26, 4)], (point) => point.queueDepth, fine);
    expect(columns.slice(30, 35).map((bucket) => bucket?.last ?? null)).toEqual([4, null, null, null, 4]);
  });

  test('no spike is lost and none is invented', () => {
    const points = fc
      .uniqueArray(fc.record({ ago: fc.integer({ min: 1, max: 60 }), depth: fc.option(fc.nat(1_000)) }), {
        selector: ({ ago }) => ago,
      })
      .map((list) => list.sort((a, b) => b.ago - a.ago).map(({ ago, depth }) => at(ago, depth)));
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 80 }), (list, buckets) => {
        const columns = downsample(list, (point) => point.queueDepth, { ...lastHour, buckets });
        const values = list.map(({ queueDepth }) => queueDepth).filter((value) => value !== null);
        const shown = columns.filter((bucket) => bucket !== null);
        expect(columns).toHaveLength(buckets);
        expect(Math.max(...shown.map(({ max }) => max))).toBe(Math.max(...values));
        expect(Math.min(...shown.map(({ min }) => min))).toBe(Math.min(...values));
      }),
    );
  });

  test.each([
    { ...lastHour, buckets: 0 },
    { ...lastHour, buckets: Number.NaN },
    { fromEpochMs: NOON, toEpochMs: NOON, buckets: 3 },
    { fromEpochMs: NOON, toEpochMs: NOON - 1, buckets: 3 },
  ])('a window without room shows nothing: %o', (window) => {
    expect(downsample([at(1)], (point) => point.queueDepth, window).every((bucket) => bucket === null)).toBe(true);
  });
});
