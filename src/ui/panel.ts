/** What a view answers: panels as plain data. `panels/` applies them to widgets; tests read them as they are. */
import type { Rect } from './layout.ts';
import type { Line, Role } from './line.ts';

export interface Panel {
  /** Unique in a frame; the widget of the previous frame with the same id is used again. */
  readonly id: string;
  readonly rect: Rect;
  /** Null: no border, and no title. */
  readonly frame: { readonly title: Line; readonly role: Role } | null;
  /** From the top of the inside; each is cut to its width. */
  readonly lines: readonly Line[];
  readonly plot?: Plot;
}

/** A chart inside a panel, in dots: each cell is two dots wide and four high. */
export interface Plot {
  /** Relative to the inside of the panel, in cells. */
  readonly rect: Rect;
  /** Painted in this order: later ones lie on top. */
  readonly traces: readonly Trace[];
  /** Dot column of the cursor. */
  readonly cursor: number | null;
}

export interface Trace {
  readonly role: Role;
  /** One for each dot column, `null` for a gap; rows of dots counted from the bottom. */
  readonly columns: readonly (Span | null)[];
}

export interface Span {
  readonly low: number;
  readonly high: number;
}

/** Everything on the screen, back to front. */
export type Frame = readonly Panel[];

/** A panel without border. */
export function bare(id: string, rect: Rect, lines: readonly Line[]): Panel {
  return { id, rect, frame: null, lines };
}
