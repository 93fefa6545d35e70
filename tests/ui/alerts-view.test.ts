import { describe, expect, it } from 'vitest';
import { parseAlerts } from '../../src/domain/alert.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { RUNBOOK } from '../../src/domain/runbook.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import { frameOf } from '../../src/ui/frame.ts';
import { hintLine } from '../../src/ui/hints.ts';
import { KEYMAP } from '../../src/ui/keymap.ts';
import { textOf } from '../../src/ui/line.ts';
import { reduce } from '../../src/ui/reduce.ts';
import type { Effect, State } from '../../src/ui/state.ts';
import { afterEvents, calmSnapshot, connected, failedSnapshot, incidentSnapshot, keys } from '../support/dashboard.ts';
import { NOON } from '../support/snapshot.ts';

const opened = (state: State) => afterEvents(state, { type: 'command', name: 'view', argument: 'alerts' });
const incident = (changes = {}) => opened(connected(incidentSnapshot(), changes));

function panelText(state: State, id: string): string[] {
  const found = frameOf(state).find((panel) => panel.id === id);
  return found === undefined ? [] : [textOf(found.frame?.title ?? []), ...found.lines.map(textOf)];
}
const selectedRow = (state: State) =>
  frameOf(state)
    .flatMap(({ lines }) => lines.map(textOf))
    .find((text) => text.startsWith('▸'))
    ?.trim();

/** The last key's effects. */
function press(state: State, ...names: readonly string[]): readonly [State, readonly Effect[]] {
  let effects: readonly Effect[] = [];
  let known = state;
  for (const event of keys(...names)) [known, effects] = reduce(known, event);
  return [known, effects];
}

function withFeed(snapshot: Snapshot, entries: readonly string[], acked: Record<string, string> = {}): Snapshot {
  return { ...snapshot, alerts: loaded(parseAlerts(entries, acked, NOON), NOON) };
}

describe('the view of alerts', () => {
  it('begins at the newest open alert, with what it means and what to check first', () => {
    const state = incident();
    expect(selectedRow(state)).toMatch(/^▸ +3m CRIT brevo: quota exhausted/);
    const detail = panelText(state, 'alert-detail').join('\n');
    expect(detail).toContain('3 min ago, 2026-11-23 11:57 UTC');
    expect(detail).toContain('Check first');
    expect(detail).toContain('press u, or email-ops run quota-sync');
    expect(detail).toContain('docs/runbook.md#quota-gone');
  });

  it('lists why the verdict is what it is, above the feed; the alerts themselves are no reason there', () => {
    const reasons = panelText(incident(), 'alert-reasons');
    expect(reasons[0]).toBe('Now · CRITICAL by open alerts');
    expect(reasons.join('\n')).toContain('! oldest ready email has waited 41 min');
    expect(reasons.join('\n')).not.toContain('unacknowledged');
  });

  it('goes from the feed up into the reasons, and explains them too', () => {
    const [state] = press(incident(), 'g');
    expect(selectedRow(state)).toBe('▸ ! brevo is down: HTTP 503');
    expect(panelText(state, 'alert-detail').join('\n')).toContain('docs/runbook.md#provider-down');
  });

  it('masks addresses until they are asked for', () => {
    const state = incident();
    expect(panelText(state, 'alert-feed').join('\n')).toContain('m***@example.org');
    const shown = { ...state, isMasked: false };
    expect(panelText(shown, 'alert-feed').join('\n')).toContain('maria@example.org');
  });

  it('keeps the selection on its alert when newer ones come', () => {
    const [chosen] = press(incident(), 'down');
    expect(selectedRow(chosen)).toMatch(/503 for m\*\*\*/);
    const newer = `CRITICAL: something new [${new Date(NOON).toISOString()}]`;
    const older = `ERROR: brevo answers 503 for maria@example.org [${new Date(NOON - 8 * MINUTE_MS).toISOString()}]`;
    const read = afterEvents(chosen, { type: 'read', snapshot: withFeed(incidentSnapshot(), [newer, older]) });
    expect(selectedRow(read)).toMatch(/503 for m\*\*\*/);
    expect(panelText(read, 'alert-feed')[0]).toMatch(/2 open, 1 new/);
  });

  it('does not let an alert that comes take the place of the one that is about to be acknowledged', () => {
    const newer = `CRITICAL: something new [${new Date(NOON).toISOString()}]`;
    const older = `ERROR: older [${new Date(NOON - 8 * MINUTE_MS).toISOString()}]`;
    const before = opened(connected(withFeed(calmSnapshot(), [older])));
    const [, effects] = press(
      afterEvents(before, { type: 'read', snapshot: withFeed(calmSnapshot(), [newer, older]) }),
      'a',
    );
    const [alert] = parseAlerts([older], {}, NOON).alerts;
    expect(effects).toMatchObject([{ request: { kind: 'acknowledge', fingerprints: [alert?.fingerprint] } }]);
  });

  it('leaves the selection to the neighbour when its alert goes', () => {
    const [chosen] = press(incident(), 'end');
    const read = afterEvents(chosen, { type: 'read', snapshot: withFeed(incidentSnapshot(), ['ERROR: left over']) });
    expect(selectedRow(read)).toMatch(/left over/);
  });

  it('acknowledges the selected one at once, and goes on to the next open one', () => {
    const [state, effects] = press(incident(), 'a');
    const { alerts } = incidentSnapshot();
    const [first] = alerts.state === 'failed' ? [] : alerts.value.alerts;
    expect(effects).toEqual([
      { kind: 'act', id: 1, request: { kind: 'acknowledge', fingerprints: [first?.fingerprint] } },
    ]);
    expect(selectedRow(state)).toMatch(/503 for m\*\*\*/);
  });

  it('dims what is acknowledged, puts it last, and says by whom', () => {
    const [first] = parseAlerts(['ERROR: one'], {}, NOON).alerts;
    const acked = { [first?.fingerprint ?? '']: JSON.stringify({ by: 'grace', at: new Date(NOON).toISOString() }) };
    const state = opened(connected(withFeed(calmSnapshot(), ['ERROR: one', 'ERROR: two'], acked)));
    const feed = frameOf(state).find(({ id }) => id === 'alert-feed');
    expect(feed?.lines.map(textOf).map((text) => text.trim())).toEqual(['▸        – ERR  two', '✓      – ERR  one']);
    expect(feed?.lines[1]?.slice(1).every(({ role }) => role === 'muted')).toBe(true);
    const [below] = press(state, 'down');
    expect(panelText(below, 'alert-detail').join('\n')).toContain('✓ acknowledged by grace, just now');
    expect(press(below, 'a')[0].notice?.text).toBe('a (acknowledge): acknowledged already, by grace');
  });

  it('selects what is clicked, in either list', () => {
    const state = incident();
    const click = (panelId: string, row: number) => {
      const rect = frameOf(state).find(({ id }) => id === panelId)?.rect ?? { x: 0, y: 0 };
      const input = { kind: 'mouse', action: 'press', x: rect.x + 4, y: rect.y + 1 + row } as const;
      return selectedRow(afterEvents(state, { type: 'input', input }));
    };
    expect(click('alert-feed', 3)).toMatch(/circuit of brevo opened/);
    expect(click('alert-reasons', 1)).toMatch(/brevo quota gone/);
    expect(click('alert-feed', 12)).toMatch(/quota exhausted/);
    expect(click('alert-detail', 2)).toMatch(/quota exhausted/);
  });

  it('selects the urgent one first, as the headline does', () => {
    const state = opened(connected(withFeed(calmSnapshot(), ['ERROR: newer', 'CRITICAL: urgent'])));
    expect(selectedRow(state)).toContain('CRIT urgent');
  });

  it('does not acknowledge a reason', () => {
    const [state, effects] = press(incident(), 'g', 'a');
    expect(effects).toEqual([]);
    expect(state.notice?.text).toMatch(/a reason goes away by itself/);
  });

  it('asks before it acknowledges all, in production for the name of the environment', () => {
    const [asked] = press(incident(), 'A');
    expect(asked.dialog).toMatchObject({ title: 'Acknowledge 5 alerts', fields: [{ mustBe: 'production' }] });
    const [refused, none] = press(asked, 'enter');
    expect([refused.dialog?.kind, none]).toEqual(['form', []]);
    const [, effects] = press(asked, ...'production', 'enter');
    expect(effects[0]).toMatchObject({ kind: 'act', request: { kind: 'acknowledge' } });
  });

  it('asks only yes or no where nothing is real', () => {
    const snapshot = { ...incidentSnapshot(), environment: { name: 'sandbox', isSandbox: true } };
    const [, effects] = press(opened(connected(snapshot)), 'A', 'y');
    expect(effects[0]).toMatchObject({ kind: 'act' });
  });

  it('changes nothing in a read-only console, and says so', () => {
    for (const key of ['a', 'A']) {
      const [state, effects] = press(incident({ readOnly: 'this console is read-only' }), key);
      expect([state.dialog, effects]).toEqual([null, []]);
      expect(state.notice?.text).toContain('this console is read-only');
    }
  });

  it('opens the details over everything, and comes back', () => {
    const [state] = press(incident(), 'enter');
    expect(frameOf(state).map(({ id }) => id)).not.toContain('alert-feed');
    const [back] = press(state, 'escape');
    expect(frameOf(back).map(({ id }) => id)).toContain('alert-feed');
  });

  it('scrolls long details by pages, and not beyond their end', () => {
    const small = incident({ size: { columns: 80, rows: 24 } });
    expect(panelText(small, 'alert-detail')[0]).toMatch(/lines below, PgDn$/);
    const [end] = press(small, ...Array.from({ length: 9 }, () => 'page-down'));
    expect(panelText(end, 'alert-detail').at(-1)).toBe('docs/runbook.md#quota-gone');
    const [before] = press(end, 'page-up');
    expect(panelText(before, 'alert-detail').at(-1)).not.toBe('docs/runbook.md#quota-gone');
  });

  it('says that there is none, and offers nothing that cannot be done', () => {
    const state = opened(connected(calmSnapshot()));
    expect(panelText(state, 'alert-feed').join('\n')).toMatch(/none open\nNo alert in sandbox\./);
    expect(textOf(hintLine(state, 200))).not.toMatch(/acknowledge| all /);
  });

  it('says so when Redis cannot be read, and still lists what the verdict knows', () => {
    const state = opened(connected(failedSnapshot()));
    expect(panelText(state, 'alert-feed')[0]).toBe('Alerts · failed: timeout');
    expect(panelText(state, 'alert-reasons').join('\n')).toContain('✗ Redis unreachable');
  });

  it('names in its steps only keys that there are', () => {
    const known = new Set(KEYMAP.flatMap((row) => row.keys));
    const named = RUNBOOK.flatMap(({ entries }) => entries.flatMap(({ check }) => check.map(({ key }) => key)));
    // The views' own numbers come with the views.
    expect(named.filter((key) => key !== undefined && !known.has(key) && !/^[1-6]$/.test(key))).toEqual([]);
  });
});
