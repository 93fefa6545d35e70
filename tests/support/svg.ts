/** A headless terminal as a picture: one `<text>` for each run of cells that look the same. */
import type { CellLook } from './headless-terminal.ts';

const CELL = { width: 8.4, height: 18 };
const BACKGROUND = '#16181d';
const FOREGROUND = '#d8dadf';

export function svgOf(rows: readonly (readonly CellLook[])[], title: string): string {
  const width = Math.ceil((rows[0]?.length ?? 0) * CELL.width);
  const height = rows.length * CELL.height;
  const lines = rows.flatMap((cells, y) => runsOf(cells).map((run) => drawn(run, y)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" fill="${BACKGROUND}"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

interface Run extends CellLook {
  readonly x: number;
}

function runsOf(cells: readonly CellLook[]): Run[] {
  const runs: Run[] = [];
  for (const [x, cell] of cells.entries()) {
    const last = runs.at(-1);
    const isSame = last !== undefined && last.fg === cell.fg && last.bg === cell.bg && last.isBold === cell.isBold;
    if (isSame) runs[runs.length - 1] = { ...last, text: last.text + cell.text };
    else runs.push({ ...cell, x });
  }
  return runs.filter(({ text, bg }) => bg !== null || text.trim() !== '');
}

function drawn({ x, text, fg, bg, isBold }: Run, y: number): string {
  const left = (x * CELL.width).toFixed(1);
  const wide = (text.length * CELL.width).toFixed(1);
  const top = y * CELL.height;
  const box =
    bg === null ? '' : `<rect x="${left}" y="${top}" width="${wide}" height="${CELL.height}" fill="${colour(bg)}"/>`;
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const weight = isBold ? ' font-weight="bold"' : '';
  return `${box}<text x="${left}" y="${top + 13}" textLength="${wide}" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="${fg === null ? FOREGROUND : colour(fg)}"${weight}>${escaped}</text>`;
}

const BASIC = ['#1c1f26', '#d0555a', '#6fae6a', '#c9a24d', '#5b8dd0', '#a77bc4', '#4fa9ad', '#c9ccd3'];

/** The palette of 256 colours as terminals agree on it: 6×6×6 and 24 greys. */
function colour(index: number): string {
  if (index < 16) return BASIC[index % 8] ?? FOREGROUND;
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  if (index >= 232) return `#${hex(8 + (index - 232) * 10).repeat(3)}`;
  const level = (step: number) => hex(step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return `#${level(Math.floor(cube / 36))}${level(Math.floor(cube / 6) % 6)}${level(cube % 6)}`;
}
