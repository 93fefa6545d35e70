/** A terminal without a window: takes the bytes of the dashboard and answers what a person would see. */
import xterm from '@xterm/headless';
import type { Size } from '../../src/ui/layout.ts';

export interface HeadlessTerminal {
  write(bytes: string): void;
  /** Resolves when everything written so far is on the screen. */
  settle(): Promise<void>;
  /** Rows without the spaces at their ends. */
  rows(): string[];
  /** One letter for each look: `.` plain, other letters in the order of their first appearance. */
  looks(): { rows: string[]; legend: string[] };
  /** Every cell of every row, for a picture. */
  cells(): CellLook[][];
  cell(x: number, y: number): { text: string; width: number };
  readonly bytes: number;
  resetBytes(): void;
  resize(size: Size): void;
  isAlternate(): boolean;
  dispose(): void;
}

/** Colours by their index in the palette; null is the terminal's own. */
export interface CellLook {
  readonly text: string;
  readonly fg: number | null;
  readonly bg: number | null;
  readonly isBold: boolean;
}

export function createHeadlessTerminal({ columns, rows }: Size): HeadlessTerminal {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
  let bytes = 0;
  const line = (y: number) => terminal.buffer.active.getLine(terminal.buffer.active.viewportY + y);
  return {
    write: (text) => {
      bytes += Buffer.byteLength(text);
      terminal.write(text);
    },
    settle: () => new Promise((resolve) => terminal.write('', resolve)),
    rows: () => Array.from({ length: terminal.rows }, (_, y) => (line(y)?.translateToString(true) ?? '').trimEnd()),
    looks: () => {
      const names = new Map<string, string>();
      const rows = Array.from({ length: terminal.rows }, (_, y) => {
        let text = '';
        for (let x = 0; x < terminal.cols; x += 1) {
          const look = lookOf(line(y)?.getCell(x));
          if (look !== '' && !names.has(look)) names.set(look, LETTERS[names.size] ?? '?');
          text += look === '' ? '.' : (names.get(look) ?? '?');
        }
        return text.replace(/\.+$/, '');
      });
      return { rows, legend: [...names].map(([look, letter]) => `${letter} = ${look}`) };
    },
    cells: () =>
      Array.from({ length: terminal.rows }, (_, y) =>
        Array.from({ length: terminal.cols }, (_, x) => {
          const cell = line(y)?.getCell(x);
          const fg = cell === undefined || cell.isFgDefault() ? null : cell.getFgColor();
          const bg = cell === undefined || cell.isBgDefault() ? null : cell.getBgColor();
          const isInverse = (cell?.isInverse() ?? 0) !== 0;
          return {
            text: cell?.getChars() || ' ',
            fg: isInverse ? (bg ?? 234) : fg,
            bg: isInverse ? (fg ?? 252) : bg,
            isBold: (cell?.isBold() ?? 0) !== 0,
          };
        }),
      ),
    cell: (x, y) => {
      const cell = line(y)?.getCell(x);
      return { text: cell?.getChars() ?? '', width: cell?.getWidth() ?? 0 };
    },
    get bytes() {
      return bytes;
    },
    resetBytes: () => {
      bytes = 0;
    },
    resize: (size) => terminal.resize(size.columns, size.rows),
    isAlternate: () => terminal.buffer.active.type === 'alternate',
    dispose: () => terminal.dispose(),
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

type Cell = NonNullable<ReturnType<NonNullable<ReturnType<xterm.Terminal['buffer']['active']['getLine']>>['getCell']>>;

function lookOf(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  const isBlank = cell.getChars() === '' || cell.getChars() === ' ';
  return [
    ...(cell.isFgDefault() || (isBlank && !cell.isInverse()) ? [] : [`fg ${cell.getFgColor()}`]),
    ...(cell.isBgDefault() ? [] : [`bg ${cell.getBgColor()}`]),
    ...(cell.isBold() && !isBlank ? ['bold'] : []),
    ...(cell.isInverse() ? ['inverse'] : []),
  ].join(' ');
}
