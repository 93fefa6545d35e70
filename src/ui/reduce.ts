/**
 * What each event makes of the state: `(state, event) → [state, effects]`. Pure, total, and the only place where the state
 * changes. Keys become commands by the keymap; what a command does is in `commands.ts`.
 */
import { isCriticalAlert } from '../domain/alert.ts';
import { lastValue } from '../domain/loaded.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/time.ts';
import { type Verdict, verdictOf } from '../domain/verdict.ts';
import { paced } from './cadence.ts';
import { completed, typedInCommandLine } from './command-line.ts';
import { formSubmitted, obey } from './commands.ts';
import { edited, type Prompt, pasteInForm, printable, typeInForm } from './dialog.ts';
import type { InputEvent } from './input.ts';
import { keyLabel } from './key-label.ts';
import { whyNot } from './key-row.ts';
import { rowFor } from './keymap.ts';
import { isTooSmall } from './layout.ts';
import { moused } from './mouse.ts';
import { told, withoutSeen } from './notices.ts';
import { missingParts, type PartEvent, pictureOf, withPart } from './picture.ts';
import type { CommandName, Effect, Running, State, Step, UiEvent } from './state.ts';
import { toView } from './to-view.ts';
import { beginTour, typeInTour } from './tour.ts';

export function reduce(state: State, event: UiEvent): Step {
  const [next, effects] = stepOf(state, event);
  return [next === state ? state : paced(next), effects];
}

function stepOf(state: State, event: UiEvent): Step {
  switch (event.type) {
    case 'tick':
      return ticked(state, event.nowEpochMs);
    case 'resize':
      return [{ ...state, size: event.size }, []];
    case 'input':
      return input(state, event.input);
    case 'command':
      return obey(state, event);
    case 'connecting':
      return [{ ...state, connection: { kind: 'connecting', step: event.step } }, []];
    case 'connected':
      return connected(state, event);
    case 'part':
      return partArrived(state, event);
    case 'read':
      return read(state, event);
    case 'progress':
      return [withRunning(state, event.id, { progress: event.progress }), []];
    case 'outcome':
      return finished(state, event);
    case 'workers':
      return [{ ...state, workers: event.workers }, []];
    case 'live':
      return liveChanged(state, event.live);
    case 'log':
      return [{ ...state, log: [...state.log, event.line].slice(-LOG_LINES) }, []];
    case 'told':
      return [told(state, { level: event.level, text: event.text, of: 'action' }), []];
    case 'closing':
      return [{ ...state, closing: event.text }, []];
    case 'loaded':
      return toView(state, event, event.view);
    default:
      return event satisfies never;
  }
}

const LOG_LINES = 500;
/** What an hour cost is counted over an hour: the refreshes may be a minute apart. */
const COST_WINDOW_MS = HOUR_MS;

function ticked(state: State, nowEpochMs: number): Step {
  const armed = state.safe?.armedUntilEpochMs ?? null;
  const safe = armed !== null && armed <= nowEpochMs ? { armedUntilEpochMs: null } : state.safe;
  return [{ ...state, nowEpochMs, safe }, []];
}

function connected(state: State, event: Extract<UiEvent, { type: 'connected' }>): Step {
  const { environment, available, workers, readOnly } = event;
  return [
    {
      ...state,
      environment,
      available: new Set(available),
      workers,
      readOnly: state.readOnly ?? readOnly,
      connection: { kind: 'open' },
    },
    [],
  ];
}

function partArrived(state: State, event: { readonly type: 'part' } & PartEvent): Step {
  const picture = withPart(state.picture, event);
  if (picture === state.picture) return [state, []];
  const [known, effects] = noticeAlerts({ ...state, picture });
  return [known, effects];
}

/** With its first emails a run here has the lock: what was read before says that it is free. */
function liveChanged(state: State, live: State['live']): Step {
  const isAtWork = (runs: State['live']) =>
    runs.some(({ worker, text }) => worker === 'queue-processor' && text !== '');
  return [{ ...state, live }, isAtWork(live) && !isAtWork(state.live) ? [{ kind: 'refresh' }] : []];
}

function read(state: State, { snapshot, cadence = state.cadence }: Extract<UiEvent, { type: 'read' }>): Step {
  const atEpochMs = snapshot.takenAtEpochMs;
  const sample = { atEpochMs, commands: snapshot.cost.redisCommands };
  const commands = [...state.commands, sample].filter((each) => each.atEpochMs > atEpochMs - COST_WINDOW_MS);
  const verdict = verdictOf(snapshot);
  const isSame = state.verdict !== null && gistOf(state.verdict) === gistOf(verdict);
  const [known, effects] = noticeAlerts({
    ...state,
    picture: pictureOf(snapshot),
    environment: snapshot.environment,
    connection: { kind: 'open' },
    verdict,
    verdictSinceEpochMs: isSame ? state.verdictSinceEpochMs : state.nowEpochMs,
    lastReadAtEpochMs: atEpochMs,
    cadence,
    commands,
  });
  const [shown, more] = toView(known, { type: 'refreshed' });
  const [begun, tour] = beginTour(shown);
  return [begun, [...effects, ...more, ...tour]];
}

/** Counts and ages in the words go on without anything being new. */
function gistOf({ level, reasons }: Verdict): string {
  return [level, ...reasons.map(({ code }) => code)].join(' ');
}

/** Alerts that were not there at the refresh before are unseen; the first picture is where we came in. */
function noticeAlerts(state: State): Step {
  const feed = state.picture.alerts === null ? undefined : lastValue(state.picture.alerts);
  if (feed === undefined) return [state, []];
  const open = feed.alerts.filter(({ severity, acknowledged }) => isCriticalAlert(severity) && acknowledged === null);
  const marks = new Map(open.map((alert) => [`${alert.fingerprint}/${alert.atEpochMs ?? alert.repeats}`, alert]));
  const known = state.alertsKnown;
  const fresh = known === null ? [] : [...marks].filter(([mark]) => !known.has(mark));
  const stillOpen = new Set(open.map(({ fingerprint }) => fingerprint));
  const alertsUnseen = new Set(
    [...state.alertsUnseen, ...fresh.map(([, { fingerprint }]) => fingerprint)].filter((each) => stillOpen.has(each)),
  );
  const bell: readonly Effect[] = state.hasBell && fresh.length > 0 ? [{ kind: 'bell' }] : [];
  return [{ ...state, alertsKnown: new Set(marks.keys()), alertsUnseen }, bell];
}

function input(before: State, event: InputEvent): Step {
  const state = { ...before, lastKeyAtEpochMs: before.nowEpochMs };
  if (isTooSmall(state.size)) return unseen(state, event);
  if (event.kind === 'mouse') return moused(state, event);
  if (event.kind === 'paste') return pasted(state, event.text);
  if (state.closing !== null) return event.key === 'C-c' ? [state, [{ kind: 'quit' }]] : [state, []];
  const { dialog } = state;
  if (dialog === null) return pressed(seen(state), event.key);
  switch (dialog.kind) {
    case 'help':
      return inHelp(state, dialog.scroll, event.key);
    case 'tour':
      return typeInTour(state, dialog.step, event.key);
    case 'command':
      return inCommandLine(state, event.key);
    case 'prompt':
      return inPrompt(state, dialog, event.key);
    case 'form': {
      const step = typeInForm(dialog, event.key);
      if (step.kind === 'open') return [{ ...state, dialog: step.form }, []];
      const closed = { ...state, dialog: null };
      return step.kind === 'cancelled' ? [closed, []] : formSubmitted(closed, dialog, step.values);
    }
    default:
      return dialog satisfies never;
  }
}

/** Nobody sees what a key would do, nor the question that it would answer: only leaving is possible. */
function unseen(state: State, event: InputEvent): Step {
  const row = event.kind === 'key' ? rowFor(event.key, state) : undefined;
  if (row === undefined || !UNSEEN.has(row.name) || whyNot(row, state) !== null) return [state, []];
  if (state.closing !== null && (event.kind !== 'key' || event.key !== 'C-c')) return [state, []];
  return obey(state, { name: row.name });
}

const UNSEEN: ReadonlySet<CommandName> = new Set(['quit', 'suspend', 'redraw']);

function pressed(state: State, key: string): Step {
  const row = rowFor(key, state);
  if (row === undefined) return [state, []];
  const why = whyNot(row, state);
  if (why !== null) return [withNotice(state, `${keyLabel(key)} (${row.word}): ${why}`), []];
  return obey(state, { name: row.name, ...(row.argument === undefined ? {} : { argument: row.argument }) });
}

/** A notice that stood for a moment, and the new alerts, count as seen with the next key. */
function seen(state: State): State {
  const alertsUnseen = state.alertsUnseen.size === 0 ? state.alertsUnseen : new Set<string>();
  return { ...withoutSeen(state), alertsUnseen };
}

function withNotice(state: State, text: string): State {
  return told(state, { level: 'warning', text, of: 'key' });
}

function pasted(state: State, text: string): Step {
  const { dialog } = state;
  if (dialog?.kind === 'form') {
    const step = pasteInForm(dialog, text);
    return step.kind === 'open' ? [{ ...state, dialog: step.form }, []] : [state, []];
  }
  if (dialog?.kind === 'prompt') {
    const longer = { ...dialog, text: dialog.text + printable(text) };
    return inPromptNow(state, longer, longer);
  }
  if (dialog?.kind !== 'command') return [state, []];
  return [{ ...state, dialog: { kind: 'command', text: dialog.text + printable(text), chosen: -1 } }, []];
}

function inHelp(state: State, scroll: number, key: string): Step {
  if (key === 't') return obey({ ...state, dialog: null }, { name: 'tour' });
  const page = Math.max(1, state.size.rows - 6);
  const by: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    'page-up': -page,
    'page-down': page,
    space: page,
    home: -1_000,
    end: 1_000,
  };
  const step = by[key];
  if (step === undefined) return [{ ...state, dialog: null }, []];
  return [{ ...state, dialog: { kind: 'help', scroll: Math.min(1_000, Math.max(0, scroll + step)) } }, []];
}

function inCommandLine(state: State, key: string): Step {
  const { dialog } = state;
  if (dialog?.kind !== 'command') return [state, []];
  if (key === 'escape' || key === 'C-c' || (key === 'backspace' && dialog.text === ''))
    return [{ ...state, dialog: null }, []];
  if (key === 'tab' || key === 'S-tab')
    return [{ ...state, dialog: completed(dialog, state, key === 'tab' ? 1 : -1) }, []];
  if (key !== 'enter')
    return [{ ...state, dialog: { kind: 'command', text: edited(dialog.text, key), chosen: -1 } }, []];
  const closed = { ...state, dialog: null };
  const typed = typedInCommandLine(dialog.text, closed);
  if (typed.kind === 'nothing') return [closed, []];
  return typed.kind === 'command' ? obey(closed, typed.command) : [withNotice(closed, typed.why), []];
}

/** Enter and the arrows keep what was typed, Esc takes it back. */
function inPrompt(state: State, prompt: Prompt, key: string): Step {
  if (key === 'enter' || key === 'up' || key === 'down') return [{ ...state, dialog: null }, []];
  const isBack = key === 'escape' || key === 'C-c' || (key === 'backspace' && prompt.text === '');
  const typed = { ...prompt, text: isBack ? prompt.before : edited(prompt.text, key) };
  return inPromptNow(state, isBack ? null : typed, typed);
}

function inPromptNow(state: State, dialog: Prompt | null, { view, id, text }: Prompt): Step {
  return toView({ ...state, dialog }, { type: 'typed', id, text }, view);
}

function withRunning(state: State, id: number, changes: Partial<Running>): State {
  return { ...state, running: state.running.map((each) => (each.id === id ? { ...each, ...changes } : each)) };
}

function finished(state: State, { id, outcome }: Extract<UiEvent, { type: 'outcome' }>): Step {
  const found = state.running.find((each) => each.id === id);
  if (found === undefined) return [state, []];
  const done = { atEpochMs: state.nowEpochMs, request: found.request, outcome };
  const wasUnmask = found.request.kind === 'unmask' && outcome.level === 'ok' ? found.request.on : null;
  const ended: State = {
    ...told(state, { level: outcome.level, text: outcome.text, of: 'action' }),
    running: state.running.filter((each) => each.id !== id),
    history: [...state.history, done].slice(-HISTORY_LENGTH),
    isMasked: wasUnmask === null ? state.isMasked : !wasUnmask,
  };
  if (found.request.kind === 'report') return [ended, []];
  const [shown, effects] = toView(ended, { type: 'acted', request: found.request, outcome });
  // What was changed should be seen at once, not at the next refresh.
  return [shown, found.request.kind === 'unmask' ? effects : [...effects, { kind: 'refresh' }]];
}

const HISTORY_LENGTH = 100;

/** What the connection waits for: `reading queue, schedules`; null when everything was read once. */
export function waitingFor(state: State): string | null {
  const missing = missingParts(state.picture);
  return missing.length === 0 ? null : `reading ${missing.join(', ')}`;
}

/** Commands an hour at the rate of the last hour; null while that is not known. */
export function commandsPerHour({ commands }: State): number | null {
  const [first] = commands;
  const last = commands.at(-1);
  if (first === undefined || last === undefined || last.atEpochMs - first.atEpochMs < 4 * SECOND_MS) return null;
  return ((last.commands - first.commands) / (last.atEpochMs - first.atEpochMs)) * 60 * MINUTE_MS;
}
