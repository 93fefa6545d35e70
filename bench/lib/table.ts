/** Markdown tables: the first column is words, the others are figures unless told. */

export type Cell = string | number | null;

/** Null is a dash. Columns whose index is in `words` are aligned to the left. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { words = [0] }: { words?: readonly number[] } = {},
): string {
  const line = (cells: readonly Cell[]) => `| ${cells.map(text).join(' | ')} |`;
  const rule = head.map((_, index) => (words.includes(index) ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function text(cell: Cell): string {
  return cell === null ? '–' : String(cell).replaceAll('|', '\\|');
}

/** `1,234.5`, with so many digits after the point. */
export function figure(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return '–';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
