/** The help: the whole key table, with what can't be done now and why. Pure. */
import { isMeant, KEYMAP, type KeyRow, keyLabel, whyNot } from './keymap.ts';
import { centred, inside } from './layout.ts';
import { cut, fill, type Line, line, seg } from './line.ts';
import type { Panel } from './panel.ts';
import type { State } from './state.ts';

const KEYS_WIDTH = 14;
const WORD_WIDTH = 17;

export function helpPanel(state: State, scroll: number): Panel {
  const { columns, rows } = state.size;
  const lines = [...KEYMAP.filter((row) => isMeant(row, state)).map((row) => helpLine(row, state)), ...legend()];
  const rect = centred(
    { x: 0, y: 0, width: columns, height: rows },
    Math.min(100, columns - 4),
    Math.min(lines.length + 2, rows - 2),
  );
  const room = inside(rect);
  const first = Math.max(0, Math.min(scroll, lines.length - room.height));
  const below = lines.length - first - room.height;
  const more = below > 0 ? [seg(` · ${below} more below`, 'muted')] : [];
  return {
    id: 'help',
    rect,
    frame: {
      title: [seg('Keys', 'strong'), seg(' · type : and the word, or press the key; t: tour', 'muted'), ...more],
      role: 'accent',
    },
    lines: lines.slice(first, first + room.height).map((each) => cut(each, room.width)),
  };
}

function helpLine(row: KeyRow, state: State): Line {
  const why = whyNot(row, state);
  const keys = row.keys.map(keyLabel).join(' ');
  return [
    ...fill(line(seg(keys, 'key')), KEYS_WIDTH),
    ...fill(line(seg(row.word, 'accent')), WORD_WIDTH),
    seg(row.does, why === null ? 'text' : 'muted'),
    ...(why === null ? [] : [seg(` (not now: ${why})`, 'muted')]),
  ];
}

function legend(): Line[] {
  return [
    [],
    line(
      seg('Times are UTC. ', 'muted'),
      seg('✓', 'ok'),
      ' well  ',
      seg('!', 'warning'),
      ' degraded  ',
      seg('✗', 'critical'),
      ' failed  ● new alert',
    ),
    line(seg('Stale data is dimmed, and the title of its panel says how old it is and why.', 'muted')),
  ];
}
