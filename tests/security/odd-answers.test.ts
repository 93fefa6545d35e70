/** Odd answers of every system, through the gateways into everything that shows them: nothing throws, nothing comes through. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactLines } from '../../src/commands/render/compact.ts';
import type { Look } from '../../src/commands/render/look.ts';
import { snapshotJson } from '../../src/commands/render/snapshot-json.ts';
import { statusLines } from '../../src/commands/render/status.ts';
import { verdictOf } from '../../src/domain/verdict.ts';
import { displayWidth } from '../../src/domain/width.ts';
import { frameOf } from '../../src/ui/frame.ts';
import { KEYMAP } from '../../src/ui/keymap.ts';
import { paintLines } from '../../src/ui/paint.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { reportOf } from '../../src/ui/report.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import { THEME_NAMES } from '../../src/ui/theme.ts';
import { VIEWS } from '../../src/ui/views.ts';
import { connected } from '../support/dashboard.ts';
import { dangersIn, withoutColours } from '../support/hostile-text.ts';
import { anOddSnapshot, oddText } from '../support/odd-answers.ts';

const PLAIN: Look = { columns: 80, colour: false, unicode: true };

describe('an odd snapshot', () => {
  it('has a verdict, and is shown as text and as JSON', () => {
    fc.assert(
      fc.property(anOddSnapshot, (snapshot) => {
        const verdict = verdictOf(snapshot);
        const text = [...statusLines(snapshot, verdict, PLAIN), ...compactLines(snapshot, verdict, PLAIN)].join('\n');
        expect(dangersIn(text)).toEqual([]);
        expect(text).not.toMatch(/\bNaN\b|undefined|Infinity|\[object/);
        expect(JSON.parse(snapshotJson(snapshot, verdict))).toMatchObject({ version: 1 });
        expect(dangersIn(reportOf(connected(snapshot)))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  const key = fc
    .constantFrom(
      ...KEYMAP.flatMap(({ keys }) => keys),
      ...'abcxyz0123456789:?/'.split(''),
      'enter',
      'escape',
      'tab',
      'backspace',
    )
    .map((name): UiEvent => ({ type: 'input', input: { kind: 'key', key: name } }));
  const event = fc.oneof(
    { weight: 6, arbitrary: key },
    oddText.map((text): UiEvent => ({ type: 'input', input: { kind: 'paste', text } })),
    fc.constantFrom(...VIEWS.map(({ id }): UiEvent => ({ type: 'command', name: 'view', argument: id }))),
    fc
      .record({ columns: fc.integer({ min: 1, max: 400 }), rows: fc.integer({ min: 1, max: 120 }) })
      .map((size): UiEvent => ({ type: 'resize', size })),
    anOddSnapshot.map((snapshot): UiEvent => ({ type: 'read', snapshot })),
  );

  it('is drawn by every view, after any keys, from 1×1 to 400×120, within the screen', () => {
    fc.assert(
      fc.property(
        anOddSnapshot,
        fc.array(event, { maxLength: 12 }),
        fc.constantFrom(...THEME_NAMES),
        fc.boolean(),
        (snapshot, events, theme, ascii) => {
          let state: State = connected(snapshot, { look: { theme, ascii } });
          for (const each of events) [state] = reduce(state, each);
          for (const { id } of VIEWS) {
            const [opened] = reduce(state, { type: 'command', name: 'view', argument: id });
            expectWithin(opened);
          }
          expectWithin(state);
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Every panel lies within the screen, every line within its panel, one cell a character. */
function expectWithin(state: State): void {
  const { columns, rows } = state.size;
  for (const { id, rect, lines, frame } of frameOf(state)) {
    expect({
      id,
      fits: rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= columns && rect.y + rect.height <= rows,
    }).toEqual({ id, fits: true });
    const painted = paintLines([...lines, ...(frame === null ? [] : [frame.title])], rect.width, state.look);
    expect(dangersIn(painted)).toEqual([]);
    for (const line of withoutColours(painted).split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(rect.width);
  }
}
