/** What a view is: a pure function from state to panels, and what it does with the keys that are its own. */
import type { ActionOutcome, ActionRequest } from './actions.ts';
import type { Rect } from './layout.ts';
import type { LoadEvent } from './loaders.ts';
import type { Panel } from './panel.ts';
import type { CommandName, Effect, State } from './state.ts';

/** `Local` is the state that belongs to the view alone: its selection, its filter, the pages it has loaded. */
export interface ViewDefinition<Local> {
  readonly id: string;
  readonly title: string;
  /** One sentence for the help. */
  readonly summary: string;
  readonly initial: Local;
  /** The commands of the keymap that mean something here. */
  readonly handles: readonly CommandName[];
  panels(state: State, rect: Rect, local: Local): readonly Panel[];
  /** Why one of `handles` cannot be done now, or null. */
  unless?(state: State, name: CommandName, local: Local): string | null;
  /** Answers only what changes; the local state is under `local`. */
  reduce?(state: State, event: ViewEvent, local: Local): ViewStep<Local>;
  /** What Esc goes back from at the moment: details of one thing, or whatever else narrows what is seen. */
  leaves?(state: State, local: Local): 'details' | 'narrowing' | null;
  /** Whether a command belongs to the one thing that is shown alone at the moment: its key is offered before others. */
  isForemost?(state: State, name: CommandName): boolean;
}

export type ViewEvent =
  /** Shown now: the moment to load what is needed. */
  | { readonly type: 'opened' }
  /** After each refresh of the snapshot while the view is shown. */
  | { readonly type: 'refreshed' }
  | { readonly type: 'command'; readonly name: CommandName; readonly argument?: string }
  /** Something was done while the view is shown: the moment to load anew what it may have changed. */
  | { readonly type: 'acted'; readonly request: ActionRequest; readonly outcome: ActionOutcome }
  /** With `--mouse`: a cell of the screen, as the rectangles of the panels count them. */
  | { readonly type: 'clicked'; readonly x: number; readonly y: number }
  /** Each change in a prompt that the view opened. */
  | { readonly type: 'typed'; readonly id: string; readonly text: string }
  /** A form that the view opened. */
  | { readonly type: 'submitted'; readonly id: string; readonly values: Readonly<Record<string, string>> }
  | ({ readonly type: 'loaded' } & LoadEvent);

export interface ViewStep<Local> {
  readonly local?: Local;
  readonly state?: Partial<State>;
  readonly effects?: readonly Effect[];
}

/** A view whose local state nobody else needs to know the type of. */
export type View = ViewDefinition<unknown>;

/** Closes over the type of the local state: inside it is known, outside it is opaque. */
export function defineView<Local>(definition: ViewDefinition<Local>): View {
  return definition as unknown as View;
}

export function localOf(state: State, view: View): unknown {
  return state.local[view.id] ?? view.initial;
}
