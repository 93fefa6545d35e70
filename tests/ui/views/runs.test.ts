import { describe, expect, it } from 'vitest';
import { loaded } from '../../../src/domain/loaded.ts';
import { MINUTE_MS, SECOND_MS } from '../../../src/domain/time.ts';
import { reduce } from '../../../src/ui/reduce.ts';
import type { Effect, State, UiEvent } from '../../../src/ui/state.ts';
import { fitsFilter } from '../../../src/ui/views/parts/run-filter.ts';
import { afterEvents, aState, calmSnapshot, connected, incidentSnapshot, keys } from '../../support/dashboard.ts';
import { inView, loadedAudit } from '../../support/schedule-screens.ts';
import { rowsOf } from '../../support/screens.ts';
import { aRun, NOON } from '../../support/snapshot.ts';

function press(state: State, ...names: readonly string[]): readonly [State, readonly Effect[]] {
  return doing(state, ...keys(...names));
}
function doing(state: State, ...events: readonly UiEvent[]): readonly [State, readonly Effect[]] {
  return events.reduce<readonly [State, readonly Effect[]]>(([known], event) => reduce(known, event), [state, []]);
}
const view = (snapshot = calmSnapshot(), changes = {}) => inView('runs', snapshot, changes);
const text = async (state: State) => (await rowsOf(state)).join('\n');
const loads = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'load' ? [effect.request] : []));
const live = (progress: string): UiEvent => ({
  type: 'live',
  live: [{ worker: 'queue-processor', trigger: 'schedule', startedAtEpochMs: NOON - 5 * SECOND_MS, text: progress }],
});
const logged = (line: string, atEpochMs = NOON): UiEvent => ({
  type: 'log',
  line: { atEpochMs, source: 'queue-processor', text: line },
});
const anAction = (changes = {}) => ({
  atEpochMs: NOON,
  by: 'ada',
  host: 'ops-1',
  action: 'pause',
  target: `pause/ada@ops-1/${NOON}/resend%20outage`,
  outcome: 'ok',
  ...changes,
});

describe('the list of runs', () => {
  it('has what was done where there is the least room', async () => {
    const shown = await text(view(calmSnapshot(), { size: { columns: 60, rows: 16 } }));
    expect(shown).toMatch(/began +worker +outcome what it did +│/);
    expect(shown).not.toMatch(/did…|sent…/);
  });

  it('reads the older ones once, when it is opened', () => {
    const open: UiEvent = { type: 'command', name: 'view', argument: 'runs' };
    const [opened, effects] = doing(connected(calmSnapshot()), open);
    expect(loads(effects)).toEqual([{ kind: 'runs' }]);
    expect(loads(doing(opened, { type: 'read', snapshot: calmSnapshot() })[1])).toEqual([]);
  });

  it('asks at the first refresh where it was opened before anything was connected', () => {
    const [early, none] = doing(aState(), { type: 'command', name: 'view', argument: 'runs' });
    expect(loads(none)).toEqual([]);
    expect(loads(doing(early, { type: 'read', snapshot: calmSnapshot() })[1])).toEqual([{ kind: 'runs' }]);
  });

  it('shows older ones below the snapshot’s, each once', async () => {
    const older = [aRun({ id: 'a' }), aRun({ id: 'old', host: 'web-9', startedAtEpochMs: NOON - 90 * MINUTE_MS })];
    const result = { ok: true, value: { runs: older, skipped: 0 } } as const;
    const state = afterEvents(view(), {
      type: 'loaded',
      view: 'runs',
      kind: 'runs',
      request: { kind: 'runs' },
      result,
    });
    const rows = await rowsOf(state);
    expect(rows.filter((row) => row.includes('web-9'))).toHaveLength(1);
    expect(rows.join('\n')).toContain('6 runs');
  });

  it('tells how far a run of this console is', async () => {
    const state = afterEvents(view(), live('37/100 sent, 1 failed, 9 in flight'));
    expect(await text(state)).toContain('37/100 sent, 1 failed, 9 in flight');
    expect(await text(afterEvents(state, { type: 'live', live: [] }))).not.toContain('in flight');
  });

  it('tells of a run elsewhere by the lock that it holds', async () => {
    expect(await text(view(incidentSnapshot()))).toMatch(/queue-processor ▸ runs .*8 in processing.*web-1\/4711/);
  });

  it('says what was due and not seen', async () => {
    expect(await text(view(incidentSnapshot()))).toMatch(/11:58:00 +queue-processor missed +was due 11:58, not seen/);
  });

  it('never calls providers sent', async () => {
    const rows = await rowsOf(view());
    expect(rows.filter((row) => /health-monitor|quota-sync/.test(row)).join()).not.toContain('sent');
    expect(rows.join('\n')).toContain('4 providers checked');
  });

  it('keeps the selection on its run while newer ones come', async () => {
    const [selected] = press(view(), 'j');
    const newer = aRun({ id: 'new', startedAtEpochMs: NOON + MINUTE_MS });
    const { runs } = calmSnapshot();
    if (runs.state === 'failed') throw new Error('no runs');
    const snapshot = { ...calmSnapshot(), runs: loaded({ runs: [newer, ...runs.value.runs], skipped: 0 }, NOON) };
    const [opened] = press(afterEvents(selected, { type: 'read', snapshot }), 'enter');
    expect(await text(opened)).toMatch(/id +a\b/);
  });

  it('shows all of a run: its error whole, and the lines that this console logged of it', async () => {
    const error = `brevo answers 503: ${'very '.repeat(40)}busy`;
    const run = aRun({ id: 'x', startedAtEpochMs: NOON - 10 * SECOND_MS, durationMs: 5_000, outcome: 'failed', error });
    const snapshot = { ...calmSnapshot(), runs: loaded({ runs: [run], skipped: 0 }, NOON) };
    const state = afterEvents(
      view(snapshot),
      logged('[email-worker] Processing 10 emails...', NOON - 9 * SECOND_MS),
      logged('[email-worker] of another run', NOON + MINUTE_MS),
      ...keys('enter'),
    );
    const shown = await text(state);
    expect(shown).toContain('busy');
    expect(shown).toContain('Processing 10 emails');
    expect(shown).not.toContain('of another run');
    expect(await text(afterEvents(state, ...keys('escape')))).toContain('what it did');
  });
});

describe('the filter of runs', () => {
  it('narrows with every letter, and Esc takes it back', async () => {
    const [typing] = press(view(), '/', ...'worker:health');
    expect(await text(typing)).not.toMatch(/quota-sync/);
    expect(await text(press(typing, 'enter')[0])).toContain('only worker:health');
    expect(await text(press(typing, 'escape')[0])).toContain('quota-sync');
    expect(await text(press(typing, 'enter', 'escape')[0])).toContain('quota-sync');
  });

  it('says that nothing fits', async () => {
    expect(await text(press(view(), '/', ...'outcome:never', 'enter')[0])).toContain('No run fits the filter');
  });

  it('can be given on the command line', async () => {
    expect(await text(press(view(), ':', ...'filter outcome:skipped', 'enter')[0])).toContain('1 of 5 runs');
  });

  it.each([
    ['', true],
    ['worker:health', true],
    ['worker:monitor', true],
    ['worker:queue', false],
    ['outcome:ok', true],
    ['OUTCOME:OK checked', true],
    ['outcome:ok outcome:failed', false],
    ['by:ada', false],
    ['unknown:field', false],
    ['providers', true],
  ])('with %j of a health check is %s', (filter, fits) => {
    expect(
      fitsFilter({ worker: 'health-monitor', outcome: 'ok', host: 'web-1', text: '4 providers checked' }, filter),
    ).toBe(fits);
  });
});

describe('the other lists', () => {
  it('show what operators did, read when it is looked at', async () => {
    const [asking, effects] = press(view(), 'n');
    expect(loads(effects)).toEqual([{ kind: 'audit', limit: 500 }]);
    expect(await text(asking)).toContain('reading what operators did');
    const read = afterEvents(asking, loadedAudit([anAction()]));
    expect(await text(read)).toMatch(/ada@ops-1 +pause +the queue: resend outage +ok/);
  });

  it('read the actions again every half minute, and after an action', () => {
    const [asked] = press(view(), 'n');
    const read = (ms: number): UiEvent => ({
      type: 'read',
      snapshot: { ...calmSnapshot(), takenAtEpochMs: NOON + ms },
    });
    expect(loads(doing(asked, { type: 'tick', nowEpochMs: NOON + 10_000 }, read(10_000))[1])).toEqual([]);
    expect(loads(doing(asked, { type: 'tick', nowEpochMs: NOON + 31_000 }, read(31_000))[1])).toHaveLength(1);
    const [acting] = press(asked, 'u');
    const id = acting.running[0]?.id ?? -1;
    const [, effects] = doing(acting, { type: 'outcome', id, outcome: { level: 'ok', text: 'done' } });
    expect(loads(effects)).toEqual([{ kind: 'audit', limit: 500 }]);
  });

  it('tell of an audit list that cannot be read', async () => {
    const fault = { code: 'timeout', message: 'Redis did not answer within 2 s.', remedy: 'Check REDIS_URL.' } as const;
    const request = { kind: 'audit', limit: 500 } as const;
    const failed: UiEvent = { type: 'loaded', view: 'runs', kind: 'audit', request, result: { ok: false, fault } };
    expect(await text(afterEvents(press(view(), 'n')[0], failed))).toContain('not readable (timeout)');
  });

  it('mask the addresses that operators acted on', async () => {
    const state = afterEvents(press(view(), 'n')[0], loadedAudit([anAction({ target: 'anna@example.org' })]));
    expect(await text(state)).not.toContain('anna@example.org');
    expect(await text({ ...state, isMasked: false })).toContain('anna@example.org');
  });

  it('show the log, follow its end, and stay where one has scrolled to', async () => {
    const lines = Array.from({ length: 60 }, (_, n) => logged(`[email-worker] line ${n}`));
    const [end] = press(afterEvents(view(), ...lines), 'n', 'n');
    expect(await text(end)).toContain('line 59');
    const [back] = press(end, 'k', 'k', 'k');
    expect(await text(back)).toContain('3 newer lines below');
    expect(await text(back)).not.toContain('line 59');
    expect(await text(press(back, 'G')[0])).toContain('line 59');
    expect(await text(press(back, 'g')[0])).toContain('line 0');
  });

  it('show the end of a long line of the log, and scroll by rows of it', async () => {
    const size = { columns: 60, rows: 16 };
    const long = `[email-worker] failed: ${'word '.repeat(30)}and the end`;
    const lines = Array.from({ length: 5 }, () => logged(long));
    const [state] = doing(view(calmSnapshot(), { size }), ...lines, ...keys('n', 'n'));
    expect(await text(state)).toContain('and the end');
    expect(await text(press(state, 'up')[0])).toContain('1 newer line below');
  });

  it('are named on the command line', async () => {
    expect(await text(press(view(), ':', ...'list log', 'enter')[0])).not.toContain('what it did');
    expect(await text(press(view(), 'n', 'n', 'n')[0])).toContain('what it did');
  });
});
