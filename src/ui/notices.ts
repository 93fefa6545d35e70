/** Notices: what came of actions, and why a key did nothing. Each stays until it was seen. Pure. */
import type { Notice, State } from './state.ts';

/** Nobody reads more at once; what came of every action is in *Runs* as well. */
const MOST_BEFORE = 4;
/** Shorter nobody has read it. */
const SEEN_MS = 1_500;

/** With a new notice at the end. Why a key did nothing is of no interest any more once something else is said. */
export function told(state: State, said: Omit<Notice, 'atEpochMs'>): State {
  const { notice, noticesBefore } = state;
  const kept = notice === null || notice.of === 'key' ? noticesBefore : [...noticesBefore, notice];
  return {
    ...state,
    notice: { ...said, atEpochMs: state.nowEpochMs },
    noticesBefore: kept.slice(-MOST_BEFORE),
  };
}

/** At a key: those that stood for a moment were seen. */
export function withoutSeen(state: State): State {
  const isNew = ({ atEpochMs }: Notice) => state.nowEpochMs - atEpochMs < SEEN_MS;
  const { notice, noticesBefore } = state;
  if (notice === null) return state;
  return {
    ...state,
    notice: isNew(notice) ? notice : null,
    noticesBefore: noticesBefore.filter(isNew),
  };
}
