/** The row of views below the banner, and which of them a cell belongs to. Pure. */
import { VIEWS } from './views.ts';

export const BANNER_ROWS = 2;

/** In the order of their keys; a cell lies between each two. */
export function tabLabels(): readonly { readonly id: string; readonly label: string }[] {
  return VIEWS.map(({ id, title }, index) => ({ id, label: ` ${index + 1} ${title} ` }));
}

/** The view whose tab is at this cell, or null. */
export function tabAt(x: number, y: number): string | null {
  if (y !== BANNER_ROWS) return null;
  let begin = 0;
  for (const { id, label } of tabLabels()) {
    if (x >= begin && x < begin + label.length) return id;
    begin += label.length + 1;
  }
  return null;
}
