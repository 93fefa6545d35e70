/** Hands an event to a view and takes back what it changes. Pure. */
import type { State, Step } from './state.ts';
import { localOf, type ViewEvent } from './view.ts';
import { VIEWS, viewOf } from './views.ts';

/** To the view that is shown, or to the one that asked for something. */
export function toView(state: State, event: ViewEvent, id: string = state.view): Step {
  const view = VIEWS.find((each) => each.id === id) ?? viewOf(state.view);
  if (view.reduce === undefined) return [state, []];
  const step = view.reduce(state, event, localOf(state, view));
  const local = step.local === undefined ? state.local : { ...state.local, [view.id]: step.local };
  return [{ ...state, ...step.state, local }, step.effects ?? []];
}
