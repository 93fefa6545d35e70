/** A terminal in memory: takes what a program sent, and answers its grid of cells. */
import xterm from '@xterm/headless';
import type { Size } from '../../src/ui/layout.ts';

export interface Cell {
  /** One character and what is combined with it; a blank is a space. */
  readonly text: string;
  readonly pen: Pen;
}

/** How a cell looks, as the parameters that make it so; empty is the terminal's own. */
export interface Pen {
  readonly fg: string;
  readonly bg: string;
  /** Parameters that switch something on, in ascending order: `1`, `7`. */
  readonly attributes: readonly string[];
}

/** Rows of cells. */
export type Grid = readonly (readonly Cell[])[];

export interface GridTerminal {
  /** Resolves with the grid as it is then. */
  after(bytes: Uint8Array | string): Promise<Grid>;
  /** The rows as text. */
  text(): string;
  dispose(): void;
}

export const PLAIN: Pen = { fg: '', bg: '', attributes: [] };

export function blankGrid({ columns, rows }: Size): Grid {
  return Array.from({ length: rows }, () => Array.from({ length: columns }, () => ({ text: ' ', pen: PLAIN })));
}

export function createGridTerminal(size: Size): GridTerminal {
  const terminal = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true, scrollback: 0 });
  const buffer = () => terminal.buffer.active;
  const rowNumbers = Array.from({ length: size.rows }, (_, y) => y);
  const scratch = buffer().getNullCell();
  const pens = new Map<string, Pen>();
  const shared = (cell: TerminalCell): Pen => {
    if (cell.isAttributeDefault()) return PLAIN;
    const key = `${cell.getFgColorMode()} ${cell.getFgColor()} ${cell.getBgColorMode()} ${cell.getBgColor()} ${flagsOf(cell)}`;
    const known = pens.get(key) ?? penOf(cell);
    pens.set(key, known);
    return known;
  };
  const rowAt = (y: number): Cell[] => {
    const line = buffer().getLine(buffer().viewportY + y);
    return Array.from({ length: size.columns }, (_, x) => {
      const cell = line?.getCell(x, scratch);
      return cell === undefined ? { text: ' ', pen: PLAIN } : { text: cell.getChars() || ' ', pen: shared(cell) };
    });
  };
  return {
    after: async (bytes) => {
      await new Promise<void>((resolve) => terminal.write(bytes, resolve));
      return rowNumbers.map(rowAt);
    },
    text: () =>
      rowNumbers
        .map(
          (y) =>
            buffer()
              .getLine(buffer().viewportY + y)
              ?.translateToString(true) ?? '',
        )
        .join('\n'),
    dispose: () => terminal.dispose(),
  };
}

type TerminalCell = ReturnType<xterm.Terminal['buffer']['active']['getNullCell']>;

function flagsOf(cell: TerminalCell): string {
  return `${cell.isBold()} ${cell.isDim()} ${cell.isItalic()} ${cell.isUnderline()} ${cell.isInverse()} ${cell.isStrikethrough()}`;
}

function penOf(cell: TerminalCell): Pen {
  const attributes = [
    ...(cell.isBold() ? ['1'] : []),
    ...(cell.isDim() ? ['2'] : []),
    ...(cell.isItalic() ? ['3'] : []),
    ...(cell.isUnderline() ? ['4'] : []),
    ...(cell.isInverse() ? ['7'] : []),
    ...(cell.isStrikethrough() ? ['9'] : []),
  ];
  return {
    fg: colour(cell.isFgDefault(), cell.isFgRGB(), cell.getFgColor(), 30),
    bg: colour(cell.isBgDefault(), cell.isBgRGB(), cell.getBgColor(), 40),
    attributes,
  };
}

/** The shortest parameters for a colour. */
function colour(isDefault: boolean, isRgb: boolean, value: number, base: 30 | 40): string {
  if (isDefault) return '';
  if (isRgb) return `${base + 8};2;${value >> 16};${(value >> 8) & 255};${value & 255}`;
  if (value < 8) return String(base + value);
  return value < 16 ? String(base + 60 + value - 8) : `${base + 8};5;${value}`;
}
