import { describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { frameOf } from '../../src/ui/frame.ts';
import { createScreen } from '../../src/ui/screen.ts';
import { VIEWS } from '../../src/ui/views.ts';
import { createHeadlessTerminal } from '../support/headless-terminal.ts';
import { strangersIn } from '../support/hostile-text.ts';
import { drawnView, HOSTILE_TEXTS, hostileSnapshots, statesOf } from '../support/hostile-views.ts';

/** Here a few in one, each with its end cut off or not as it comes; tests/real/security-views.test.ts takes each alone. */
const MIXED = [0, 1, 2, 3, 4].map((first) => HOSTILE_TEXTS.filter((_, index) => index % 5 === first).join(' '));

it('the look-out sees what it looks for', () => {
  for (const text of HOSTILE_TEXTS) expect(strangersIn(text).length).toBeGreaterThan(0);
  expect(strangersIn('\x1b[2;3H\x1b[1;31mred\x1b[m\x1b[K')).toEqual([]);
});

describe.each(VIEWS.map(({ id }) => id))('the view %s', (view) => {
  it('sends the terminal nothing but its own sequences, one cell a character, whatever it is told', async () => {
    for (const [index, text] of MIXED.entries()) {
      expect({ text, ...(await drawnView(view, text, index)) }).toEqual({ text, strangers: [], widths: [1] });
    }
  });
});

describe('tags of the screen library', () => {
  it.each(VIEWS.map(({ id }) => id))('stay text in %s', async (view) => {
    const text = '{red-bg}{bold}tag{/bold}{/red-bg}{escape}';
    const states = statesOf(view, hostileSnapshots(text)[0] as Snapshot, text, false);
    const joined = states
      .flatMap((state) => frameOf(state))
      .flatMap(({ lines, frame }) => [...lines, frame?.title ?? []])
      .map((line) => line.map((segment) => segment.text).join(''))
      .join('\n');
    const terminal = createHeadlessTerminal(states[0]?.size ?? { columns: 120, rows: 36 });
    const screen = createScreen({ size: { columns: 120, rows: 36 }, write: terminal.write, isSynchronised: false });
    let isSeen = false;
    for (const state of states) {
      screen.show(frameOf(state), state.look);
      await terminal.settle();
      isSeen ||= terminal.rows().join('\n').includes('{red-bg}{bold}');
    }
    screen.destroy();
    terminal.dispose();
    expect(isSeen || !joined.includes('{red-bg}{bold}')).toBe(true);
  });
});
