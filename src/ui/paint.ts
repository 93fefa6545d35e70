/**
 * Lines of segments → the characters that a widget shows, with their colours. The one place through which every text of
 * every panel goes: what is not safe by now becomes so here, whoever made it.
 */
import { asciiText } from './ascii.ts';
import { cut, type Line } from './line.ts';
import { safeText } from './safe-text.ts';
import { type Look, sgrOf, THEMES } from './theme.ts';

/** At most `cells` wide. The only control characters in it are the escape sequences of the theme. */
export function paintLine(segments: Line, cells: number, { theme, ascii }: Look): string {
  let painted = '';
  for (const { text, role } of cut(segments, cells)) {
    const safe = ascii ? asciiText(safeText(text)) : safeText(text);
    const sgr = sgrOf(THEMES[theme][role]);
    painted += sgr === '' ? safe : `\x1b[${sgr}m${safe}\x1b[m`;
  }
  return painted;
}

export function paintLines(lines: readonly Line[], cells: number, look: Look): string {
  return lines.map((segments) => paintLine(segments, cells, look)).join('\n');
}
