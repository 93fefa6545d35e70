/** A selected row that stays the same row while the list around it changes. Pure. */

import type { Rect } from '../../layout.ts';
import type { CommandName } from '../../state.ts';
import { movedIndex, windowOf } from './window.ts';

export interface Selection {
  /** Null: nothing was chosen yet, so the first. */
  readonly id: string | null;
  /** Where it was last: when its row goes away, the one that takes its place is selected. */
  readonly index: number;
}

export const FIRST: Selection = { id: null, index: 0 };

export const MOVES: readonly CommandName[] = ['up', 'down', 'page-up', 'page-down', 'first', 'last'];

/** -1 in an empty list. */
export function indexIn(ids: readonly string[], { id, index }: Selection): number {
  const found = id === null ? -1 : ids.indexOf(id);
  return found >= 0 ? found : Math.min(id === null ? 0 : index, ids.length - 1);
}

/** The selection after one of {@link MOVES}; null for every other command. */
export function movedIn(
  ids: readonly string[],
  selection: Selection,
  { name, page }: { readonly name: CommandName; readonly page: number },
): Selection | null {
  const by: Partial<Record<CommandName, number>> = {
    up: -1,
    down: 1,
    'page-up': -page,
    'page-down': page,
    first: -ids.length,
    last: ids.length,
  };
  const step = by[name];
  if (step === undefined) return null;
  const index = Math.max(0, movedIndex(indexIn(ids, selection), ids.length, step));
  return { id: ids[index] ?? null, index };
}

/** Where it is by now, to be found again after the next change. */
export function settledIn(ids: readonly string[], selection: Selection): Selection {
  const index = indexIn(ids, selection);
  if (selection.id === null || index < 0 || (ids[index] === selection.id && index === selection.index))
    return selection;
  return { id: ids[index] ?? null, index };
}

/** Which row of a panel with a table stands at this row of the screen; null where none does. */
export function rowAt(
  { y: top, height }: Rect,
  y: number,
  { count, selected }: { readonly count: number; readonly selected: number },
): number | null {
  // Below the border and the heading.
  const { first, end } = windowOf(count, Math.max(0, selected), height - 3);
  const index = first + y - top - 2;
  return index >= first && index < end ? index : null;
}
