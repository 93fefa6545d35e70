import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankGrid, createGridTerminal } from '../../bench/screen/grid.ts';
import { idealDiff } from '../../bench/screen/ideal.ts';
import { cellDiff, type DiffCell, type DiffRow, OWN_LOOK } from '../../src/ui/cell-diff.ts';

const SIZE = { columns: 20, rows: 3 };
const BLANK = blankGrid(SIZE);

/** From an empty screen. */
async function idealFor(bytes: string): Promise<{ bytes: number; cells: number }> {
  const terminal = createGridTerminal(SIZE);
  const grid = await terminal.after(bytes);
  terminal.dispose();
  return idealDiff(BLANK, grid);
}

describe('the ideal difference of two screens', () => {
  it('of a screen and itself is nothing', () => {
    expect(idealDiff(BLANK, BLANK)).toEqual({ bytes: 0, cells: 0 });
  });

  it.each([
    ['a character at the top left', '\x1b[Hx', '\x1b[Hx'],
    ['somewhere', '\x1b[2;7Hx', '\x1b[2;7Hx'],
    ['in colour, and back', '\x1b[H\x1b[38;5;1mx\x1b[0m', '\x1b[H\x1b[31mx\x1b[m'],
    ['two near each other, with what stands between', '\x1b[Ha b', '\x1b[Ha b'],
    ['two far from each other', '\x1b[Ha\x1b[1;12Hb', '\x1b[Ha\x1b[10Cb'],
    ['a bar of background', '\x1b[2H\x1b[41m   \x1b[m', '\x1b[2H\x1b[41m   \x1b[m'],
  ])('takes what is needed: %s', async (_, drawn, shortest) => {
    expect((await idealFor(drawn)).bytes).toBe(shortest.length);
  });

  it('erases a long blank', async () => {
    const terminal = createGridTerminal(SIZE);
    const full = await terminal.after(`\x1b[H${'x'.repeat(20)}`);
    terminal.dispose();
    expect(idealDiff(full, BLANK)).toEqual({ bytes: '\x1b[H\x1b[K'.length, cells: 20 });
  });

  it('is never more than what we send, and we send little more', async () => {
    const looks = [OWN_LOOK, (244 << 9) | 0x1ff, (1 << 18) | (1 << 9) | 0x1ff, (0x1ff << 9) | 4];
    const cell = fc.tuple(fc.constantFrom(...looks), fc.constantFrom(' ', ' ', 'a', '⣿'));
    const rows = fc.array(fc.array(cell, { minLength: SIZE.columns, maxLength: SIZE.columns }), {
      minLength: SIZE.rows,
      maxLength: SIZE.rows,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(rows, { minLength: 1, maxLength: 4 }), async (pictures) => {
        const terminal = createGridTerminal(SIZE);
        const shown: DiffRow[] = BLANK.map((row) => row.map((): DiffCell => [OWN_LOOK, ' ']));
        let grid = BLANK;
        for (const picture of pictures) {
          const wanted = picture.map((row) =>
            Object.assign(
              row.map((each): DiffCell => [...each]),
              { dirty: true },
            ),
          );
          const sent = cellDiff({ shown, wanted, text: String });
          const next = await terminal.after(sent);
          const ideal = idealDiff(grid, next).bytes;
          expect(ideal).toBeLessThanOrEqual(Buffer.byteLength(sent));
          expect(Buffer.byteLength(sent)).toBeLessThanOrEqual(ideal * 1.3 + 12);
          grid = next;
        }
        terminal.dispose();
      }),
      { numRuns: 60 },
    );
  });
});
