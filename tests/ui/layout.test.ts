import fc from 'fast-check';
import { expect, it } from 'vitest';
import { centred, columnsOf, type Part, type Rect, rowsOf } from '../../src/ui/layout.ts';

const aRect: fc.Arbitrary<Rect> = fc.record({
  x: fc.nat(50),
  y: fc.nat(50),
  width: fc.nat(250),
  height: fc.nat(90),
});
const parts = fc.array(fc.oneof(fc.nat(40), fc.record({ share: fc.integer({ min: 1, max: 20 }) })), {
  minLength: 1,
  maxLength: 6,
});

it('divides a rectangle without overlap and within its bounds, and wholly where there is a share', () => {
  fc.assert(
    fc.property(aRect, parts, (rect, given: Part[]) => {
      const columns = columnsOf(rect, given);
      let x = rect.x;
      for (const column of columns) {
        expect(column).toMatchObject({ x, y: rect.y, height: rect.height });
        x += column.width;
      }
      expect(x).toBeLessThanOrEqual(rect.x + rect.width);
      if (given.some((part) => typeof part !== 'number')) expect(x).toBe(rect.x + rect.width);
      expect(rowsOf(rect, given).every((row) => row.y + row.height <= rect.y + rect.height)).toBe(true);
    }),
  );
});

it('gives fixed lengths first, and shares what is left', () => {
  const widths = columnsOf({ x: 0, y: 0, width: 100, height: 1 }, [{ share: 2 }, 10, { share: 1 }]).map(
    (each) => each.width,
  );
  expect(widths).toEqual([60, 10, 30]);
});

it('centres, and never beyond what there is', () => {
  const rect = { x: 10, y: 5, width: 20, height: 9 };
  expect(centred(rect, 10, 3)).toEqual({ x: 15, y: 8, width: 10, height: 3 });
  expect(centred(rect, 100, 100)).toEqual(rect);
});
