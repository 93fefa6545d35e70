import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { helpPanel } from '../../src/ui/help.ts';
import { hintLine } from '../../src/ui/hints.ts';
import { keyLabel } from '../../src/ui/key-label.ts';
import { whyNot } from '../../src/ui/key-row.ts';
import { KEYMAP, rowFor } from '../../src/ui/keymap.ts';
import { textOf } from '../../src/ui/line.ts';
import { VIEWS } from '../../src/ui/views.ts';
import { afterEvents, aState, calmSnapshot, connected, incidentSnapshot, keys } from '../support/dashboard.ts';

describe('the table of keys', () => {
  it('has a word of its own for every row', () => {
    const words = KEYMAP.map(({ word }) => word);
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  });

  it('gives every key one meaning in every view', () => {
    for (const view of VIEWS) {
      const meant = KEYMAP.filter((row) => row.scope === 'program' || view.handles.includes(row.name));
      for (const row of meant) {
        for (const key of row.keys) {
          // The program's own keys may stand behind one of the view: h moves where there is a left, else it checks health.
          const others = meant.filter((each) => each !== row && each.scope === row.scope && each.keys.includes(key));
          expect([view.id, key, others.map(({ word }) => word)]).toEqual([view.id, key, []]);
        }
      }
    }
  });

  it('has every key of the design', () => {
    const bound = new Set(KEYMAP.flatMap(({ keys }) => keys));
    const wanted = [
      ...'prhuwaRx/[]zsm?qjkhl,.cv:',
      'enter',
      'escape',
      'space',
      'tab',
      'up',
      'down',
      'left',
      'right',
      'C-a',
      'C-z',
      'C-c',
    ];
    expect(wanted.filter((key) => !bound.has(key))).toEqual([]);
  });

  it('is what docs/keys.md says', () => {
    const page = readFileSync(new URL('../../docs/keys.md', import.meta.url), 'utf8');
    for (const { keys, word, does } of KEYMAP) {
      expect(page).toContain(`\`${word}`);
      expect(page).toContain(does);
      for (const key of keys) expect(page).toContain(`\`${keyLabel(key)}\``);
    }
  });
});

describe('hints', () => {
  it('leave out what cannot be done now', () => {
    expect(textOf(hintLine(connected(calmSnapshot()), 160))).toContain('r run');
    expect(textOf(hintLine(connected(incidentSnapshot()), 160))).not.toContain('r run');
    expect(textOf(hintLine(connected(incidentSnapshot()), 160))).toContain('a acknowledge');
    expect(textOf(hintLine(connected(calmSnapshot(), { readOnly: 'x' }), 160))).not.toMatch(
      /p pause|w workers|h health/,
    );
  });

  it('always end with help and quit, however narrow it is', () => {
    for (const columns of [60, 80, 120, 200]) {
      const text = textOf(hintLine(connected(calmSnapshot()), columns));
      expect(text).toHaveLength(columns);
      expect(text.trimEnd()).toMatch(/\? help {2}q quit$/);
    }
  });

  it.each([
    ['a zoomed chart', ['z']],
    ['an alert', ['3', 'enter']],
    ['a provider', ['4', 'enter']],
    ['a schedule', ['5', 'enter']],
    ['a run', ['6', 'enter']],
  ])('begin with the way back from %s, and end there', (_, pressed) => {
    const inside = afterEvents(connected(incidentSnapshot()), ...keys(...pressed));
    expect(textOf(hintLine(inside, 80))).toMatch(/^ Esc back/);
    expect(textOf(hintLine(inside, 160))).not.toContain('Enter details');
    expect(textOf(hintLine(afterEvents(inside, ...keys('escape')), 160))).not.toContain('Esc');
  });

  it('begin with the way back from the groups of errors too', () => {
    const grouped = afterEvents(connected(incidentSnapshot()), ...keys('2', 'e'));
    expect(textOf(hintLine(grouped, 160))).toMatch(/^ Esc back/);
  });

  it('begin with the keys of the chart while it is alone', () => {
    const zoomed = afterEvents(connected(incidentSnapshot()), ...keys('z'));
    expect(textOf(hintLine(zoomed, 80))).toMatch(/^ Esc back {2}\] range {2}c series {2}, cursor {2}z zoom {2}p pause/);
    const elsewhere = afterEvents(zoomed, ...keys('4'));
    expect(textOf(hintLine(elsewhere, 160))).toBe(
      textOf(hintLine(afterEvents(connected(incidentSnapshot()), ...keys('4')), 160)),
    );
  });

  it('say what a key does now: from the groups back to the list', () => {
    const list = afterEvents(connected(incidentSnapshot()), ...keys('2'));
    expect(textOf(hintLine(list, 160))).toContain('e group');
    expect(textOf(hintLine(afterEvents(list, ...keys('e')), 160))).toContain('e list');
  });

  it('offer no longer range than there is', () => {
    const longest = afterEvents(connected(calmSnapshot()), ...keys(']'));
    expect(textOf(hintLine(longest, 160))).toContain('[ range');
    expect(textOf(hintLine(longest, 160))).not.toContain('] range');
    expect(afterEvents(longest, ...keys(']')).notice?.text).toContain('this is the longest range');
  });

  it('say nothing that the console has no hands for', () => {
    expect(textOf(hintLine(aState(), 160)).trim()).not.toMatch(/pause|run|workers|report/);
  });
});

describe('the help', () => {
  it('says of each key that cannot be pressed why', () => {
    const text = helpPanel({ ...connected(incidentSnapshot()), size: { columns: 140, rows: 60 } }, 0)
      .lines.map(textOf)
      .join('\n');
    expect(text).toContain('run the queue processor now, here (not now: held by worker');
  });

  it('cuts nothing where there is little room', () => {
    for (const columns of [60, 80]) {
      const state = { ...connected(incidentSnapshot()), size: { columns, rows: 200 } };
      const panel = helpPanel(state, 0);
      expect(
        panel.lines.map(textOf).filter((text) => text.includes('…') || text.length > panel.rect.width - 2),
      ).toEqual([]);
      expect(panel.lines.map((each) => textOf(each).slice(31)).join(' ')).toContain(
        '(not now: held by worker web-1/4711',
      );
    }
  });

  it('scrolls to its end and no further', () => {
    const state = { ...connected(calmSnapshot()), size: { columns: 80, rows: 24 } };
    const end = helpPanel(state, 1_000);
    expect(textOf(end.lines.at(-1) ?? [])).toContain('Stale data is dimmed');
    expect(end.lines.length).toBe(end.rect.height - 2);
  });
});

it('does not call the keys armed where the console is read-only', () => {
  const row = KEYMAP.find(({ name }) => name === 'arm');
  const state = connected(calmSnapshot(), { readOnly: 'this console is read-only' });
  expect(row === undefined ? '' : whyNot(row, state)).toBe('this console is read-only');
});

it('names keys as they are written on them', () => {
  expect(['C-a', 'space', 'S-tab', 'page-up', 'R', 'M-x'].map(keyLabel)).toEqual([
    'Ctrl-A',
    'Space',
    'Shift-Tab',
    'PgUp',
    'R',
    'Alt-x',
  ]);
});

it('finds the row of a key in the view at hand', () => {
  const state = connected(calmSnapshot());
  expect(rowFor('h', state)?.word).toBe('health-check');
  expect(rowFor('left', state)?.word).toBe('cursor-back');
  const arm = rowFor('C-a', state);
  expect(arm === undefined ? '' : whyNot(arm, state)).toContain('--safe');
});
