/** Rows of data as lines: columns are descriptions, and one renderer measures them. Pure. */
import { cut, fill, type Line, line, type Role, type Segment, seg } from './line.ts';

export interface TableColumn<Row> {
  readonly title: string;
  /** Cells. With `grow`, what is left over is shared out by it, and what is missing is taken from it. */
  readonly width: number;
  readonly grow?: number;
  /** Only where the table is at least so wide. */
  readonly from?: number;
  readonly align?: 'left' | 'right';
  /** What of a text that is too long is left out: its beginning where the end tells more, as of an address. */
  readonly leavesOut?: 'end' | 'start';
  cell(row: Row): string;
  role?(row: Row): Role;
}

export interface TableOptions<Row> {
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  /** Cells of a line. */
  readonly width: number;
  /** Index of the row that is selected, -1 for none. */
  readonly selected: number;
}

const GAP = 1;
/** Narrower nothing can be read: then the last column is cut. */
const LEAST_CELLS = 8;

/** The heading, then a line for each row, all exactly `width` wide. */
export function tableLines<Row>({ columns, rows, width, selected }: TableOptions<Row>): Line[] {
  const shown = columns.filter(({ from = 0 }) => from <= width);
  const widths = widthsOf(shown, width);
  const heading = shown.map(({ title, align }, at) => fill(line(seg(title, 'muted')), widths[at] ?? 0, align));
  const body = rows.map((row, index) => {
    const cells = shown.map((column, at) =>
      fill(line(cellOf(column, row, widths[at] ?? 0)), widths[at] ?? 0, column.align),
    );
    const whole = fill(joined(cells), width);
    // One look for the whole line, so that it reads as one in every theme.
    return index === selected ? [seg(whole.map(({ text }) => text).join(''), 'selected')] : whole;
  });
  return [cut(joined(heading), width), ...body];
}

function cellOf<Row>({ cell, role, leavesOut }: TableColumn<Row>, row: Row, width: number): Segment {
  const whole = seg(cell(row), role?.(row) ?? 'text');
  if (leavesOut !== 'start' || whole.text.length <= width) return whole;
  return { ...whole, text: `…${whole.text.slice(whole.text.length - Math.max(0, width - 1))}` };
}

function joined(cells: readonly Line[]): Line {
  return cells.flatMap((cell, index) => (index === 0 ? cell : [seg(' '.repeat(GAP)), ...cell]));
}

function widthsOf<Row>(columns: readonly TableColumn<Row>[], total: number): number[] {
  const least = columns.reduce((sum, { width }) => sum + width, 0) + GAP * Math.max(0, columns.length - 1);
  let spare = total - least;
  let shares = columns.reduce((sum, { grow = 0 }) => sum + grow, 0);
  return columns.map(({ width, grow = 0 }) => {
    const more = shares === 0 ? 0 : Math.max(Math.floor((spare * grow) / shares), Math.min(0, LEAST_CELLS - width));
    spare -= more;
    shares -= grow;
    return width + more;
  });
}
