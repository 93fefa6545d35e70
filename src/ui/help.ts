/** The help: the whole key table, with what can't be done now and why. Pure. */
import { wrap } from '../domain/width.ts';
import { keyLabel } from './key-label.ts';
import { isMeant, type KeyRow, whyNot } from './key-row.ts';
import { KEYMAP } from './keymap.ts';
import { centred, inside, titleRoom } from './layout.ts';
import { cut, fill, type Line, line, seg, widthOf } from './line.ts';
import type { Panel } from './panel.ts';
import type { State } from './state.ts';
import { textLines } from './views/parts/facts.ts';

/** How it is used, as far as there is room. */
const HOW = [' · type : and the word, or press the key; t: tour', ' · type : and the word; t: tour', ' · t: tour'];
const KEYS_WIDTH = 14;
const WORD_WIDTH = 17;

export function helpPanel(state: State, scroll: number): Panel {
  const { columns, rows } = state.size;
  const width = Math.min(100, columns - 4);
  const meant = KEYMAP.filter((row) => isMeant(row, state));
  const lines = [...meant.flatMap((row) => helpLines(row, state, width - 2)), ...legend(width - 2)];
  const rect = centred({ x: 0, y: 0, width: columns, height: rows }, width, Math.min(lines.length + 2, rows - 2));
  const room = inside(rect);
  const first = Math.max(0, Math.min(scroll, lines.length - room.height));
  const below = lines.length - first - room.height;
  const more = below > 0 ? [seg(` · ${below} more below`, 'muted')] : [];
  return {
    id: 'help',
    rect,
    frame: {
      title: HOW.map((how) => [seg('Keys', 'strong'), seg(how, 'muted'), ...more]).find(
        (title) => widthOf(title) <= titleRoom(rect),
      ) ?? [seg('Keys', 'strong'), ...more],
      role: 'accent',
    },
    lines: lines.slice(first, first + room.height).map((each) => cut(each, room.width)),
  };
}

/** What it does goes on below itself: why a key can't be pressed now is what was looked for. */
function helpLines(row: KeyRow, state: State, width: number): Line[] {
  const why = whyNot(row, state);
  const keys = row.keys.map(keyLabel).join(' ');
  const does = why === null ? row.does : `${row.does} (not now: ${why})`;
  return wrap(does, Math.max(8, width - KEYS_WIDTH - WORD_WIDTH)).map((text, index) => [
    ...fill(line(seg(index === 0 ? keys : '', 'key')), KEYS_WIDTH),
    ...fill(line(seg(index === 0 ? row.word : '', 'accent')), WORD_WIDTH),
    seg(text, why === null ? 'text' : 'muted'),
  ]);
}

function legend(width: number): Line[] {
  return [
    [],
    line(seg('✓', 'ok'), ' well  ', seg('!', 'warning'), ' degraded  ', seg('✗', 'critical'), ' failed  ● new alert'),
    ...textLines('Times are UTC. Stale data is dimmed; its title says how old it is and why.', width, 'muted'),
  ];
}
