import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asciiText } from '../../src/ui/ascii.ts';
import { cellDiff, type DiffCell, type DiffRow, OWN_LOOK } from '../../src/ui/cell-diff.ts';
import { createHeadlessTerminal } from '../support/headless-terminal.ts';

const SIZE = { columns: 24, rows: 4 };
/** Foreground, background, flags (1 bold, 2 underlined, 8 inverse). */
const look = (fg: number, bg = 0x1ff, flags = 0) => (flags << 18) | (fg << 9) | bg;
const LOOKS = [
  OWN_LOOK,
  look(244),
  look(1, 0x1ff, 1),
  look(12),
  look(7, 1, 1),
  look(0x1ff, 0x1ff, 8),
  look(3, 0x1ff, 2),
];

const cell = fc.tuple(
  fc.constantFrom(...LOOKS),
  fc.constantFrom(' ', ' ', ' ', 'a', 'b', '─', '⣿'),
) satisfies fc.Arbitrary<DiffCell>;
/** Runs, as on a screen: most neighbours look alike. */
const row = fc
  .array(fc.tuple(cell, fc.integer({ min: 1, max: 16 })), { minLength: 4, maxLength: 10 })
  .map((runs) => runs.flatMap(([each, count]) => Array.from({ length: count }, (): DiffCell => [...each])))
  .map((cells) =>
    Array.from({ length: SIZE.columns }, (_, x): DiffCell => [...(cells[x] ?? ([OWN_LOOK, ' '] as const))]),
  );
const grid = fc.array(row, { minLength: SIZE.rows, maxLength: SIZE.rows });

function dirty(rows: readonly DiffRow[]): DiffRow[] {
  return rows.map((cells) => Object.assign([...cells], { dirty: true }));
}

function blank(): DiffRow[] {
  return Array.from({ length: SIZE.rows }, () => Array.from({ length: SIZE.columns }, (): DiffCell => [OWN_LOOK, ' ']));
}

function diff(shown: readonly DiffRow[], wanted: readonly DiffRow[], text: (character: string) => string = String) {
  return cellDiff({ shown, wanted: dirty(wanted), text });
}

/** What a terminal shows that was given every cell of a grid in its look, one by one. */
async function looksOf(wanted: readonly DiffRow[]) {
  const terminal = createHeadlessTerminal(SIZE);
  for (const [y, cells] of wanted.entries()) {
    for (const [x, [attributes, character]] of cells.entries()) {
      const [fg, bg, flags] = [(attributes >> 9) & 0x1ff, attributes & 0x1ff, attributes >> 18];
      const sgr = [0, ...[1, 4, 5, 7, 8].filter((_, bit) => (flags & (1 << bit)) !== 0)];
      const colours = [...(fg === 0x1ff ? [] : [`38;5;${fg}`]), ...(bg === 0x1ff ? [] : [`48;5;${bg}`])];
      terminal.write(`\x1b[${y + 1};${x + 1}H\x1b[${[...sgr, ...colours].join(';')}m${character}`);
    }
  }
  await terminal.settle();
  const seen = seenCells(terminal);
  terminal.dispose();
  return seen;
}

/** Of a blank only what can be seen. */
function seenCells(terminal: ReturnType<typeof createHeadlessTerminal>) {
  return terminal
    .cells()
    .map((cells) =>
      cells.map((each) => (each.text === ' ' ? [' ', each.bg] : [each.text, each.fg, each.bg, each.isBold])),
    );
}

describe('the difference of two grids', () => {
  it('makes a terminal show the second, whatever was there and wherever its cursor was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(grid, { minLength: 1, maxLength: 3 }), async (grids) => {
        const terminal = createHeadlessTerminal(SIZE);
        const shown = blank();
        for (const wanted of grids) {
          terminal.write(`\x1b[2;${SIZE.columns / 2}H`);
          terminal.write(diff(shown, wanted));
          await terminal.settle();
          expect(seenCells(terminal)).toEqual(await looksOf(wanted));
        }
        terminal.dispose();
      }),
      { numRuns: 150 },
    );
  });

  it('of a grid and itself is nothing, also when only the colour of blanks is different', () => {
    const shown = blank();
    expect(diff(shown, blank())).toBe('');
    expect(diff(shown, [[[look(244), ' ']]])).toBe('');
  });

  it('ends with the look it begins with', () => {
    const wanted = blank();
    wanted[1] = [[look(1), 'x']];
    expect(diff(blank(), wanted)).toBe('\x1b[2H\x1b[31mx\x1b[m');
  });

  it('looks only at rows in which something was drawn', () => {
    const wanted: DiffRow[] = [[[OWN_LOOK, 'x']], Object.assign([[OWN_LOOK, 'y'] as DiffCell], { dirty: true })];
    expect(cellDiff({ shown: blank(), wanted, text: String })).toBe('\x1b[2Hy');
    expect(wanted[1]?.dirty).toBe(false);
  });

  it('writes a few characters again rather than moving over them', () => {
    const shown = blank();
    diff(shown, [[...'a1b2c'].map((character): DiffCell => [OWN_LOOK, character])]);
    expect(diff(shown, [[...'a3b4c'].map((character): DiffCell => [OWN_LOOK, character])])).toBe('\x1b[1;2H3b4');
  });

  it('erases long blanks', () => {
    const full = blank().map((cells) => cells.map((): DiffCell => [OWN_LOOK, 'x']));
    const shown = blank();
    diff(shown, full);
    expect(diff(shown, blank())).toBe([1, 2, 3, 4].map((y) => `\x1b[${y}H\x1b[K`).join(''));
  });

  it('writes ASCII where nothing else may be sent', () => {
    expect(diff(blank(), [[[OWN_LOOK, '┌']]], asciiText)).toBe('\x1b[1H+');
  });
});
