import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAlerts } from '../../src/domain/alert.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { line, seg } from '../../src/ui/line.ts';
import { paintLine } from '../../src/ui/paint.ts';
import { safeText } from '../../src/ui/safe-text.ts';
import { THEME_NAMES } from '../../src/ui/theme.ts';
import { afterEvents, calmSnapshot, connected, DARK } from '../support/dashboard.ts';
import { CORPUS } from '../support/hostile-text.ts';
import { draw } from '../support/screens.ts';
import { aRun, NOON } from '../support/snapshot.ts';

describe('text from outside', () => {
  it.each(CORPUS)('%j takes one cell a character and means nothing', (text) => {
    const safe = safeText(text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested.
    expect(safe).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/);
    expect([...safe].length).toBe(safe.length);
    expect(safeText(safe)).toBe(safe);
  });

  it('has no byte below 0x20 on its way to the terminal but what the theme puts there', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom(...CORPUS));
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 0, max: 120 }),
        fc.constantFrom(...THEME_NAMES),
        fc.boolean(),
        (hostile, cells, theme, ascii) => {
          // Made by hand, as a view would that forgets to make its text safe.
          const painted = paintLine([{ text: hostile, role: 'critical' }, seg(hostile)], cells, { theme, ascii });
          // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of the theme.
          const plain = painted.replaceAll(/\x1b\[[0-9;]*m/g, '');
          // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested.
          expect(plain).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
          if (ascii) expect(plain).toMatch(/^[\x20-\x7e]*$/);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('shifts no column and reaches no neighbour', async () => {
    const withText = (text: string) => {
      const calm = calmSnapshot();
      return connected({
        ...calm,
        environment: { name: text, isSandbox: false },
        alerts: loaded(parseAlerts([`CRITICAL: ${text}`], {}, NOON), NOON),
        runs: loaded(
          { runs: [aRun({ worker: text, outcome: text, host: text, trigger: text, error: text })], skipped: 0 },
          NOON,
        ),
        lock: loaded(
          {
            lock: {
              kind: 'paused',
              operator: text,
              host: text,
              reason: text,
              startedAtEpochMs: NOON,
              expiresAtEpochMs: NOON + 60_000,
            },
            announcedPause: null,
          },
          NOON,
        ),
      });
    };
    const border = (rows: readonly string[]) =>
      rows.slice(3, -1).map((row) => row.replaceAll(/[^┌┐└┘│]/g, ' ').trimEnd());
    const [plain] = await draw([withText('plain')], (terminal) => border(terminal.rows()));
    const own = new Set('─│┌┐');
    const strange = CORPUS.filter((text) => ![...text].some((character) => own.has(character)));
    const seen = await draw(strange.map(withText), (terminal) => ({
      columns: border(terminal.rows()),
      isAlternate: terminal.isAlternate(),
      text: terminal.rows().join('\n'),
    }));
    for (const each of seen) expect(each.columns).toEqual(plain);
    expect(seen.some(({ text }) => text.includes('{red-fg}{bold}tags'))).toBe(true);
  });

  it('is neutralised in notices, logs and forms too', async () => {
    const state = CORPUS.map((text) =>
      afterEvents(
        connected(calmSnapshot()),
        {
          type: 'input',
          input: { kind: 'key', key: ':' },
        },
        { type: 'input', input: { kind: 'paste', text } },
      ),
    );
    const rows = await draw(state, (terminal) => terminal.rows());
    for (const each of rows) expect(each.at(-1)).toMatch(/Tab completes/);
    expect(paintLine(line(CORPUS[0] ?? ''), 80, DARK)).toBe('gone');
  });
});
