import { expect, it } from 'vitest';
import { afterEvents, calmSnapshot, connected, incidentSnapshot, keys } from '../support/dashboard.ts';
import { rowsOf } from '../support/screens.ts';

const SMALL = { columns: 80, rows: 24 };

it.each([
  ['to pause', calmSnapshot(), ['p']],
  ['to acknowledge', incidentSnapshot(), ['a']],
  ['to disable a provider', incidentSnapshot(), ['4', 'd']],
])('a form %s says its sentences whole at 80×24', async (_, snapshot, pressed) => {
  const rows = await rowsOf(afterEvents(connected(snapshot, { size: SMALL }), ...keys(...pressed)));
  const inside = rows.flatMap((row) => /│ (.{69})│/.exec(row)?.[1] ?? []);
  expect(inside.length).toBeGreaterThan(3);
  // Entries of a list keep to their line.
  expect(inside.filter((text) => text.includes('…') && !text.startsWith('·'))).toEqual([]);
});

it('the help says at 80×24 how it is used and how much lies below', async () => {
  const [, title = ''] = await rowsOf(afterEvents(connected(calmSnapshot(), { size: SMALL }), ...keys('?')));
  expect(title).toMatch(/Keys · type : and the word, or press the key; t: tour · \d+ more below ─/);
});

it('the command line keeps the chosen candidate in sight, and says where there is none', async () => {
  const typed = (...names: readonly string[]) =>
    rowsOf(afterEvents(connected(calmSnapshot(), { size: SMALL }), ...keys(':', ...names)));
  const [first = ''] = (await typed()).filter((row) => row.includes('│pause  run-processor'));
  expect(first).toMatch(/ … *│$/);
  const last = (await typed('S-tab')).slice(-4, -2);
  expect(last[0]).toMatch(/^│… .*suspend {2}quit *│$/);
  expect(last[1]).toMatch(/^│:quit/);
  expect((await typed('z', 'z')).join('\n')).toContain('no command here begins so');
});
