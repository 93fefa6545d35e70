/** What keys hang on at the moment: what Escape would leave, and why a worker, a pause or a stop cannot be had now. Pure. */
import { formatAge } from '../domain/format.ts';
import { lastValue } from '../domain/loaded.ts';
import type { WorkerName } from '../domain/run.ts';
import { holderWords, otherSlotsWords } from '../domain/state-words.ts';
import { RANGES } from './chart.ts';
import { areSwitchedOn, type State } from './state.ts';
import { localOf } from './view.ts';
import { viewOf } from './views.ts';

export function isLongest({ chart }: State): boolean {
  return chart.range >= RANGES.length - 1;
}

export function leftByEscape(state: State): 'details' | 'narrowing' | null {
  const view = viewOf(state.view);
  return view.leaves?.(state, localOf(state, view)) ?? null;
}

/** The pause that is in force or announced. */
export function pauseOf(state: State) {
  const known = state.picture.lock === null ? undefined : lastValue(state.picture.lock);
  if (known?.lock.kind === 'paused') return known.lock;
  return known?.announcedPause ?? null;
}

export function runningWhy(state: State, worker: WorkerName): string | null {
  const found = state.running.find(({ request }) => request.kind === 'run' && request.worker === worker);
  return found === undefined
    ? null
    : `${worker} is running here, for ${formatAge(state.nowEpochMs - found.startedAtEpochMs)}`;
}

/** What is in flight would be neither finished nor given back while we are stopped. */
export function standsStillWhy(state: State): string | null {
  if (areSwitchedOn(state)) return 'the workers here would stand still: switch them off first';
  const [run] = state.live;
  return run === undefined ? null : `${run.worker}, which runs here, would stand still: wait until it ends`;
}

export function lockedWhy(state: State): string | null {
  const known = state.picture.lock === null ? undefined : lastValue(state.picture.lock);
  if (known === undefined || known.lock.kind === 'free') return null;
  // Another worker finds room in a free slot, but not beside a pause.
  const isPausing = known.lock.kind === 'paused' || known.announcedPause !== null;
  if (!isPausing && (known.freeSlots ?? 0) > 0) return null;
  return holderWords(known.lock, state.nowEpochMs) + otherSlotsWords(known);
}
