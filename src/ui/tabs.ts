/** The row of views below the banner, and which of them a cell belongs to. Pure. */
import { plural } from '../domain/format.ts';
import type { State } from './state.ts';
import { VIEWS } from './views.ts';

export const BANNER_ROWS = 2;

/** In the order of their keys; a cell lies between each two. Without the room around their words where that is scarce. */
export function tabLabels(
  cells = Number.POSITIVE_INFINITY,
): readonly { readonly id: string; readonly label: string }[] {
  const wide = VIEWS.map(({ id, title }, index) => ({ id, label: ` ${index + 1} ${title} ` }));
  const width = wide.reduce((sum, { label }) => sum + label.length + 1, 0);
  return width <= cells ? wide : wide.map(({ id, label }) => ({ id, label: label.trim() }));
}

/** What stands at the right end of the row; empty where everything was seen. */
export function unseenWords({ alertsUnseen: { size } }: State): string {
  return size === 0 ? '' : `● ${plural(size, 'new alert')} `;
}

/** Cells that are left to the tabs. */
export function roomForTabs(state: State): number {
  return state.size.columns - unseenWords(state).length;
}

/** The view whose tab is at this cell, or null. */
export function tabAt(x: number, y: number, cells?: number): string | null {
  if (y !== BANNER_ROWS) return null;
  let begin = 0;
  for (const { id, label } of tabLabels(cells)) {
    if (x >= begin && x < begin + label.length) return id;
    begin += label.length + 1;
  }
  return null;
}
