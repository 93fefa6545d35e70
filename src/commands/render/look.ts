/** How output looks on the terminal at hand: its width, and whether there are colours and more than ASCII. */
import { withoutControls } from '../../domain/text.ts';
import { displayWidth } from '../../domain/width.ts';
import type { Io } from '../io.ts';

export interface Look {
  readonly columns: number;
  readonly colour: boolean;
  readonly unicode: boolean;
}

/** What a text means; the colours follow from it. */
export type Role = 'ok' | 'warning' | 'critical' | 'muted' | 'heading';

export function lookOf(io: Io): Look {
  return { columns: Math.max(40, Math.min(io.stdout.columns, 120)), colour: io.colour, unicode: io.unicode };
}

const SGR: Readonly<Record<Role, string>> = {
  ok: '32',
  warning: '33',
  critical: '1;31',
  muted: '2',
  heading: '1',
};

/** `text` in the colour of its role. Measure and pad before painting. */
export function paint(role: Role, text: string, look: Look): string {
  return look.colour && text !== '' ? `\x1b[${SGR[role]}m${text}\x1b[0m` : text;
}

const ASCII: readonly (readonly [RegExp, string])[] = [
  [/[█▇]/g, '#'],
  [/[░]/g, '.'],
  [/[–—]/g, '-'],
  [/…/g, '~'],
  [/·/g, '|'],
  [/→/g, '>'],
  [/×/g, 'x'],
  [/✓/g, '+'],
  [/✗/g, 'x'],
  [/[‘’]/g, "'"],
  [/[“”]/g, '"'],
  [/[▁▂]/g, '_'],
  [/[▃▄]/g, '-'],
  [/[▅▆]/g, '='],
];

/**
 * Every line in what the terminal can show. One cell stays one cell; what has no ASCII look is `?`. No control character gets
 * through but our own colours, whatever a cell has forgotten to clean.
 */
export function shown(lines: readonly string[], look: Look): string {
  const text = lines.map((line) => `${harmless(line)}\n`).join('');
  if (look.unicode) return text;
  return ASCII.reduce((known, [from, to]) => known.replaceAll(from, to), text).replaceAll(
    /[^\p{ASCII}]/gu,
    (character) => '?'.repeat(displayWidth(character)),
  );
}

/** Every second piece of the split is a colour of ours. */
function harmless(line: string): string {
  const pieces = line.split(OWN_COLOUR);
  return pieces.map((piece, index) => (index % 2 === 0 ? withoutControls(piece) : piece)).join('');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours that `paint` makes.
const OWN_COLOUR = /(\x1b\[(?:0|1|2|32|33|1;31)m)/;

/** A horizontal bar of exactly `cells`, filled to `percent` (0–100). Anything above nothing shows at least one cell. */
export function bar(percent: number, cells: number): string {
  const share = Math.min(100, Math.max(0, Number.isFinite(percent) ? percent : 0)) / 100;
  const filled = share === 0 ? 0 : Math.max(1, Math.min(cells - (share < 1 ? 1 : 0), Math.round(share * cells)));
  return '█'.repeat(filled) + '░'.repeat(cells - filled);
}

/** One cell a value, from low to high of what is shown; zero stays on the ground. */
export function sparkline(values: readonly number[]): string {
  const top = Math.max(...values, 1);
  return values.map((value) => LEVELS[value <= 0 ? 0 : Math.max(1, Math.ceil((value / top) * 7))] ?? ' ').join('');
}

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
