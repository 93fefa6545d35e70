/** The plot of a chart in ASCII, for terminals that have no braille. Pure. */
import type { Line } from './line.ts';
import type { Plot } from './panel.ts';

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
