/** The plot of a chart in ASCII, for terminals that have no braille. */
import type { Widgets } from 'blessed';
import Box from 'blessed/lib/widgets/box.js';
import type { Line } from '../line.ts';
import { paintLines } from '../paint.ts';
import type { Plot } from '../panel.ts';
import type { Look } from '../theme.ts';
import type { MountedPlot } from './plot-panel.ts';

export function mountTextPlot(parent: Widgets.BoxElement, { rect }: Plot): MountedPlot {
  const element = Box({
    parent,
    left: rect.x,
    top: rect.y,
    width: rect.width,
    height: rect.height,
    tags: false,
    wrap: false,
  });
  let drawn = '';
  return {
    element,
    update: (plot, look: Look) => {
      const content = paintLines(plotLines(plot), rect.width, look);
      if (content === drawn) return false;
      drawn = content;
      element.setContent(content);
      return true;
    },
    destroy: () => element.destroy(),
  };
}

/** One character a cell: `*` for what has its value there, `:` where it passes through, `|` for the cursor. */
export function plotLines({ rect, traces, cursor }: Plot): Line[] {
  return Array.from({ length: rect.height }, (_, row) => {
    const low = (rect.height - 1 - row) * 4;
    return Array.from({ length: rect.width }, (_, cell) => {
      const found = traces.findLast(
        ({ columns }) => touches(columns[cell * 2], low) || touches(columns[cell * 2 + 1], low),
      );
      if (found === undefined)
        return { text: cursor !== null && cursor >> 1 === cell ? '|' : ' ', role: 'muted' as const };
      const isAtEnd = [found.columns[cell * 2], found.columns[cell * 2 + 1]].some(
        (span) => span != null && span.high >= low && span.high < low + 4,
      );
      return { text: isAtEnd ? '*' : ':', role: found.role };
    });
  });
}

function touches(span: { low: number; high: number } | null | undefined, low: number): boolean {
  return span != null && span.high >= low && span.low < low + 4;
}
