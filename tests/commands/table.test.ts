import { describe, expect, it } from 'vitest';
import { bar, type Look, shown, sparkline } from '../../src/commands/render/look.ts';
import { type Column, table } from '../../src/commands/render/table.ts';
import { displayWidth } from '../../src/domain/width.ts';

const LOOK: Look = { columns: 30, colour: false, unicode: true };

interface Row {
  readonly name: string;
  readonly count: number;
  readonly note: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'name', cell: ({ name }) => name },
  { title: 'count', align: 'right', cell: ({ count }) => String(count) },
  { title: 'note', shrinkTo: 6, cell: ({ note }) => note },
];

describe('a table', () => {
  it('aligns by display width, and cuts the columns that may shrink', () => {
    const rows = [
      { name: '日本', count: 7, note: 'short' },
      { name: 'carrots', count: 1234, note: 'a note that is much too long' },
    ];
    expect(table(COLUMNS, rows, LOOK)).toEqual([
      'name     count  note',
      '日本         7  short',
      'carrots   1234  a note that i…',
    ]);
    for (const line of table(COLUMNS, rows, LOOK)) expect(displayWidth(line)).toBeLessThanOrEqual(30);
  });

  it('is nothing without rows', () => {
    expect(table(COLUMNS, [], LOOK)).toEqual([]);
  });

  it('paints a cell, not the spaces that follow the last one', () => {
    const columns = [{ title: '', cell: () => 'x', role: () => 'ok' as const }];
    expect(table(columns, [1], { ...LOOK, colour: true })).toEqual(['\u001b[32mx\u001b[0m']);
  });
});

describe('bars and sparklines', () => {
  it.each([
    [0, '░░░░░░░░░░'],
    [0.1, '█░░░░░░░░░'],
    [50, '█████░░░░░'],
    [99.9, '█████████░'],
    [100, '██████████'],
    [250, '██████████'],
    [Number.NaN, '░░░░░░░░░░'],
  ])('show %d percent', (percent, expected) => {
    expect(bar(percent, 10)).toBe(expected);
  });

  it('tell nothing from little', () => {
    expect(sparkline([0, 1, 100, 50])).toBe('▁▂█▅');
    expect(sparkline([0, 0])).toBe('▁▁');
  });

  it('have an ASCII look of the same width', () => {
    expect(shown(['█░ ✓ → “日本” …'], { ...LOOK, unicode: false })).toBe('#. + > "????" ~\n');
  });
});
