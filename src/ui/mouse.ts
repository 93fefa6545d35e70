/** What clicks and the wheel do, with `--mouse`: a click on a tab goes to its view, the rest is the view's. Pure. */
import { obey } from './commands.ts';
import type { InputEvent } from './input.ts';
import type { State, Step } from './state.ts';
import { roomForTabs, tabAt } from './tabs.ts';
import { toView } from './to-view.ts';
import { viewOf } from './views.ts';

/** Rows that one notch of the wheel moves. */
const NOTCH = 3;

export function moused(state: State, event: Extract<InputEvent, { kind: 'mouse' }>): Step {
  if (state.closing !== null) return [state, []];
  const step = event.action === 'wheel-up' ? -1 : 1;
  if (state.dialog !== null) {
    if (event.action === 'press' || state.dialog.kind !== 'help') return [state, []];
    const scroll = Math.max(0, state.dialog.scroll + step * NOTCH);
    return [{ ...state, dialog: { kind: 'help', scroll } }, []];
  }
  if (event.action === 'press') {
    const tab = tabAt(event.x, event.y, roomForTabs(state));
    if (tab !== null) return obey(state, { name: 'view', argument: tab });
    return toView(state, { type: 'clicked', x: event.x, y: event.y });
  }
  const name = step < 0 ? 'up' : 'down';
  if (!viewOf(state.view).handles.includes(name)) return [state, []];
  return Array.from({ length: NOTCH }).reduce<Step>(
    ([known, effects]) => {
      const [next, more] = obey(known, { name });
      return [next, [...effects, ...more]];
    },
    [state, []],
  );
}
