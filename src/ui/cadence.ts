/** How the refreshes follow what happens on the screen: the rule is `domain/cadence.ts`, here is what it goes by. Pure. */
import { refreshEveryMs, type Situation } from '../domain/cadence.ts';
import { lastValue } from '../domain/loaded.ts';
import { SECOND_MS } from '../domain/time.ts';
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

/** A run with nothing to do is over before a refresh could tell of it; this process knows of its own runs anyway. */
const SHORT_RUN_MS = 3 * SECOND_MS;

function isUnderWay({ running, live, workers, picture, nowEpochMs }: State): boolean {
  const isLong = live.some(({ startedAtEpochMs }) => nowEpochMs - startedAtEpochMs >= SHORT_RUN_MS);
  const known = picture.lock === null ? undefined : lastValue(picture.lock);
  const isHeld = known?.lock.kind === 'worker' || known?.lock.kind === 'unknown-holder';
  const isPausing = (known?.announcedPause ?? null) !== null;
  return running.length > 0 || isLong || workers === 'draining' || isHeld || isPausing;
}
