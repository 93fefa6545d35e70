/** Rectangles on the screen, in cells, and how they are divided. Pure; nothing overlaps and nothing is lost. */

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Below this there is one line that says so. */
export const LEAST_SIZE: Size = { columns: 60, rows: 16 };

export function isTooSmall({ columns, rows }: Size): boolean {
  return columns < LEAST_SIZE.columns || rows < LEAST_SIZE.rows;
}

/** Above a view: two lines of banner and the tabs. Below it: the hints. */
const ABOVE_VIEW = 3;
const BELOW_VIEW = 1;

/** What is left to the view. */
export function bodyOf({ columns, rows }: Size): Rect {
  return { x: 0, y: ABOVE_VIEW, width: columns, height: Math.max(0, rows - ABOVE_VIEW - BELOW_VIEW) };
}

/** A length in cells, or a share of what the fixed ones leave. */
export type Part = number | { readonly share: number };

/** Side by side, from left to right. */
export function columnsOf(rect: Rect, parts: readonly Part[]): Rect[] {
  let x = rect.x;
  return lengths(rect.width, parts).map((width) => {
    const part = { ...rect, x, width };
    x += width;
    return part;
  });
}

/** One below the other, from the top. */
export function rowsOf(rect: Rect, parts: readonly Part[]): Rect[] {
  let y = rect.y;
  return lengths(rect.height, parts).map((height) => {
    const part = { ...rect, y, height };
    y += height;
    return part;
  });
}

/** Of the given size at most, in the middle of `rect`. */
export function centred(rect: Rect, width: number, height: number): Rect {
  const w = Math.min(width, rect.width);
  const h = Math.min(height, rect.height);
  return {
    x: rect.x + Math.floor((rect.width - w) / 2),
    y: rect.y + Math.floor((rect.height - h) / 2),
    width: w,
    height: h,
  };
}

/** What a border leaves. */
export function inside(rect: Rect): Rect {
  return { x: rect.x + 1, y: rect.y + 1, width: Math.max(0, rect.width - 2), height: Math.max(0, rect.height - 2) };
}

/** Cells of a title in the upper border, with a space and a piece of the border on either side. */
export function titleRoom({ width }: Rect): number {
  return Math.max(0, width - 6);
}

export function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function lengths(total: number, parts: readonly Part[]): number[] {
  const fixed = parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? part : 0), 0);
  const shares = parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? 0 : part.share), 0);
  let rest = Math.max(0, total - fixed);
  let restShares = shares;
  let room = total;
  return parts.map((part) => {
    const wanted = typeof part === 'number' ? part : Math.round((rest * part.share) / Math.max(1, restShares));
    if (typeof part !== 'number') {
      rest -= wanted;
      restShares -= part.share;
    }
    const length = Math.max(0, Math.min(wanted, room));
    room -= length;
    return length;
  });
}
