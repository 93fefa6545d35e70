/** The bottom line: the keys that can be pressed now, as many as fit. Pure. */
import { keyLabel } from './key-label.ts';
import { hintOf, isMeant, type KeyRow, whyNot } from './key-row.ts';
import { KEYMAP, rowFor } from './keymap.ts';
import { type Line, line, seg, spread, widthOf } from './line.ts';
import type { State } from './state.ts';
import { tourHints } from './tour.ts';
import { viewOf } from './views.ts';

const GAP = '  ';
/** These are at the right end, whatever else fits. */
const ALWAYS = new Set(['help', 'quit']);

export function hintLine(state: State, columns: number): Line {
  const dialogHints = inDialog(state);
  if (dialogHints !== null) return line(seg(` ${dialogHints}`, 'muted'));
  const offered = KEYMAP.filter(
    (row) => isBound(row, state) && isMeant(row, state) && hintOf(row, state) !== null && whyNot(row, state) === null,
  );
  const always = hints(
    offered.filter(({ word }) => ALWAYS.has(word)),
    state,
    columns,
  );
  const rest = hints(
    offered.filter(({ word }) => !ALWAYS.has(word)).toSorted((a, b) => rank(a, state) - rank(b, state)),
    state,
    columns - widthOf(always) - 3,
  );
  return spread([seg(' '), ...rest], [...always, seg(' ')], columns);
}

/** Whoever went in wants to know first how to get out, then what can be done with what is there. */
function rank({ name }: KeyRow, state: State): number {
  if (name === 'back') return 0;
  return viewOf(state.view).isForemost?.(state, name) === true ? 1 : 2;
}

/** Its first key may mean something else in the view at hand. */
function isBound({ keys: [first], word }: KeyRow, state: State): boolean {
  return first !== undefined && rowFor(first, state)?.word === word;
}

function hints(rows: readonly KeyRow[], state: State, cells: number): Line {
  let joined: Line = [];
  for (const row of rows) {
    const one = [seg(keyLabel(row.keys[0] ?? ''), 'key'), seg(` ${hintOf(row, state) ?? ''}`, 'text')];
    const longer = joined.length === 0 ? one : [...joined, seg(GAP), ...one];
    if (widthOf(longer) <= cells) joined = longer;
  }
  return joined;
}

function inDialog({ dialog, closing }: State): string | null {
  if (closing !== null) return 'Ctrl-C leaves at once';
  if (dialog === null) return null;
  if (dialog.kind === 'tour') return tourHints(dialog.step);
  if (dialog.kind === 'help') return 'Up Down PgUp PgDn scroll, any other key closes';
  if (dialog.kind === 'command') return 'Tab completes, Enter does it, Esc goes back';
  if (dialog.kind === 'prompt') return 'Enter keeps it, Esc takes it back';
  return dialog.fields.length > 0
    ? 'Enter does it, Tab next field, Esc goes back'
    : 'y or Enter does it, n or Esc goes back';
}
