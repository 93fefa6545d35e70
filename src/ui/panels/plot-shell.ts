/** The plot of a chart on blessed-contrib's braille canvas. It is drawn when its traces change, not with every frame. */
import type { Widgets } from 'blessed';
import Box from 'blessed/lib/widgets/box.js';
import Canvas, { type CanvasElement } from 'blessed-contrib/lib/widget/canvas.js';
import { paintLines } from '../paint.ts';
import type { Plot, Span } from '../panel.ts';
import { plotLines } from '../text-plot.ts';
import { type Look, type Style, THEMES } from '../theme.ts';

export interface MountedPlot {
  readonly element: Widgets.BoxElement;
  update(plot: Plot, look: Look): boolean;
  destroy(): void;
}

const DOTS_PER_CELL = { across: 2, down: 4 } as const;

/** Inside `parent`, at the plot's rectangle, which stays for the life of the canvas. */
export function mountPlot(parent: Widgets.BoxElement, { rect }: Plot): MountedPlot {
  const element = Canvas({
    left: rect.x,
    top: rect.y,
    width: rect.width,
    height: rect.height,
    tags: false,
    wrap: false,
  });
  element.calcSize = () => {
    element.canvasSize = { width: rect.width * DOTS_PER_CELL.across, height: rect.height * DOTS_PER_CELL.down };
  };
  // The library's own render composes the whole picture anew with every frame.
  element.render = function render(this: CanvasElement) {
    return this._render();
  } as CanvasElement['render'];
  // It makes the canvas when it is attached, so its size has to be known by then.
  parent.append(element);
  let drawn = '';
  let last: Plot['traces'] | null = null;
  return {
    element,
    update: (plot, { theme }) => {
      const isSameLook = drawn.startsWith(`${theme} ${plot.cursor} `);
      if (isSameLook && plot.traces === last) return false;
      last = plot.traces;
      const key = `${theme} ${plot.cursor} ${JSON.stringify(plot.traces)}`;
      if (key === drawn) return false;
      drawn = key;
      draw(element, plot, THEMES[theme]);
      return true;
    },
    destroy: () => element.destroy(),
  };
}

/** The same without braille. */
export function mountTextPlot(parent: Widgets.BoxElement, { rect }: Plot): MountedPlot {
  const { x, y, width, height } = rect;
  const element = Box({ parent, left: x, top: y, width, height, tags: false, wrap: false });
  let drawn = '';
  return {
    element,
    update: (plot, look) => {
      const content = paintLines(plotLines(plot), width, look);
      if (content === drawn) return false;
      drawn = content;
      element.setContent(content);
      return true;
    },
    destroy: () => element.destroy(),
  };
}

function draw(element: CanvasElement, plot: Plot, styles: (typeof THEMES)[Look['theme']]): void {
  const { ctx } = element;
  const { width, height } = element.canvasSize;
  ctx.clearRect(0, 0, width, height);
  if (plot.cursor !== null) drawColumn(element, plot.cursor, { low: 0, high: height - 1 }, colour(styles.muted));
  for (const { role, columns } of plot.traces) {
    columns.forEach((span, column) => {
      if (span !== null) drawColumn(element, column, span, colour(styles[role]));
    });
  }
  element.setContent(ctx._canvas.frame());
}

function drawColumn(
  { ctx, canvasSize }: CanvasElement,
  column: number,
  { low, high }: Span,
  style: number | string,
): void {
  ctx._canvas.color = style;
  const bottom = canvasSize.height - 1;
  for (let dot = low; dot <= high; dot += 1) ctx._canvas.set(column, bottom - dot);
}

/** `normal` is the terminal's own colour. */
function colour({ fg = -1 }: Style): number | string {
  return fg < 0 ? 'normal' : fg;
}
