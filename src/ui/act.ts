/** Starts an action: it is listed as running, and its outcome comes back as an event. Pure. */
import type { ActionRequest } from './actions.ts';
import type { State, Step } from './state.ts';

export function act(state: State, request: ActionRequest): Step {
  const id = state.lastActionId + 1;
  const running = { id, request, startedAtEpochMs: state.nowEpochMs, progress: null };
  return [{ ...state, lastActionId: id, running: [...state.running, running] }, [{ kind: 'act', id, request }]];
}
