/** What each command of the keymap does to the state. Commands that are not the program's go to the view at hand. Pure. */
import { parseDuration } from '../domain/duration.ts';
import type { LockState } from '../domain/lock.ts';
import { isWorkerName } from '../domain/run.ts';
import { holderWords, otherSlotsWords, outside } from '../domain/state-words.ts';
import { MINUTE_MS } from '../domain/time.ts';
import { act } from './act.ts';
import { type Form, withError } from './dialog.ts';
import { pauseOf } from './key-conditions.ts';
import { type Line, line, seg } from './line.ts';
import { reportOf } from './report.ts';
import { areSwitchedOn, type CommandName, type State, type Step, shownPicture } from './state.ts';
import { THEME_NAMES } from './theme.ts';
import { toView } from './to-view.ts';
import { VIEWS, viewOf } from './views.ts';

export interface GivenCommand {
  readonly name: CommandName;
  readonly argument?: string;
}

/** Whether it may be done was asked before (`whyNot`). */
export function obey(state: State, command: GivenCommand): Step {
  const own = PROGRAM_COMMANDS[command.name];
  return own === undefined ? toView(state, { type: 'command', ...command }) : own(state, command.argument);
}

type Handler = (state: State, argument: string | undefined) => Step;

const PROGRAM_COMMANDS: Readonly<Partial<Record<CommandName, Handler>>> = {
  view: (state, id) => goTo(state, id ?? state.view),
  'next-view': (state) => goTo(state, neighbour(state, 1)),
  'previous-view': (state) => goTo(state, neighbour(state, -1)),
  quit: (state) => [state, [{ kind: 'quit' }]],
  suspend: (state) => [state, [{ kind: 'suspend' }]],
  redraw: (state) => [state, [{ kind: 'redraw' }]],
  refresh: (state) => [state, [{ kind: 'refresh' }]],
  help: (state) => [{ ...state, dialog: { kind: 'help', scroll: 0 } }, []],
  tour: (state) => {
    const [shown, effects] = goTo(state, 'overview');
    return [{ ...shown, isTourDue: false, dialog: { kind: 'tour', step: 0 } }, effects];
  },
  'command-line': (state) => [{ ...state, dialog: { kind: 'command', text: '', chosen: -1 } }, []],
  freeze: (state) => [
    {
      ...state,
      frozen: state.frozen === null ? { picture: state.picture, atEpochMs: state.nowEpochMs } : null,
    },
    [],
  ],
  arm,
  back: (state) =>
    state.notice === null
      ? toView(state, { type: 'command', name: 'back' })
      : [{ ...state, notice: null, noticesBefore: [] }, []],
  pause,
  run: (state, worker) => (isWorkerName(worker) ? act(state, { kind: 'run', worker }) : [state, []]),
  workers: (state) => act(state, { kind: 'workers', on: !areSwitchedOn(state) }),
  report: (state) => act(state, { kind: 'report', markdown: reportOf(state) }),
  unmask: (state) => act(state, { kind: 'unmask', on: state.isMasked }),
  theme: (state, wanted) => {
    const theme = THEME_NAMES.find((name) => name === wanted) ?? nextTheme(state);
    return [{ ...state, look: { ...state.look, theme } }, [{ kind: 'redraw' }]];
  },
};

/** What becomes of the values that were typed into a form. */
export function formSubmitted(state: State, form: Form, values: Readonly<Record<string, string>>): Step {
  const { purpose } = form;
  switch (purpose.kind) {
    case 'act':
      return act(state, purpose.request);
    case 'view':
      return toView(state, { type: 'submitted', id: purpose.id, values }, purpose.view);
    case 'pause':
      return pauseFor(state, form, { length: values.length ?? '', reason: values.reason ?? '' });
    default:
      return purpose satisfies never;
  }
}

const ARMED_MS = 10 * MINUTE_MS;
const PAUSE_MS = 30 * MINUTE_MS;
const LONGEST_PAUSE_MS = 24 * 60 * MINUTE_MS;

function arm(state: State): Step {
  if (state.safe === null) return [state, []];
  const isArmed = state.safe.armedUntilEpochMs !== null && state.safe.armedUntilEpochMs > state.nowEpochMs;
  return [{ ...state, safe: { armedUntilEpochMs: isArmed ? null : state.nowEpochMs + ARMED_MS } }, []];
}

/** `p`: asks for a pause, or lifts the one there is. With an argument, from the command line, it pauses at once. */
function pause(state: State, argument: string | undefined): Step {
  const current = pauseOf(state);
  if (argument !== undefined && argument !== '') {
    const [length = '', ...reason] = argument.split(' ');
    return pauseFor(state, pauseForm(state), { length, reason: reason.join(' ') });
  }
  if (current === null) return [{ ...state, dialog: pauseForm(state) }, []];
  if (`${current.operator}@${current.host}` === state.operator) return act(state, { kind: 'resume' });
  const form: Form = {
    kind: 'form',
    title: 'Resume the queue',
    explain: [
      line('Somebody else paused it:'),
      line(seg(outside(`${current.operator}@${current.host}`, 60), 'strong'), `, "${outside(current.reason, 120)}"`),
    ],
    fields: [],
    focus: 0,
    verb: 'resume it all the same',
    isDangerous: false,
    purpose: { kind: 'act', request: { kind: 'resume' } },
  };
  return [{ ...state, dialog: form }, []];
}

function pauseForm(state: State): Form {
  const lock = shownPicture(state).lock;
  const known = lock !== null && lock.state !== 'failed' ? lock.value : null;
  return {
    kind: 'form',
    title: 'Pause the queue',
    explain: [
      line('No worker anywhere claims emails until it is resumed or the time is over.'),
      ...(known === null ? [] : waitingLines(known, state.nowEpochMs)),
    ],
    fields: [
      { name: 'length', label: 'For how long', value: '', placeholder: '30m' },
      { name: 'reason', label: 'Why', value: '', placeholder: 'no reason given' },
    ],
    focus: 0,
    verb: 'pause',
    isDangerous: false,
    purpose: { kind: 'pause' },
  };
}

function waitingLines(state: LockState, nowEpochMs: number): readonly Line[] {
  if (state.lock.kind === 'free') return [];
  const whom = (state.otherSlotsHeld ?? 0) === 0 ? 'it' : 'them';
  const holders = holderWords(state.lock, nowEpochMs) + otherSlotsWords(state);
  return [line(seg(`Now ${holders}: the pause waits for ${whom}.`, 'warning'))];
}

function pauseFor(state: State, form: Form, values: { readonly length: string; readonly reason: string }): Step {
  const forMs = values.length === '' ? PAUSE_MS : parseDuration(values.length);
  if (forMs === null || forMs < MINUTE_MS || forMs > LONGEST_PAUSE_MS) {
    const error = 'from 1m to 24h, such as 30m or 1h30m';
    const fields = form.fields.map((field) => ({ ...field, value: values[field.name as keyof typeof values] ?? '' }));
    return [{ ...state, dialog: withError({ ...form, fields }, 0, error) }, []];
  }
  return act(state, { kind: 'pause', forMs, reason: values.reason });
}

function goTo(state: State, id: string): Step {
  const view = viewOf(id);
  if (view.id === state.view) return [state, []];
  return toView({ ...state, view: view.id }, { type: 'opened' });
}

function neighbour(state: State, step: number): string {
  const at = VIEWS.findIndex(({ id }) => id === state.view);
  return VIEWS[(at + step + VIEWS.length) % VIEWS.length]?.id ?? state.view;
}

function nextTheme(state: State): State['look']['theme'] {
  return THEME_NAMES[(THEME_NAMES.indexOf(state.look.theme) + 1) % THEME_NAMES.length] ?? 'dark';
}
