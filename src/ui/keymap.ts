/**
 * The one table of keys. Bindings, hints, help, the command line and docs/keys.md are all made from it. A key is looked up
 * from the top: the first row that means something in the view at hand wins.
 */
import { formatAge } from '../domain/format.ts';
import { lastValue } from '../domain/loaded.ts';
import { SERIES } from '../domain/metric-series.ts';
import type { WorkerName } from '../domain/run.ts';
import { holderWords, otherSlotsWords } from '../domain/state-words.ts';
import type { ActionKind } from './actions.ts';
import { RANGES } from './chart.ts';
import { areSwitchedOn, type CommandName, type State, whyInert } from './state.ts';
import { THEME_NAMES } from './theme.ts';
import { localOf } from './view.ts';
import { isSelectedDisabled } from './views/parts/provider-local.ts';
import { isShownGrouped } from './views/parts/queue-local.ts';
import { isSelectedPaused } from './views/parts/schedule-rows.ts';
import { VIEWS, viewOf } from './views.ts';

export interface KeyRow {
  readonly keys: readonly string[];
  /** What to type after `:`. Unique. */
  readonly word: string;
  /** What it does, for the help. */
  readonly does: string;
  /** For the line of hints; null where the key explains itself or is rare. */
  readonly hint: string | null | ((state: State) => string | null);
  readonly name: CommandName;
  readonly argument?: string;
  /** What may follow the word on the command line: words to complete, or a description in `<>`. */
  readonly takes?: readonly string[];
  /** `view`: only where the view handles the command. */
  readonly scope: 'program' | 'view';
  /** Changes something outside: inert in a read-only console. */
  readonly changes?: boolean;
  /** Offered only where the console can do one of these. */
  readonly needs?: readonly ActionKind[];
  /** Why it can't be done now, or null. */
  unless?(state: State): string | null;
}

export const KEYMAP: readonly KeyRow[] = [
  { keys: ['up', 'k'], word: 'up', does: 'move up', hint: null, name: 'up', scope: 'view' },
  { keys: ['down', 'j'], word: 'down', does: 'move down', hint: null, name: 'down', scope: 'view' },
  { keys: ['left', 'h'], word: 'left', does: 'move left', hint: null, name: 'left', scope: 'view' },
  { keys: ['right', 'l'], word: 'right', does: 'move right', hint: null, name: 'right', scope: 'view' },
  { keys: ['page-up', 'C-b'], word: 'page-up', does: 'a page up', hint: null, name: 'page-up', scope: 'view' },
  { keys: ['page-down', 'C-f'], word: 'page-down', does: 'a page down', hint: null, name: 'page-down', scope: 'view' },
  { keys: ['home', 'g'], word: 'first', does: 'to the first', hint: null, name: 'first', scope: 'view' },
  { keys: ['end', 'G'], word: 'last', does: 'to the last', hint: null, name: 'last', scope: 'view' },
  {
    keys: ['enter'],
    word: 'open',
    does: 'details',
    hint: (state) => (leftByEscape(state) === 'details' ? null : 'details'),
    name: 'open',
    scope: 'view',
  },
  { keys: ['/'], word: 'filter', does: 'filter the list', hint: 'filter', name: 'filter', scope: 'view' },
  { keys: ['v'], word: 'select', does: 'select or unselect', hint: 'select', name: 'select', scope: 'view' },
  {
    keys: ['V'],
    word: 'select-all',
    does: 'select all that are loaded, or none',
    hint: null,
    name: 'select-all',
    scope: 'view',
  },
  { keys: ['o'], word: 'sort', does: 'sort in the next order', hint: 'sort', name: 'sort', scope: 'view' },
  {
    keys: ['e'],
    word: 'group',
    does: 'group by error, or list again',
    hint: (state) => (isShownGrouped(state) ? 'list' : 'group'),
    name: 'group',
    scope: 'view',
  },
  {
    keys: ['R'],
    word: 'retry',
    does: 'retry what is selected',
    hint: 'retry',
    name: 'retry',
    scope: 'view',
    changes: true,
    needs: ['retry', 'redrive', 'dead-delivery'],
  },
  {
    keys: ['x'],
    word: 'discard',
    does: 'discard what is selected',
    hint: 'discard',
    name: 'discard',
    scope: 'view',
    changes: true,
    needs: ['discard', 'dead-delivery'],
  },
  {
    keys: ['t'],
    word: 'trigger',
    does: 'trigger the schedule remotely, through QStash',
    hint: 'trigger',
    name: 'trigger',
    scope: 'view',
    changes: true,
    needs: ['schedule'],
  },
  {
    keys: ['P'],
    word: 'switch-schedule',
    does: 'pause the schedule, or let it go on',
    hint: (state) => (isSelectedPaused(state) ? 'resume schedule' : 'pause schedule'),
    name: 'switch-schedule',
    scope: 'view',
    changes: true,
    needs: ['schedule'],
  },
  {
    keys: ['n'],
    word: 'list',
    does: 'the next list: runs, operator actions, log',
    hint: 'next list',
    name: 'list',
    takes: ['runs', 'actions', 'log'],
    scope: 'view',
  },
  {
    keys: ['c'],
    word: 'reset-circuit',
    does: 'reset the circuit of the provider: close it, and forget its failures',
    hint: 'reset circuit',
    name: 'reset-circuit',
    scope: 'view',
    changes: true,
    needs: ['reset-circuit'],
  },
  {
    keys: ['d'],
    word: 'disable',
    does: 'disable the provider until a time, or enable it again',
    hint: (state) => (isSelectedDisabled(state) ? 'enable' : 'disable'),
    name: 'disable',
    scope: 'view',
    changes: true,
    needs: ['disable-provider', 'enable-provider'],
  },
  {
    keys: ['p'],
    word: 'pause',
    does: 'pause the queue, or resume it',
    hint: (state) => (pauseOf(state) === null ? 'pause' : 'resume'),
    name: 'pause',
    takes: ['<duration> <reason>'],
    scope: 'program',
    changes: true,
    needs: ['pause', 'resume'],
    unless: (state) => (state.picture.lock === null ? 'the lock is not read yet' : null),
  },
  {
    keys: ['r'],
    word: 'run-processor',
    does: 'run the queue processor now, here',
    hint: 'run',
    name: 'run',
    argument: 'queue-processor',
    scope: 'program',
    changes: true,
    needs: ['run'],
    unless: (state) => runningWhy(state, 'queue-processor') ?? lockedWhy(state),
  },
  {
    keys: ['h'],
    word: 'health-check',
    does: 'run the health monitor now, here',
    hint: 'health',
    name: 'run',
    argument: 'health-monitor',
    scope: 'program',
    changes: true,
    needs: ['run'],
    unless: (state) => runningWhy(state, 'health-monitor'),
  },
  {
    keys: ['u'],
    word: 'quota-sync',
    does: 'run the quota sync now, here',
    hint: 'quota',
    name: 'run',
    argument: 'quota-sync',
    scope: 'program',
    changes: true,
    needs: ['run'],
    unless: (state) => runningWhy(state, 'quota-sync'),
  },
  {
    keys: ['a'],
    word: 'acknowledge',
    does: 'acknowledge alerts',
    hint: 'acknowledge',
    name: 'acknowledge',
    scope: 'view',
    changes: true,
    needs: ['acknowledge'],
  },
  {
    keys: ['A'],
    word: 'acknowledge-all',
    does: 'acknowledge every open alert',
    hint: 'all',
    name: 'acknowledge-all',
    scope: 'view',
    changes: true,
    needs: ['acknowledge'],
  },
  {
    keys: ['w'],
    word: 'workers',
    does: 'switch the workers of this console on or off',
    hint: (state) => (areSwitchedOn(state) ? 'workers off' : 'workers on'),
    name: 'workers',
    scope: 'program',
    changes: true,
    needs: ['workers'],
    unless: (state) => (state.workers === 'draining' ? 'the workers are finishing what they began' : null),
  },
  {
    keys: ['['],
    word: 'shorter',
    does: 'a shorter time range',
    // Where there is no longer one, this is the way to others.
    hint: (state) => (isLongest(state) ? 'range' : null),
    name: 'shorter',
    scope: 'view',
    unless: (state) => (state.chart.range === 0 ? 'this is the shortest range' : null),
  },
  {
    keys: [']'],
    word: 'longer',
    does: 'a longer time range',
    hint: 'range',
    name: 'longer',
    scope: 'view',
    unless: (state) => (isLongest(state) ? 'this is the longest range' : null),
  },
  {
    keys: ['c'],
    word: 'next-series',
    does: 'the next series of the chart',
    hint: 'series',
    name: 'next-series',
    scope: 'view',
  },
  {
    keys: ['C'],
    word: 'previous-series',
    does: 'the series before',
    hint: null,
    name: 'previous-series',
    scope: 'view',
  },
  {
    keys: [',', 'left'],
    word: 'cursor-back',
    does: "move the chart's cursor to the point before",
    hint: 'cursor',
    name: 'cursor-back',
    scope: 'view',
  },
  {
    keys: ['.', 'right'],
    word: 'cursor-on',
    does: "move the chart's cursor to the point after",
    hint: null,
    name: 'cursor-on',
    scope: 'view',
  },
  {
    keys: ['z'],
    word: 'zoom',
    does: 'the chart alone, or everything again',
    hint: 'zoom',
    name: 'zoom',
    scope: 'view',
  },
  {
    keys: [],
    word: 'range',
    does: 'a time range',
    hint: null,
    name: 'range',
    takes: RANGES.map(({ id }) => id),
    scope: 'view',
  },
  {
    keys: [],
    word: 'series',
    does: 'a series of the chart',
    hint: null,
    name: 'series',
    takes: SERIES.map(({ id }) => id),
    scope: 'view',
  },
  {
    keys: ['space'],
    word: 'freeze',
    does: 'freeze the data, or let it go on',
    hint: (state) => (state.frozen === null ? 'freeze' : 'go on'),
    name: 'freeze',
    scope: 'program',
  },
  {
    keys: ['s'],
    word: 'report',
    does: 'save the incident so far as Markdown',
    hint: 'report',
    name: 'report',
    scope: 'program',
    needs: ['report'],
    unless: (state) => (state.verdict === null ? 'there is nothing to report yet' : null),
  },
  {
    keys: ['m'],
    word: 'unmask',
    does: 'show or mask whole email addresses (audited)',
    hint: null,
    name: 'unmask',
    scope: 'program',
    needs: ['unmask'],
  },
  {
    keys: ['C-a'],
    word: 'arm',
    does: 'with --safe: arm the changing keys for ten minutes, or disarm them',
    hint: (state) => (whyInert(state) === null ? 'disarm' : 'arm'),
    name: 'arm',
    scope: 'program',
    unless: (state) => state.readOnly ?? (state.safe === null ? 'the keys are always armed without --safe' : null),
  },
  ...VIEWS.map(
    ({ id, title, summary }, index): KeyRow => ({
      keys: [String(index + 1)],
      word: id,
      does: `${title}: ${summary}`,
      hint: null,
      name: 'view',
      argument: id,
      scope: 'program',
    }),
  ),
  { keys: ['tab'], word: 'next-view', does: 'the next view', hint: null, name: 'next-view', scope: 'program' },
  {
    keys: ['S-tab'],
    word: 'previous-view',
    does: 'the view before',
    hint: null,
    name: 'previous-view',
    scope: 'program',
  },
  { keys: ['C-r'], word: 'refresh', does: 'refresh now', hint: null, name: 'refresh', scope: 'program' },
  { keys: ['C-l'], word: 'redraw', does: 'draw the screen anew', hint: null, name: 'redraw', scope: 'program' },
  {
    keys: [],
    word: 'tour',
    does: 'the five things to look at first',
    hint: null,
    name: 'tour',
    scope: 'program',
  },
  {
    keys: [],
    word: 'theme',
    does: 'other colours',
    hint: null,
    name: 'theme',
    takes: THEME_NAMES,
    scope: 'program',
  },
  {
    keys: ['escape'],
    word: 'back',
    does: 'back; put a notice away',
    hint: (state) => (leftByEscape(state) === null ? null : 'back'),
    name: 'back',
    scope: 'program',
  },
  { keys: [':'], word: 'command', does: 'type a command', hint: null, name: 'command-line', scope: 'program' },
  { keys: ['?'], word: 'help', does: 'all keys', hint: 'help', name: 'help', scope: 'program' },
  {
    keys: ['C-z'],
    word: 'suspend',
    does: 'to the shell; fg comes back',
    hint: null,
    name: 'suspend',
    scope: 'program',
    unless: standsStillWhy,
  },
  { keys: ['q', 'C-c'], word: 'quit', does: 'leave', hint: 'quit', name: 'quit', scope: 'program' },
];

/** The row that a key means in the view at hand, whether it can be done now or not. */
export function rowFor(key: string, state: State): KeyRow | undefined {
  return KEYMAP.find((row) => row.keys.includes(key) && isMeant(row, state));
}

export function isMeant(row: KeyRow, state: State): boolean {
  return row.scope === 'program' || viewOf(state.view).handles.includes(row.name);
}

/** Why a row can't be done now, in words for the person who pressed its key; null when it can. */
export function whyNot(row: KeyRow, state: State): string | null {
  const inert = row.changes === true ? whyInert(state) : null;
  if (inert !== null) return inert;
  if (row.needs !== undefined && !row.needs.some((kind) => state.available.has(kind)))
    return state.connection.kind === 'open' ? 'not possible from this console' : 'not connected yet';
  const why = row.unless?.(state) ?? null;
  if (why !== null || row.scope === 'program') return why;
  const view = viewOf(state.view);
  return view.unless?.(state, row.name, localOf(state, view)) ?? null;
}

/** Keys as they are written on the screen and in the docs. */
export function keyLabel(key: string): string {
  const parts = /^((?:[CMS]-)*)(.+)$/.exec(key);
  const [, modifiers = '', name = key] = parts ?? [];
  const label = KEY_LABELS[name] ?? (modifiers.includes('C-') ? name.toUpperCase() : name);
  return modifiers.replace('C-', 'Ctrl-').replace('M-', 'Alt-').replace('S-', 'Shift-') + label;
}

const KEY_LABELS: Readonly<Record<string, string>> = {
  space: 'Space',
  enter: 'Enter',
  escape: 'Esc',
  tab: 'Tab',
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  home: 'Home',
  end: 'End',
  'page-up': 'PgUp',
  'page-down': 'PgDn',
};

export function hintOf(row: KeyRow, state: State): string | null {
  return typeof row.hint === 'function' ? row.hint(state) : row.hint;
}

function isLongest({ chart }: State): boolean {
  return chart.range >= RANGES.length - 1;
}

function leftByEscape(state: State): 'details' | 'narrowing' | null {
  const view = viewOf(state.view);
  return view.leaves?.(state, localOf(state, view)) ?? null;
}

/** The pause that is in force or announced. */
export function pauseOf(state: State) {
  const known = state.picture.lock === null ? undefined : lastValue(state.picture.lock);
  if (known?.lock.kind === 'paused') return known.lock;
  return known?.announcedPause ?? null;
}

function runningWhy(state: State, worker: WorkerName): string | null {
  const found = state.running.find(({ request }) => request.kind === 'run' && request.worker === worker);
  return found === undefined
    ? null
    : `${worker} is running here, for ${formatAge(state.nowEpochMs - found.startedAtEpochMs)}`;
}

/** What is in flight would be neither finished nor given back while we are stopped. */
function standsStillWhy(state: State): string | null {
  if (areSwitchedOn(state)) return 'the workers here would stand still: switch them off first';
  const [run] = state.live;
  return run === undefined ? null : `${run.worker}, which runs here, would stand still: wait until it ends`;
}

function lockedWhy(state: State): string | null {
  const known = state.picture.lock === null ? undefined : lastValue(state.picture.lock);
  if (known === undefined || known.lock.kind === 'free') return null;
  // Another worker finds room in a free slot, but not beside a pause.
  const isPausing = known.lock.kind === 'paused' || known.announcedPause !== null;
  if (!isPausing && (known.freeSlots ?? 0) > 0) return null;
  return holderWords(known.lock, state.nowEpochMs) + otherSlotsWords(known);
}
