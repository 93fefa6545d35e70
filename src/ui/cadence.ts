/** How the refreshes follow what happens on the screen: the rule is `domain/cadence.ts`, here is what it goes by. Pure. */
import { refreshEveryMs, type Situation } from '../domain/cadence.ts';
import { lastValue } from '../domain/loaded.ts';
import type { State } from './state.ts';

/** The state with the interval that holds from now on. */
export function paced(state: State): State {
  const refreshMs = refreshEveryMs(state.cadence, situationOf(state));
  if (refreshMs === state.refreshMs) return state;
  // What was not late under the old interval is not late because of the new one.
  const dueSinceEpochMs = refreshMs < state.refreshMs ? state.nowEpochMs : state.dueSinceEpochMs;
  return { ...state, refreshMs, dueSinceEpochMs };
}

/** How long a refresh is overdue, in ms; negative: it is not. */
export function overdueMs({ nowEpochMs, lastReadAtEpochMs, refreshMs, dueSinceEpochMs }: State): number {
  return nowEpochMs - Math.max((lastReadAtEpochMs ?? nowEpochMs) + refreshMs, dueSinceEpochMs);
}

function situationOf(state: State): Situation {
  return {
    level: state.verdict?.level ?? null,
    isUnderWay: isUnderWay(state),
    sinceKeyMs: state.nowEpochMs - state.lastKeyAtEpochMs,
    sinceChangeMs: state.nowEpochMs - state.verdictSinceEpochMs,
  };
}

function isUnderWay({ running, live, workers, picture }: State): boolean {
  const known = picture.lock === null ? undefined : lastValue(picture.lock);
  const isHeld = known?.lock.kind === 'worker' || known?.lock.kind === 'unknown-holder';
  const isPausing = (known?.announcedPause ?? null) !== null;
  return running.length > 0 || live.length > 0 || workers === 'draining' || isHeld || isPausing;
}
