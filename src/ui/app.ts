/**
 * The dashboard at work: events into the reducer, its effects carried out, frames onto the screen. Paints before it
 * connects, so that nobody waits in front of an empty terminal. All wiring to the systems is the caller's.
 */
import { type Cadence, goodForMs } from '../domain/cadence.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { type ActionKind, type ActionRequest, type Actions, CHANGING_ACTIONS, perform } from './actions.ts';
import { frameOf } from './frame.ts';
import { createFrames } from './frames.ts';
import type { LoadEvent, Loaders, LoadRequest } from './loaders.ts';
import { reduce } from './reduce.ts';
import { createRefresher, type Refresher } from './refresher.ts';
import { createScreen, type DashboardScreen } from './screen.ts';
import {
  type Beginning,
  type Effect,
  initialState,
  type LogLine,
  type State,
  type UiEvent,
  type WorkersState,
} from './state.ts';
import { createTerminal, type TerminalInput, type TerminalOutput } from './terminal.ts';
import { whatWords } from './toast.ts';
import { addressed } from './words.ts';

export interface AppOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly beginning: Omit<Beginning, 'size' | 'nowEpochMs'>;
  readonly hasMouse: boolean;
  readonly isSynchronised: boolean;
  readonly hasAlternate: boolean;
  /** Called after the first paint. `emit` takes parts as they arrive, log lines, changes of the workers. */
  connect(emit: Emit, signal: AbortSignal): Promise<Session>;
  /** The tour has begun: the next start is not the first any more. */
  onTourShown?(): void;
  /** One line for the log file. */
  log(line: string): void;
  now(): number;
}

export { createLogFile } from './log-file.ts';
export { themeFor } from './theme.ts';

export type Emit = (event: UiEvent) => void;

/** The systems, as the dashboard sees them. */
export interface Session {
  readonly environment: Snapshot['environment'];
  readonly readOnly: string | null;
  readonly workers: WorkersState;
  readonly actions: Actions;
  readonly loaders: Loaders;
  /** What is not known to have changed may be as old as `goodForMs`; with 0 everything is read. */
  read(signal: AbortSignal, goodForMs: number): Promise<Snapshot>;
  /** Until the next refresh: asked after each, because a budget depends on what was spent. */
  cadence(): Cadence;
  /** Ends what runs here; says in words what is being waited for. */
  close(onWaiting: (text: string) => void): Promise<void>;
}

export interface App extends AsyncDisposable {
  /** Paints, then connects and runs until it is left. Rejects with what made it impossible. */
  run(): Promise<void>;
  /** Resolves when the terminal is as it was. Idempotent; a second call does not wait for what still runs. */
  stop(): Promise<void>;
}

/** Of the log file, in characters. */
const LONGEST_LINE = 4_000;

export function createApp(options: AppOptions): App {
  const stopping = new AbortController();
  const left = Promise.withResolvers<void>();
  const forced = Promise.withResolvers<void>();
  let session: Session | null = null;
  let refresher: Refresher | null = null;
  let state: State;
  let screen: DashboardScreen | null = null;
  let ticker: { stop(): void } | null = null;
  let stopped: Promise<void> | null = null;
  const unfinished = new Map<Promise<void>, ActionRequest>();

  const terminal = createTerminal({
    input: options.input,
    output: options.output,
    hasMouse: options.hasMouse,
    hasAlternate: options.hasAlternate,
    onInput: (input) => dispatch({ type: 'input', input }, true),
    onResize: (size) => {
      screen?.resize(size);
      dispatch({ type: 'resize', size });
    },
    onResumed: () => {
      screen?.forget();
      frames.request(true);
    },
    onPrinted: (text) => note(text),
  });
  const draw = () => {
    if (stopped === null || session !== null) screen?.show(frameOf(state), state.look);
  };
  const frames = createFrames(draw);

  const dispatch = (event: UiEvent, isKey = false) => {
    const now = options.now();
    if (event.type === 'log') keep(event.line);
    // Ages and countdowns are right at every event, not only at ticks.
    const [next, effects] = reduce(now - state.nowEpochMs >= 1_000 ? { ...state, nowEpochMs: now } : state, event);
    const isSame = next === state;
    const { refreshMs } = state;
    state = next;
    if (refreshMs !== next.refreshMs) refresher?.review();
    for (const effect of effects) carryOut(effect);
    if (!isSame) frames.request(isKey);
  };
  // Who reads the file may not be who unmasked the screen.
  const keep = ({ atEpochMs, text }: LogLine) =>
    options.log(`${new Date(atEpochMs).toISOString()} ${addressed(text, true, LONGEST_LINE)}`);
  const note = (text: string) => dispatch({ type: 'log', line: { atEpochMs: options.now(), source: 'console', text } });

  const carryOut = (effect: Effect) => {
    switch (effect.kind) {
      case 'act':
        void act(effect);
        return;
      case 'load':
        void load(effect.view, effect.request);
        return;
      case 'refresh':
        refresher?.wake();
        return;
      case 'quit':
        void stop();
        return;
      case 'suspend':
        terminal.suspend();
        return;
      case 'redraw':
        screen?.forget();
        return;
      case 'bell':
        terminal.write('\x07');
        return;
      case 'tour-shown':
        options.onTourShown?.();
        return;
      default:
        return effect satisfies never;
    }
  };
  const act = async (effect: ActEffect) => {
    const acting = carryOutAction(effect);
    if (!GOES_ON_ALONE.has(effect.request.kind)) unfinished.set(acting, effect.request);
    await acting.finally(() => unfinished.delete(acting));
  };
  const carryOutAction = async ({ id, request }: ActEffect) => {
    // Said by the keymap already; this is the door itself.
    const isForbidden = CHANGING_ACTIONS.has(request.kind) && (state.readOnly ?? session?.readOnly ?? null) !== null;
    const outcome = isForbidden
      ? ({ level: 'warning', text: `nothing was changed: ${state.readOnly ?? session?.readOnly}` } as const)
      : await perform(session?.actions ?? {}, request, {
          signal: stopping.signal,
          onProgress: (progress) => dispatch({ type: 'progress', id, progress }),
        });
    dispatch({ type: 'outcome', id, outcome });
  };
  const load = async (view: string, request: LoadRequest) => {
    const result = await loadResult(session?.loaders ?? {}, request, stopping.signal);
    if (stopping.signal.aborted) return;
    dispatch({ type: 'loaded', view, kind: request.kind, request, result } as UiEvent & LoadEvent);
  };

  const run = async () => {
    terminal.enter();
    try {
      const size = terminal.size();
      state = initialState({ ...options.beginning, size, nowEpochMs: options.now() });
      screen = createScreen({ size, write: terminal.write, isSynchronised: options.isSynchronised });
      draw();
      ticker = tickEverySecond(options.now, (nowEpochMs) => dispatch({ type: 'tick', nowEpochMs }));
      const opened = await Promise.race([options.connect(dispatch, stopping.signal), left.promise]);
      if (opened !== undefined && !stopping.signal.aborted) await attend(opened);
      await left.promise;
    } finally {
      await stop();
    }
  };
  const attend = async (opened: Session) => {
    session = opened;
    dispatch({
      type: 'connected',
      environment: opened.environment,
      available: Object.keys(opened.actions) as ActionKind[],
      workers: opened.workers,
      readOnly: opened.readOnly,
    });
    refresher = createRefresher(() => state.refreshMs, stopping.signal);
    await refresher.loop(async (isAsked) => {
      const snapshot = await opened.read(stopping.signal, isAsked ? 0 : goodForMs(state.refreshMs));
      dispatch({ type: 'read', snapshot, cadence: opened.cadence() });
    });
  };

  const stop = (): Promise<void> => {
    if (stopped !== null) forced.resolve();
    stopped ??= shutDown();
    return stopped;
  };
  const shutDown = async () => {
    const waiting = (text: string) => dispatch({ type: 'closing', text });
    const finish = async () => {
      const [request] = unfinished.values();
      if (request !== undefined) waiting(`waiting for ${whatWords(request)} to finish; Ctrl-C leaves at once`);
      await Promise.allSettled(unfinished.keys());
      await session?.close(waiting);
    };
    try {
      await Promise.race([finish(), forced.promise]);
    } finally {
      stopping.abort();
      ticker?.stop();
      frames.stop();
      screen?.destroy();
      screen = null;
      terminal.leave();
      left.resolve();
    }
  };
  return { run, stop, [Symbol.asyncDispose]: stop };
}

type ActEffect = Extract<Effect, { kind: 'act' }>;

/** Runs are drained by the session; what is only watched after its first step goes on without us. The rest would stay half done. */
const GOES_ON_ALONE: ReadonlySet<ActionKind> = new Set(['run', 'workers', 'pause', 'schedule']);

/** At the full second, where the clock on the screen changes. */
function tickEverySecond(now: () => number, onTick: (nowEpochMs: number) => void): { stop(): void } {
  let timer: NodeJS.Timeout;
  const next = () => {
    timer = setTimeout(
      () => {
        onTick(now());
        next();
      },
      1_000 - (now() % 1_000),
    );
  };
  next();
  return { stop: () => clearTimeout(timer) };
}

async function loadResult(loaders: Loaders, request: LoadRequest, signal: AbortSignal) {
  const handler = loaders[request.kind] as ((request: LoadRequest, signal: AbortSignal) => Promise<never>) | undefined;
  if (handler === undefined)
    return { ok: false, fault: { code: 'not-configured', message: 'Not readable from here.' } };
  try {
    return { ok: true, value: await handler(request, signal) };
  } catch (error) {
    const fault = (error as { fault?: unknown }).fault;
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, fault: fault ?? { code: 'internal', message } };
  }
}
