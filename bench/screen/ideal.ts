/**
 * The fewest bytes that turn one grid of cells into another: what no program that draws the same can undercut by much. Changed
 * cells are written from the top left to the bottom right; between two of them the cursor moves by the shortest sequence or
 * writes again what stands there, looks change by the shortest sequence, and blanks are erased where that is shorter. All of
 * these are weighed against each other (dynamic programming). Like every frame that can stand alone, it begins without knowing
 * where the cursor is and begins and ends with the terminal's own look. Not used: scrolling, inserting, repeating characters.
 */
import type { Cell, Grid, Pen } from './grid.ts';
import { PLAIN } from './grid.ts';

export interface IdealDiff {
  readonly bytes: number;
  /** Cells that look different. */
  readonly cells: number;
}

export function idealDiff(before: Grid, after: Grid): IdealDiff {
  const changed = changedCells(before, after);
  if (changed.length === 0) return { bytes: 0, cells: 0 };
  const columns = after[0]?.length ?? 0;
  // What can be reached after the cells that were written so far, by how it was reached.
  const states: Map<string, Reached>[] = Array.from({ length: changed.length + 1 }, () => new Map());
  keep(states[0], { bytes: 0, place: null, pen: PLAIN });
  for (const [index, { x, y }] of changed.entries()) {
    const row = after[y] ?? [];
    const cell = row[x];
    if (cell === undefined) continue;
    const blank = blankRun(row, x);
    const next = nextAfter(changed, index, y, x + blank);
    for (const state of states[index]?.values() ?? []) {
      for (const arrived of arrivals(state, { x, y }, row)) {
        for (const written of writings(arrived, cell)) {
          keep(states[index + 1], { ...written, place: placeAfter(x, y, columns) });
        }
        if (blank > 0 && arrived.pen.bg === '' && !isInverse(arrived.pen)) {
          const bytes = x + blank === columns ? 3 : 3 + digits(blank);
          keep(states[next], { ...arrived, bytes: arrived.bytes + bytes, place: { x, y } });
        }
      }
    }
  }
  const ends = [...(states.at(-1)?.values() ?? [])].map(({ bytes, pen }) => bytes + switchBytes(pen, PLAIN));
  return { bytes: Math.min(...ends), cells: changed.length };
}

interface Place {
  readonly x: number;
  readonly y: number;
}

interface Reached {
  readonly bytes: number;
  /** Null: anywhere. */
  readonly place: Place | null;
  readonly pen: Pen;
}

function keep(states: Map<string, Reached> | undefined, state: Reached): void {
  const key = `${state.place?.x},${state.place?.y} ${penKey(state.pen)}`;
  const known = states?.get(key);
  if (known === undefined || known.bytes > state.bytes) states?.set(key, state);
}

function changedCells(before: Grid, after: Grid): Place[] {
  return after.flatMap((row, y) =>
    row.flatMap((cell, x) => {
      const old = before[y]?.[x];
      return old !== undefined && looksAlike(old, cell) ? [] : [{ x, y }];
    }),
  );
}

/** Of a blank nobody sees the colour or the weight of what is not there. */
function looksAlike(a: Cell, b: Cell): boolean {
  if (a.text !== b.text) return false;
  return a.text === ' ' ? isBlankIn(a.pen, b.pen) : penKey(a.pen) === penKey(b.pen);
}

function isBlankIn(pen: Pen, wanted: Pen): boolean {
  return blankKey(pen) === blankKey(wanted);
}

const keys = new WeakMap<Pen, string>();

function penKey(pen: Pen): string {
  const known = keys.get(pen);
  if (known !== undefined) return known;
  const key = `${pen.fg}/${pen.bg}/${pen.attributes.join()}`;
  keys.set(pen, key);
  return key;
}

function blankKey(pen: Pen): string {
  const marks = pen.attributes.filter((each) => each === '4' || each === '7' || each === '9');
  return marks.length > 0 ? penKey(pen) : pen.bg;
}

function isInverse({ attributes }: Pen): boolean {
  return attributes.includes('7');
}

/** Cells from `x` on that can be erased. */
function blankRun(row: readonly Cell[], x: number): number {
  let end = x;
  while (end < row.length && row[end]?.text === ' ' && blankKey(row[end]?.pen ?? PLAIN) === '') end += 1;
  return end - x;
}

function nextAfter(changed: readonly Place[], index: number, y: number, endX: number): number {
  let next = index + 1;
  while (next < changed.length && changed[next]?.y === y && (changed[next]?.x ?? 0) < endX) next += 1;
  return next;
}

/** After the last column a terminal waits with the next line: where the cursor is then is best not relied on. */
function placeAfter(x: number, y: number, columns: number): Place | null {
  return x + 1 < columns ? { x: x + 1, y } : null;
}

/** By moving, and, on the same row, by writing again what stands between. */
function arrivals(state: Reached, to: Place, row: readonly Cell[]): Reached[] {
  const moved = { ...state, bytes: state.bytes + moveBytes(state.place, to), place: to };
  const { place } = state;
  if (place === null || place.y !== to.y || place.x >= to.x || to.x - place.x > LONGEST_BRIDGE) return [moved];
  let bridged: Reached[] = [state];
  for (let x = place.x; x < to.x; x += 1) {
    const cell = row[x];
    if (cell === undefined) return [moved];
    bridged = bridged.flatMap((each) => writings(each, cell)).filter(({ bytes }) => bytes < moved.bytes + 12);
  }
  return [moved, ...bridged.map((each) => ({ ...each, place: to }))];
}

/** A move on the same row takes six bytes at most, a look that is kept by not moving saves no more than another dozen. */
const LONGEST_BRIDGE = 18;

/** A cell in its look; a blank in any look in which it is the same blank. */
function writings(state: Reached, { text, pen }: Cell): Reached[] {
  const bytes = Buffer.byteLength(text);
  const as = (next: Pen): Reached => ({
    ...state,
    bytes: state.bytes + bytes + (next === state.pen ? 0 : switchBytes(state.pen, next)),
    pen: next,
  });
  if (text !== ' ' || blankKey(pen) !== pen.bg) return [as(penKey(pen) === penKey(state.pen) ? state.pen : pen)];
  if (isBlankIn(state.pen, pen)) return [as(state.pen)];
  return [as(pen), as(bare(state.pen, pen.bg))];
}

const barePens = new Map<string, Pen>();

/** The same colour and weight on another background, without what shows on blanks. */
function bare(pen: Pen, bg: string): Pen {
  const attributes = pen.attributes.filter((each) => each !== '4' && each !== '7' && each !== '9');
  const key = `${pen.fg}/${bg}/${attributes.join()}`;
  const known = barePens.get(key) ?? { fg: pen.fg, bg, attributes };
  barePens.set(key, known);
  return known;
}

/** `ESC [ … m`: either from nothing, or only what is different. */
function switchBytes(from: Pen, to: Pen): number {
  if (penKey(from) === penKey(to)) return 0;
  const whole = [...to.attributes, ...(to.fg === '' ? [] : [to.fg]), ...(to.bg === '' ? [] : [to.bg])];
  const isFromNothing = penKey(from) === penKey(PLAIN);
  const anew = isFromNothing ? whole : whole.length === 0 ? [] : ['', ...whole];
  const off = from.attributes.filter((each) => !to.attributes.includes(each)).map((each) => OFF[each] ?? '0');
  // Bold and dim end together: what is to stay is switched on again.
  const lost = off.includes('22') ? to.attributes.filter((each) => each === '1' || each === '2') : [];
  const on = to.attributes.filter((each) => !from.attributes.includes(each));
  const changes = [
    ...new Set([...off, ...lost, ...on]),
    ...(from.fg === to.fg ? [] : [to.fg === '' ? '39' : to.fg]),
    ...(from.bg === to.bg ? [] : [to.bg === '' ? '49' : to.bg]),
  ];
  return 3 + Math.min(anew.join(';').length, changes.join(';').length);
}

const OFF: Readonly<Record<string, string>> = { 1: '22', 2: '22', 3: '23', 4: '24', 7: '27', 9: '29' };

/** The shortest of all ways: absolute, or down and across. */
function moveBytes(from: Place | null, to: Place): number {
  const absolute = to.x === 0 ? (to.y === 0 ? 3 : 3 + digits(to.y + 1)) : 4 + digits(to.y + 1) + digits(to.x + 1);
  if (from === null || to.y < from.y) return absolute;
  const down = to.y - from.y;
  const vertical = Math.min(down, down === 0 ? 0 : 3 + digits(down));
  const across = to.x - from.x;
  const column = to.x === 0 ? 1 : 3 + digits(to.x + 1);
  const relative = across === 0 ? 0 : across > 0 ? stepBytes(across) : Math.min(-across, stepBytes(-across));
  const byReturn = 1 + (to.x === 0 ? 0 : stepBytes(to.x));
  return Math.min(absolute, vertical + Math.min(column, relative, byReturn));
}

/** One step needs no number. */
function stepBytes(steps: number): number {
  return steps === 1 ? 3 : 3 + digits(steps);
}

function digits(value: number): number {
  return String(value).length;
}
