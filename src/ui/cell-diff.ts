/**
 * Two grids of cells → the bytes that turn one into the other on a terminal: moves, looks and text, each the shortest that is
 * near. Begins anywhere and with the terminal's own look, and ends with it, so that a frame never depends on the one before. Pure
 * but for `shown`, which becomes like `wanted`.
 */

/** As the screen library keeps it: look and character. */
export type DiffCell = [look: number, character: string];

/** A row says when something was drawn in it. */
export type DiffRow = DiffCell[] & { dirty?: boolean };

export interface CellGrids {
  /** What the terminal shows. */
  readonly shown: readonly DiffRow[];
  readonly wanted: readonly DiffRow[];
  /** What stands for a character on the terminal. */
  readonly text: (character: string) => string;
}

export function cellDiff({ shown, wanted, text }: CellGrids): string {
  const pen = createPen();
  wanted.forEach((row, y) => {
    if (row.dirty !== true) return;
    row.dirty = false;
    const old = shown[y] ?? [];
    for (let x = nextChange(old, row, 0); x < row.length; x = nextChange(old, row, x)) {
      const blanks = blankRun(old, row, x);
      const isErased = blanks >= ERASED_FROM;
      if (isErased) pen.erase(x, y, blanks, row.length);
      else pen.write(row, x, y, text);
      for (const end = x + (isErased ? blanks : 1); x < end; x += 1) old[x] = [...(row[x] ?? BLANK)];
    }
  });
  return pen.end();
}

/** The terminal's own colours, and no flags: 9 bits of background, 9 of foreground, flags above them. */
export const OWN_LOOK = (0x1ff << 9) | 0x1ff;
const BLANK: DiffCell = [OWN_LOOK, ' '];

/** Erasing costs five bytes, and five more to go on behind it. */
const ERASED_FROM = 10;

function nextChange(old: DiffRow, row: DiffRow, from: number): number {
  let x = from;
  while (x < row.length && isSame(old[x], row[x])) x += 1;
  return x;
}

function isSame(a: DiffCell | undefined, b: DiffCell | undefined): boolean {
  if (a === undefined || b === undefined || a[1] !== b[1]) return false;
  return a[0] === b[0] || (a[1] === ' ' && blankLook(a[0]) === blankLook(b[0]));
}

/** Nobody sees the colour or the weight of a blank; a line below it or its own background they do. */
function blankLook(look: number): number {
  return ((look >> 18) & SEEN_ON_BLANKS) === 0 ? look & 0x1ff : look;
}

const FLAGS = [
  { bit: 1, on: '1' },
  { bit: 2, on: '4' },
  { bit: 4, on: '5' },
  { bit: 8, on: '7' },
  { bit: 16, on: '8' },
] as const;
const SEEN_ON_BLANKS = 2 | 8;
const OWN_BLANK = 0x1ff;

/** How many blanks without a background stand from `x` to the last one that changes. */
function blankRun(old: DiffRow, row: DiffRow, x: number): number {
  let end = x;
  let last = x;
  while (end < row.length && row[end]?.[1] === ' ' && blankLook(row[end]?.[0] ?? 0) === OWN_BLANK) {
    if (!isSame(old[end], row[end])) last = end + 1;
    end += 1;
  }
  return last - x;
}

function createPen() {
  let out = '';
  let look = OWN_LOOK;
  let [atX, atY] = [-1, -1];

  const moveTo = (row: DiffRow | null, x: number, y: number, text: (character: string) => string) => {
    if (atX === x && atY === y) return;
    const isAhead = atY === y && atX >= 0 && atX < x;
    const move = isAhead ? forward(x - atX) : `\x1b[${y + 1}${x === 0 ? '' : `;${x + 1}`}H`;
    const between = isAhead && row !== null && x - atX < move.length ? again(row, atX, x, look, text) : null;
    out += between !== null && Buffer.byteLength(between) < move.length ? between : move;
  };
  return {
    write: (row: DiffRow, x: number, y: number, text: (character: string) => string) => {
      moveTo(row, x, y, text);
      const [wanted, character] = row[x] ?? BLANK;
      if (character !== ' ' || blankLook(wanted) !== blankLook(look)) {
        out += switchLook(look, wanted);
        look = wanted;
      }
      out += text(character);
      [atX, atY] = [x + 1 < row.length ? x + 1 : -1, y];
    },
    erase: (x: number, y: number, blanks: number, width: number) => {
      moveTo(null, x, y, String);
      if (blankLook(look) !== OWN_BLANK) {
        out += '\x1b[m';
        look = OWN_LOOK;
      }
      out += x + blanks === width ? '\x1b[K' : `\x1b[${blanks}X`;
      [atX, atY] = [x, y];
    },
    end: () => (look === OWN_LOOK ? out : `${out}\x1b[m`),
  };
}

function forward(cells: number): string {
  return cells === 1 ? '\x1b[C' : `\x1b[${cells}C`;
}

/** What stands between, where it has the look that is on: a few characters are shorter than a move. Else null. */
function again(
  row: DiffRow,
  from: number,
  to: number,
  look: number,
  text: (character: string) => string,
): string | null {
  let between = '';
  for (let x = from; x < to; x += 1) {
    const [wanted, character] = row[x] ?? BLANK;
    const fits = character === ' ' ? blankLook(wanted) === blankLook(look) : wanted === look;
    if (!fits) return null;
    between += text(character);
  }
  return between;
}

/** From nothing, or only what is different: whichever is shorter. */
function switchLook(from: number, to: number): string {
  if (from === to) return '';
  if (to === OWN_LOOK) return '\x1b[m';
  const [flagsFrom, flagsTo] = [from >> 18, to >> 18];
  const [fg, bg] = [colour((to >> 9) & 0x1ff, 30), colour(to & 0x1ff, 40)];
  const flags = (bits: number) => FLAGS.filter(({ bit }) => (bits & bit) !== 0).map(({ on }) => on);
  const isSameFg = ((from ^ to) & (0x1ff << 9)) === 0;
  const isSameBg = ((from ^ to) & 0x1ff) === 0;
  const anew = [...(from === OWN_LOOK ? [] : ['']), ...flags(flagsTo), ...fg, ...bg].join(';');
  // Switching a flag off is not the same everywhere: then anew.
  if ((flagsFrom & ~flagsTo) !== 0) return `\x1b[${anew}m`;
  const changes = [
    ...flags(flagsTo & ~flagsFrom),
    ...(isSameFg ? [] : fg.length === 0 ? ['39'] : fg),
    ...(isSameBg ? [] : bg.length === 0 ? ['49'] : bg),
  ].join(';');
  return `\x1b[${changes.length < anew.length ? changes : anew}m`;
}

function colour(value: number, base: 30 | 40): string[] {
  if (value === 0x1ff) return [];
  if (value < 8) return [String(base + value)];
  return [value < 16 ? String(base + 60 + value - 8) : `${base + 8};5;${value}`];
}
