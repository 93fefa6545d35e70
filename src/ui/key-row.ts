/** What a row of the key table says, and what it means at the moment. Pure; the table itself is `keymap.ts`. */
import type { ActionKind } from './actions.ts';
import { type CommandName, type State, whyInert } from './state.ts';
import { localOf } from './view.ts';
import { viewOf } from './views.ts';

export interface KeyRow {
  readonly keys: readonly string[];
  /** What to type after `:`. Unique. */
  readonly word: string;
  /** What it does, for the help. */
  readonly does: string;
  /** For the line of hints; null where the key explains itself or is rare. */
  readonly hint: string | null | ((state: State) => string | null);
  readonly name: CommandName;
  readonly argument?: string;
  /** What may follow the word on the command line: words to complete, or a description in `<>`. */
  readonly takes?: readonly string[];
  /** `view`: only where the view handles the command. */
  readonly scope: 'program' | 'view';
  /** Changes something outside: inert in a read-only console. */
  readonly changes?: boolean;
  /** Offered only where the console can do one of these. */
  readonly needs?: readonly ActionKind[];
  /** Why it can't be done now, or null. */
  unless?(state: State): string | null;
}

export function isMeant(row: KeyRow, state: State): boolean {
  return row.scope === 'program' || viewOf(state.view).handles.includes(row.name);
}

/** Why a row can't be done now, in words for the person who pressed its key; null when it can. */
export function whyNot(row: KeyRow, state: State): string | null {
  const inert = row.changes === true ? whyInert(state) : null;
  if (inert !== null) return inert;
  if (row.needs !== undefined && !row.needs.some((kind) => state.available.has(kind)))
    return state.connection.kind === 'open' ? 'not possible from this console' : 'not connected yet';
  const why = row.unless?.(state) ?? null;
  if (why !== null || row.scope === 'program') return why;
  const view = viewOf(state.view);
  return view.unless?.(state, row.name, localOf(state, view)) ?? null;
}

export function hintOf(row: KeyRow, state: State): string | null {
  return typeof row.hint === 'function' ? row.hint(state) : row.hint;
}
