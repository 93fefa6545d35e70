/**
 * Every view of the table, with the words of strangers in every field of the snapshot and of whatever the view loads; and what
 * the terminal is sent then.
 */
import { parseAlerts } from '../../src/domain/alert.ts';
import { loaded } from '../../src/domain/loaded.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { frameOf } from '../../src/ui/frame.ts';
import { KEYMAP } from '../../src/ui/keymap.ts';
import type { LoadRequest } from '../../src/ui/loaders.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { createScreen } from '../../src/ui/screen.ts';
import type { Effect, State, UiEvent } from '../../src/ui/state.ts';
import { THEME_NAMES } from '../../src/ui/theme.ts';
import { VIEWS } from '../../src/ui/views.ts';
import { connected, failedSnapshot, incidentSnapshot, pausedSnapshot, staleSnapshot } from '../support/dashboard.ts';
import { createHeadlessTerminal } from '../support/headless-terminal.ts';
import { CORPUS, poisoned, strangersIn } from '../support/hostile-text.ts';
import { LOADED_ANSWERS } from '../support/loaded-answers.ts';
import { NOON } from '../support/snapshot.ts';

/** Sequences that the dashboard never sends: whatever else a text carries, finding these tells that it came through. */
const TRACER = '\x1b[?9999h\u009b9999z\x1b]9999;x\x07';
export const HOSTILE_TEXTS = CORPUS.map((text) => `${text}${TRACER}`);

export const hostileSnapshots = (text: string): readonly Snapshot[] =>
  [incidentSnapshot(), pausedSnapshot(), failedSnapshot(), staleSnapshot()].map((snapshot) => {
    const alerts = loaded(parseAlerts([`CRITICAL: ${text}`, `ERROR: ${text} 2`], {}, NOON), NOON);
    const hostile = poisoned(snapshot, text);
    return hostile.alerts.state === 'failed' ? hostile : { ...hostile, alerts };
  });

/** The state after an event and all that views load because of it, each answer full of `text`, or a fault full of it. */
function settle(state: State, event: UiEvent, text: string, isFailing: boolean): State {
  const pending: UiEvent[] = [event];
  let known = state;
  for (let steps = 0; pending.length > 0 && steps < 60; steps += 1) {
    const [next, effects] = reduce(known, pending.shift() as UiEvent);
    known = next;
    pending.push(...effects.flatMap((effect) => answersTo(effect, text, isFailing)));
  }
  return known;
}

function answersTo(effect: Effect, text: string, isFailing: boolean): UiEvent[] {
  if (effect.kind === 'act') return [{ type: 'outcome', id: effect.id, outcome: { level: 'critical', text } }];
  if (effect.kind !== 'load') return [];
  const { view, request } = effect;
  const result = isFailing
    ? { ok: false, fault: { code: 'protocol', message: text, remedy: text } }
    : { ok: true, value: poisoned(answerOf(request), text) };
  return [{ type: 'loaded', view, kind: request.kind, request, result } as UiEvent];
}

function answerOf({ kind }: LoadRequest): unknown {
  const answer: unknown = LOADED_ANSWERS[kind];
  if (answer === undefined) throw new Error(`tests/support/loaded-answers.ts has no answer of the kind ${kind}.`);
  return answer;
}

const key = (name: string): UiEvent => ({ type: 'input', input: { kind: 'key', key: name } });

/** The view as it opens, then after each of its keys, with details, lists, forms and help open. */
export function statesOf(view: string, snapshot: Snapshot, text: string, isFailing: boolean): State[] {
  const own = VIEWS.find(({ id }) => id === view)?.handles ?? [];
  const pressed = KEYMAP.filter(({ name, scope }) => scope === 'view' && own.includes(name)).flatMap(({ keys }) =>
    keys.slice(0, 1),
  );
  const begin = connected(snapshot, { operator: text });
  const busy: readonly UiEvent[] = [
    { type: 'log', line: { atEpochMs: NOON, source: 'console', text } },
    { type: 'live', live: [{ worker: 'queue-processor', trigger: text, startedAtEpochMs: NOON, text }] },
    { type: 'command', name: 'view', argument: view },
  ];
  let state = busy.reduce((known, event) => settle(known, event, text, isFailing), begin);
  const seen = [state];
  for (const name of [...pressed, 'enter', 'down', 'enter', '?']) {
    state = settle(state, key(name), text, isFailing);
    seen.push(state);
    // A form that a key has opened is shown, and closed again.
    if (state.dialog !== null) state = settle(state, key('escape'), text, isFailing);
  }
  return [...seen, { ...state, closing: text }];
}

/** What must not have been sent, and how wide cells are at the end. */
async function drawn(states: readonly State[]) {
  const [first] = states;
  if (first === undefined) throw new Error('There is nothing to draw.');
  const terminal = createHeadlessTerminal(first.size);
  let bytes = '';
  const write = (more: string) => {
    bytes += more;
    terminal.write(more);
  };
  const screen = createScreen({ size: first.size, write, isSynchronised: false });
  const widths = new Set<number>();
  for (const state of states) {
    screen.show(frameOf(state), state.look);
    await terminal.settle();
  }
  for (let y = 0; y < first.size.rows; y += 1)
    for (let x = 0; x < first.size.columns; x += 1) widths.add(terminal.cell(x, y).width);
  screen.destroy();
  terminal.dispose();
  return { strangers: strangersIn(bytes), widths: [...widths] };
}

/** Draws a view as `statesOf` brings it about; `index` varies snapshot, theme, characters, and whether loading fails. */
export function drawnView(view: string, text: string, index: number) {
  const theme = THEME_NAMES[index % THEME_NAMES.length] ?? 'dark';
  const some = hostileSnapshots(text);
  const snapshot = some[index % some.length] ?? incidentSnapshot();
  const states = statesOf(view, snapshot, text, index % 5 === 4);
  return drawn(states.map((state) => ({ ...state, look: { theme, ascii: index % 7 === 6 } })));
}
