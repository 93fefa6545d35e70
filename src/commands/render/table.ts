/** Tables from column descriptions: what a column is called, how it is aligned, and what of a row stands in it. */
import { displayWidth, fitTo } from '../../domain/width.ts';
import { type Look, paint, type Role } from './look.ts';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** One clean line. */
  cell(row: Row): string;
  readonly role?: (row: Row) => Role | undefined;
  /** May be cut when the table is too wide, down to this many cells; the others keep their width. */
  readonly shrinkTo?: number;
}

const GAP = 2;

/** Lines of the table (none at all without rows), none wider than `look.columns` as long as the columns that may shrink can give way. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], look: Look, indent = 0): string[] {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const natural = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...cells.map((line) => displayWidth(line[index] ?? ''))),
  );
  const widths = shrink(columns, natural, look.columns - indent - GAP * (columns.length - 1));
  const line = (texts: readonly string[], roles: readonly (Role | undefined)[]) =>
    `${' '.repeat(indent)}${columns
      .map(({ align }, index) => {
        const text = fitTo(texts[index] ?? '', widths[index] ?? 0, align);
        const role = roles[index];
        // Spaces at the end of a line would be carried into every copy of it.
        const cell = index === columns.length - 1 ? text.trimEnd() : text;
        return role === undefined ? cell : paint(role, cell, look);
      })
      .join(' '.repeat(GAP))}`.trimEnd();
  const titles = columns.map(({ title }) => title);
  const heading =
    rows.length === 0 || titles.every((title) => title === '')
      ? []
      : [
          line(
            titles,
            titles.map(() => 'muted'),
          ),
        ];
  const roles = (row: Row) => columns.map((column) => column.role?.(row));
  return [...heading, ...rows.map((row, index) => line(cells[index] ?? [], roles(row)))];
}

/** Takes from the widest column that may give, one cell at a time, until all fit or none can give any more. */
function shrink<Row>(columns: readonly Column<Row>[], natural: readonly number[], room: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const giving = columns
      .map((column, index) => ({ index, spare: (widths[index] ?? 0) - (column.shrinkTo ?? Number.POSITIVE_INFINITY) }))
      .filter(({ spare }) => spare > 0)
      .sort((a, b) => b.spare - a.spare)[0];
    if (giving === undefined) break;
    widths[giving.index] = (widths[giving.index] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}
