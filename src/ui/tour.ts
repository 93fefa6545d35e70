/** The tour of the first start: five things that matter, one after the other, each beside the thing itself. Pure. */
import { wrap } from '../domain/width.ts';
import { bodyOf, inside, type Rect } from './layout.ts';
import { line, seg } from './line.ts';
import type { Frame, Panel } from './panel.ts';
import type { State, Step } from './state.ts';

interface Stop {
  /** The panel that it points at. */
  readonly at: string;
  readonly title: string;
  readonly text: string;
}

const STOPS: readonly Stop[] = [
  {
    at: 'banner',
    title: 'Is email flowing?',
    text: 'The first line is the verdict and its reasons; below it who holds the lock, whether the workers run here, and what looking costs. SANDBOX means that nothing here is real.',
  },
  {
    at: 'queue',
    title: 'What waits, and whether it will clear',
    text: 'The oldest email that is due tells more than the number of them. 2 opens the queue itself: find, retry and discard.',
  },
  {
    at: 'quota',
    title: 'What the providers still take today',
    text: 'When a bar is full, that provider gets no more until midnight UTC. 4 shows how each of them does, and why.',
  },
  {
    at: 'alerts',
    title: 'What is wrong, newest first',
    text: '3 says for each alert what it means and what to check first. a acknowledges one, so that the next stands out.',
  },
  {
    at: 'hints',
    title: 'What can be done now',
    text: 'The last line names the keys of the moment, now those of the tour. After it, p pauses the queue for workers of every version, w runs the workers in here, ? lists all keys, q leaves. What is hard to undo asks first.',
  },
];

/** The keys that mean something while it is open. */
export function tourHints(step: number): string {
  return `Enter ${isLast(step) ? 'done' : 'next'}, ← back, Esc ends the tour`;
}

function isLast(step: number): boolean {
  return step === STOPS.length - 1;
}

/** One key in the tour. */
export function typeInTour(state: State, step: number, key: string): Step {
  if (key === 'escape' || key === 'q' || key === 'C-c') return [{ ...state, dialog: null }, []];
  const isBack = key === 'left' || key === 'up' || key === 'backspace' || key === 'h' || key === 'k';
  const next = isBack ? Math.max(0, step - 1) : step + 1;
  return [{ ...state, dialog: next < STOPS.length ? { kind: 'tour', step: next } : null }, []];
}

/** Begins with the first picture of the first start, unless somebody is doing something already. */
export function beginTour(state: State): Step {
  if (!state.isTourDue || state.dialog !== null || state.view !== 'overview') return [state, []];
  return [{ ...state, isTourDue: false, dialog: { kind: 'tour', step: 0 } }, [{ kind: 'tour-shown' }]];
}

const WIDTH = 64;

/** The frame with the thing in question marked, and what is to be said beside it. */
export function withTour(frame: Frame, state: State, step: number): Frame {
  const stop = STOPS[step];
  if (stop === undefined) return frame;
  const target = frame.find(({ id }) => id === stop.at);
  const marked = frame.map((panel) =>
    panel === target && panel.frame !== null ? { ...panel, frame: { ...panel.frame, role: 'accent' as const } } : panel,
  );
  return [...marked, note(stop, target?.rect ?? bodyOf(state.size), { state, step })];
}

function note({ title, text }: Stop, target: Rect, { state, step }: { state: State; step: number }): Panel {
  const { columns, rows } = state.size;
  const width = Math.min(WIDTH, columns - 2);
  const words = wrap(text, width - 4);
  const height = words.length + 4;
  // The tabs are left whole: half a row of them would look like a mistake.
  const below = Math.max(target.y + target.height, bodyOf(state.size).y);
  const isBelow = below + height <= rows;
  const y = isBelow ? below : Math.max(0, target.y - height);
  const x = Math.max(0, Math.min(target.x + 1, columns - width));
  const rect = { x, y, width, height: Math.min(height, rows - y) };
  return {
    id: 'tour',
    rect,
    frame: {
      title: [seg(`${isBelow ? '↑' : '↓'} ${title}`, 'strong'), seg(` · ${step + 1} of ${STOPS.length}`, 'muted')],
      role: 'accent',
    },
    lines: [
      ...words.map((each) => line(` ${each}`)),
      [],
      line(
        seg(' Enter', 'key'),
        isLast(step) ? ' done' : ' next',
        seg('   ←', 'key'),
        ' back',
        seg('   Esc', 'key'),
        ' ends the tour',
      ),
    ].slice(0, inside(rect).height),
  };
}
