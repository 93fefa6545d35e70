/**
 * The screen: frames of panels onto a terminal, of which only cells that changed are sent. Beside `panels/` the only place
 * that knows the screen library, which lays cells out and sends nothing itself: what goes to the terminal is `cell-diff.ts`'s,
 * entering, leaving and reading keys are `terminal.ts`'s.
 */
import { EventEmitter } from 'node:events';
import type { Widgets } from 'blessed';
import Screen from 'blessed/lib/widgets/screen.js';
import { asciiText } from './ascii.ts';
import { cellDiff, type DiffRow } from './cell-diff.ts';
import { overlap, type Size } from './layout.ts';
import type { Frame, Panel } from './panel.ts';
import { type MountedBox, mountBox } from './panels/box-shell.ts';
import { type MountedPlot, mountPlot, mountTextPlot } from './panels/plot-shell.ts';
import type { Look } from './theme.ts';

export interface ScreenOptions {
  readonly size: Size;
  /** Takes everything that is to be sent. */
  write(bytes: string): void;
  /** Frames in DECSET 2026, so that the terminal shows them at once or not at all. */
  readonly isSynchronised: boolean;
}

export interface DashboardScreen {
  /** Draws what changed since the frame before. */
  show(frame: Frame, look: Look): void;
  /** A new size: everything is drawn anew with the next frame. */
  resize(size: Size): void;
  /** Forgets what the terminal shows: the next frame is sent whole. */
  forget(): void;
  destroy(): void;
}

interface Mounted {
  readonly key: string;
  readonly box: MountedBox;
  plot: { readonly key: string; readonly mounted: MountedPlot } | null;
}

/** Shorter frames tear for nobody. */
const SYNCHRONISED_FROM = 200;
const CLEAR = '\x1b[m\x1b[2J';

export function createScreen(options: ScreenOptions): DashboardScreen {
  const output = createOutput(options.size);
  const screen = openLibraryScreen(output);
  let mounted = new Map<string, Mounted>();
  let mustRepaint = false;

  const show = (frame: Frame, look: Look) => {
    const next = new Map<string, Mounted>();
    const changed = new Set<string>();
    let isMoved = mustRepaint;
    for (const panel of frame) {
      const key = keyOf(panel, look);
      const known = mounted.get(panel.id);
      const stays = known !== undefined && known.key === key;
      if (known !== undefined && !stays) unmount(known);
      const current = stays ? known : { key, box: mountBox(screen, panel, look), plot: null };
      if (!stays) isMoved = true;
      mounted.delete(panel.id);
      next.set(panel.id, current);
      const isBoxChanged = current.box.update(panel, look);
      if (updatePlot(current, panel, look) || isBoxChanged) changed.add(panel.id);
    }
    for (const gone of mounted.values()) unmount(gone);
    if (mounted.size > 0) isMoved = true;
    mounted = next;
    const cleared = mustRepaint ? CLEAR : '';
    if (isMoved) {
      // Dialogs that were mounted before a panel below them moved are behind it now.
      orderAsIn(frame, mounted);
      if (mustRepaint) screen.alloc();
      else screen.clearRegion(0, screen.width as number, 0, screen.height as number);
      mustRepaint = false;
      screen.render();
    } else {
      for (const id of touched(frame, changed)) mounted.get(id)?.box.element.render();
    }
    const { lines, olines } = grids(screen);
    send(`${cleared}${cellDiff({ shown: olines, wanted: lines, text: look.ascii ? asciiText : String })}`);
  };
  const send = (bytes: string) => {
    if (bytes === '') return;
    const isMarked = options.isSynchronised && bytes.length >= SYNCHRONISED_FROM;
    options.write(isMarked ? `\x1b[?2026h${bytes}\x1b[?2026l` : bytes);
  };

  return {
    show,
    resize: ({ columns, rows }) => {
      for (const each of mounted.values()) unmount(each);
      mounted = new Map();
      output.columns = columns;
      output.rows = rows;
      screen.program.cols = columns;
      screen.program.rows = rows;
      mustRepaint = true;
    },
    forget: () => {
      mustRepaint = true;
    },
    destroy: () => screen.destroy(),
  };
}

/** Back to front: what changed, and what lies over it. The rest stands in the grid as it was. */
function touched(frame: Frame, changed: ReadonlySet<string>): string[] {
  const drawn: Panel[] = [];
  for (const panel of frame)
    if (changed.has(panel.id) || drawn.some(({ rect }) => overlap(rect, panel.rect))) drawn.push(panel);
  return drawn.map(({ id }) => id);
}

function unmount({ box, plot }: Mounted): void {
  plot?.mounted.destroy();
  box.destroy();
}

function orderAsIn(frame: Frame, mounted: ReadonlyMap<string, Mounted>): void {
  for (const { id } of frame) mounted.get(id)?.box.element.setFront();
}

/** A panel with another key needs another widget. */
function keyOf({ rect, frame }: Panel, { ascii }: Look): string {
  return [rect.x, rect.y, rect.width, rect.height, frame === null, ascii].join();
}

function updatePlot(mounted: Mounted, panel: Panel, look: Look): boolean {
  const { plot } = panel;
  const key = plot === undefined ? '' : [...Object.values(plot.rect), look.ascii].join();
  const isOther = mounted.plot !== null && mounted.plot.key !== key;
  if (isOther) {
    mounted.plot?.mounted.destroy();
    mounted.plot = null;
  }
  if (plot === undefined) return isOther;
  if (mounted.plot === null) {
    const mount = look.ascii ? mountTextPlot : mountPlot;
    mounted.plot = { key, mounted: mount(mounted.box.element, plot) };
  }
  return mounted.plot.mounted.update(plot, look) || isOther;
}

/** What the library takes for the terminal. It asks for its size; what it would send goes nowhere. */
function createOutput({ columns, rows }: Size) {
  return Object.assign(new EventEmitter(), {
    isTTY: true,
    writable: true,
    columns,
    rows,
    bytesWritten: 1,
    write: () => true,
  });
}

function openLibraryScreen(output: ReturnType<typeof createOutput>): Widgets.Screen {
  // Inside tmux the library would run `tmux -V` and wrap its sequences in ways that we don't need.
  const { TMUX } = process.env;
  delete process.env.TMUX;
  const screen = Screen({
    input: new EventEmitter(),
    output,
    // It only reads the old terminfo format, and knows few terminals; everything here that has colours is like xterm.
    terminal: 'xterm-256color',
    forceUnicode: true,
    fullUnicode: false,
    smartCSR: false,
    fastCSR: false,
    useBCE: false,
    autoPadding: true,
    warnings: false,
  });
  if (TMUX !== undefined) process.env.TMUX = TMUX;
  // It only lays out: `cellDiff` compares and sends.
  grids(screen).draw = () => undefined;
  dropProcessHandlers();
  return screen;
}

/** The library's two grids and what it calls to send their difference, which its types leave out. */
function grids(screen: Widgets.Screen): { lines: DiffRow[]; olines: DiffRow[]; draw: () => void } {
  return screen as never;
}

/** Signals, exceptions and the end of the process are `terminal.ts`'s. */
function dropProcessHandlers(): void {
  const handlers = [
    ['uncaughtException', Screen._exceptionHandler],
    ['SIGTERM', Screen._sigtermHandler],
    ['SIGINT', Screen._sigintHandler],
    ['SIGQUIT', Screen._sigquitHandler],
    ['exit', Screen._exitHandler],
  ] as const;
  for (const [event, handler] of handlers) if (handler !== undefined) process.removeListener(event, handler);
}
