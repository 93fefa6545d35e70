/** Everything that the dashboard shows, as one value, and what can happen to it. Data only: `reduce.ts` has the rules. */
import { type Cadence, FAST_MS } from '../domain/cadence.ts';
import type { WorkerName } from '../domain/run.ts';
import type { Environment, Snapshot } from '../domain/snapshot.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { ActionKind, ActionOutcome, ActionProgress, ActionRequest } from './actions.ts';
import { type ChartChoice, FIRST_CHART } from './chart.ts';
import type { Dialog } from './dialog.ts';
import type { InputEvent } from './input.ts';
import type { Size } from './layout.ts';
import type { LoadEvent, LoadRequest } from './loaders.ts';
import { NOTHING_YET, type PartEvent, type Picture } from './picture.ts';
import type { Look } from './theme.ts';

export interface State {
  readonly size: Size;
  readonly look: Look;
  readonly nowEpochMs: number;
  readonly environment: Environment | null;
  /** Who sits here, as `name@host`: whose pauses need no question. */
  readonly operator: string;
  readonly connection: Connection;
  readonly cadence: Cadence;
  /** From one refresh to the next, as it holds now. */
  readonly refreshMs: number;
  /** A refresh is not overdue for being due before this. */
  readonly dueSinceEpochMs: number;
  /** The last key, or the opening of the console. */
  readonly lastKeyAtEpochMs: number;
  /** Why nothing may be changed, or null. */
  readonly readOnly: string | null;
  /** `--safe`: the keys that change something work only while armed. */
  readonly safe: { readonly armedUntilEpochMs: number | null } | null;
  readonly hasBell: boolean;
  /** What this console can do. */
  readonly available: ReadonlySet<ActionKind>;
  readonly workers: WorkersState;

  readonly picture: Picture;
  /** What is shown instead of the newest while frozen. */
  readonly frozen: { readonly picture: Picture; readonly atEpochMs: number } | null;
  readonly verdict: Verdict | null;
  /** Since when it has its level and its reasons. */
  readonly verdictSinceEpochMs: number;
  readonly lastReadAtEpochMs: number | null;
  readonly commands: readonly CommandSample[];
  readonly alertsKnown: ReadonlySet<string> | null;
  readonly alertsUnseen: ReadonlySet<string>;

  readonly view: string;
  /** Each view's own state, by its id. */
  readonly local: Readonly<Record<string, unknown>>;
  readonly chart: ChartChoice;
  readonly dialog: Dialog | null;
  /** Nobody has seen the tour on this machine. */
  readonly isTourDue: boolean;
  /** The newest. */
  readonly notice: Notice | null;
  /** Those that nobody has seen yet either, oldest first. */
  readonly noticesBefore: readonly Notice[];
  readonly running: readonly Running[];
  /** Runs of the workers embedded here that are under way, whoever asked for them. */
  readonly live: readonly LiveRun[];
  /** What this console did, newest last. */
  readonly history: readonly Done[];
  /** Newest last. */
  readonly log: readonly LogLine[];
  readonly isMasked: boolean;
  /** What is being waited for before leaving. */
  readonly closing: string | null;
  readonly lastActionId: number;
}

export type Connection = { readonly kind: 'connecting'; readonly step: string } | { readonly kind: 'open' };

/** `standby`: switched on, but QStash calls all of them. */
export type WorkersState = 'unavailable' | 'off' | 'on' | 'standby' | 'draining';

/** Redis commands so far. */
export interface CommandSample {
  readonly atEpochMs: number;
  readonly commands: number;
}

/** Stays until it was seen: until the first key after it has stood for a moment. */
export interface Notice {
  readonly level: ActionOutcome['level'];
  readonly text: string;
  readonly atEpochMs: number;
  /** What it answers: a key that can do nothing now, or something that was done or happened. */
  readonly of: 'key' | 'action';
}

/** An action under way. */
export interface Running {
  readonly id: number;
  readonly request: ActionRequest;
  readonly startedAtEpochMs: number;
  readonly progress: ActionProgress | null;
}

export interface LiveRun {
  readonly worker: WorkerName;
  readonly trigger: string;
  readonly startedAtEpochMs: number;
  /** Such as `37/100 sent, 1 failed, 9 in flight`; empty before anything is known. */
  readonly text: string;
}

export interface Done {
  readonly atEpochMs: number;
  readonly request: ActionRequest;
  readonly outcome: ActionOutcome;
}

export interface LogLine {
  readonly atEpochMs: number;
  readonly source: WorkerName | 'console';
  readonly text: string;
}

export type UiEvent =
  | { readonly type: 'tick'; readonly nowEpochMs: number }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'input'; readonly input: InputEvent }
  | { readonly type: 'command'; readonly name: CommandName; readonly argument?: string }
  | { readonly type: 'connecting'; readonly step: string }
  | {
      readonly type: 'connected';
      readonly environment: Environment;
      readonly available: readonly ActionKind[];
      readonly workers: WorkersState;
      readonly readOnly: string | null;
    }
  | ({ readonly type: 'part' } & PartEvent)
  | { readonly type: 'read'; readonly snapshot: Snapshot; readonly cadence?: Cadence }
  | { readonly type: 'progress'; readonly id: number; readonly progress: ActionProgress }
  | { readonly type: 'outcome'; readonly id: number; readonly outcome: ActionOutcome }
  | { readonly type: 'workers'; readonly workers: WorkersState }
  | { readonly type: 'live'; readonly live: readonly LiveRun[] }
  | { readonly type: 'log'; readonly line: LogLine }
  /** Something happened that nobody here asked for. */
  | { readonly type: 'told'; readonly level: Notice['level']; readonly text: string }
  | { readonly type: 'closing'; readonly text: string }
  | ({ readonly type: 'loaded' } & LoadEvent);

/** What keys and the command line ask for. Those that are not the program's own go to the view. */
export type CommandName =
  | 'view'
  | 'next-view'
  | 'previous-view'
  | 'quit'
  | 'suspend'
  | 'redraw'
  | 'refresh'
  | 'help'
  | 'tour'
  | 'command-line'
  | 'freeze'
  | 'arm'
  | 'pause'
  | 'run'
  | 'workers'
  | 'acknowledge'
  | 'acknowledge-all'
  | 'retry'
  | 'discard'
  | 'filter'
  | 'open'
  | 'back'
  | 'select'
  | 'select-all'
  | 'sort'
  | 'group'
  | 'trigger'
  | 'reset-circuit'
  | 'disable'
  | 'switch-schedule'
  | 'list'
  | 'range'
  | 'shorter'
  | 'longer'
  | 'series'
  | 'next-series'
  | 'previous-series'
  | 'cursor-back'
  | 'cursor-on'
  | 'zoom'
  | 'report'
  | 'unmask'
  | 'theme'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'page-up'
  | 'page-down'
  | 'first'
  | 'last';

/** What the app does for the reducer. */
export type Effect =
  | { readonly kind: 'act'; readonly id: number; readonly request: ActionRequest }
  | { readonly kind: 'load'; readonly view: string; readonly request: LoadRequest }
  | { readonly kind: 'refresh' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'bell' }
  /** It is never begun by itself again. */
  | { readonly kind: 'tour-shown' };

export type Step = readonly [State, readonly Effect[]];

export interface Beginning {
  readonly size: Size;
  readonly look: Look;
  readonly nowEpochMs: number;
  readonly cadence: Cadence;
  readonly readOnly: string | null;
  readonly isSafe: boolean;
  readonly hasBell: boolean;
  readonly operator: string;
  readonly isFirstStart?: boolean;
  /** Known before anything is connected, where the configuration says it. */
  readonly environment: Environment | null;
}

export function initialState(beginning: Beginning): State {
  const { isSafe, isFirstStart, ...given } = beginning;
  return {
    ...given,
    refreshMs: given.cadence.kind === 'fixed' ? given.cadence.intervalMs : FAST_MS,
    dueSinceEpochMs: given.nowEpochMs,
    lastKeyAtEpochMs: given.nowEpochMs,
    verdictSinceEpochMs: given.nowEpochMs,
    safe: isSafe ? { armedUntilEpochMs: null } : null,
    connection: { kind: 'connecting', step: 'connecting' },
    available: new Set(),
    workers: 'unavailable',
    picture: NOTHING_YET,
    frozen: null,
    verdict: null,
    lastReadAtEpochMs: null,
    commands: [],
    alertsKnown: null,
    alertsUnseen: new Set(),
    view: 'overview',
    local: {},
    chart: FIRST_CHART,
    dialog: null,
    isTourDue: isFirstStart === true,
    notice: null,
    noticesBefore: [],
    running: [],
    live: [],
    history: [],
    log: [],
    isMasked: true,
    closing: null,
    lastActionId: 0,
  };
}

/** The workers in here were switched on, whether there is anything for them to do or not. */
export function areSwitchedOn({ workers }: State): boolean {
  return workers === 'on' || workers === 'standby';
}

/** The picture that is shown, and the instant that its ages are counted to. */
export function shownPicture(state: State): Picture {
  return state.frozen?.picture ?? state.picture;
}

export function shownNow(state: State): number {
  return state.frozen?.atEpochMs ?? state.nowEpochMs;
}

/** Why nothing may be changed at the moment, or null. */
export function whyInert(state: State): string | null {
  if (state.readOnly !== null) return state.readOnly;
  if (state.safe === null) return null;
  const { armedUntilEpochMs } = state.safe;
  return armedUntilEpochMs !== null && armedUntilEpochMs > state.nowEpochMs
    ? null
    : 'view only: Ctrl-A arms the keys for ten minutes';
}
