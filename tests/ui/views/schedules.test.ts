import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../../src/domain/time.ts';
import { hintLine } from '../../../src/ui/hints.ts';
import { textOf } from '../../../src/ui/line.ts';
import { reduce } from '../../../src/ui/reduce.ts';
import type { Effect, State, UiEvent } from '../../../src/ui/state.ts';
import { afterEvents, calmSnapshot, connected, incidentSnapshot, keys } from '../../support/dashboard.ts';
import {
  aDeadDelivery,
  aDelivery,
  aTick,
  inView,
  loadedDead,
  loadedDeliveries,
  PROCESSOR,
  schedulesOf,
  withSchedules,
} from '../../support/schedule-screens.ts';
import { rowsOf } from '../../support/screens.ts';
import { NOON } from '../../support/snapshot.ts';

type Dead = ReturnType<typeof aDeadDelivery>;

/** The state after the events, and the effects of the last. */
function press(state: State, ...names: readonly string[]): readonly [State, readonly Effect[]] {
  return doing(state, ...keys(...names));
}
function doing(state: State, ...events: readonly UiEvent[]): readonly [State, readonly Effect[]] {
  return events.reduce<readonly [State, readonly Effect[]]>(([known], event) => reduce(known, event), [state, []]);
}
const view = (snapshot = calmSnapshot(), changes = {}) => inView('schedules', snapshot, changes);
const withDead = (...count: readonly number[]) =>
  afterEvents(view(), loadedDead(count.map((number) => aDeadDelivery(number))), loadedDeliveries([]));
const requests = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'act' || effect.kind === 'load' ? [effect.request] : []));
const local = (state: State) => state.local.schedules as { marked: readonly string[]; readForEpochMs: number | null };

describe('what the view of schedules reads', () => {
  it('asks when it is opened for the selected schedule’s messages and for dead letters', () => {
    const [, effects] = doing(connected(calmSnapshot()), { type: 'command', name: 'view', argument: 'schedules' });
    expect(requests(effects)).toEqual([
      { kind: 'dead-deliveries', cursor: null },
      { kind: 'deliveries', scheduleId: PROCESSOR },
    ]);
  });

  it('has when each comes where there is the least room, and the end of what it calls where there is more', async () => {
    const at = async (columns: number, rows: number) =>
      (await rowsOf(inView('schedules', calmSnapshot(), { size: { columns, rows } }))).join('\n');
    expect(await at(60, 16)).toMatch(/schedule +next +│\n/);
    const many = loadedDeliveries(Array.from({ length: 9 }, (_, n) => aDelivery({ messageId: `msg_${n}` })));
    const small = afterEvents(view(calmSnapshot(), { size: { columns: 60, rows: 16 } }), many);
    expect((await rowsOf(small)).join('\n')).toMatch(/email-queue-processor · \d lines? more, Enter ─/);
    expect(await at(120, 36)).toMatch(/…\S*email\/worker\/queue-processor *│/);
  });

  it('asks again when the schedules were read anew, not with every refresh', () => {
    const snapshot = calmSnapshot();
    const [same, nothing] = doing(view(), { type: 'read', snapshot: { ...snapshot, takenAtEpochMs: NOON + 5_000 } });
    expect(nothing).toEqual([]);
    const later = { ...snapshot.schedules, atEpochMs: NOON + MINUTE_MS } as typeof snapshot.schedules;
    const [, effects] = doing(same, { type: 'read', snapshot: { ...snapshot, schedules: later } });
    expect(requests(effects)).toHaveLength(2);
  });

  it('reads nothing while frozen', () => {
    const [frozen] = press(view(), 'space');
    const snapshot = calmSnapshot();
    const later = { ...snapshot.schedules, atEpochMs: NOON + MINUTE_MS } as typeof snapshot.schedules;
    expect(doing(frozen, { type: 'read', snapshot: { ...snapshot, schedules: later } })[1]).toEqual([]);
  });

  it('asks once for the messages of another schedule that is selected', () => {
    const [second, effects] = press(view(), 'j');
    expect(requests(effects)).toEqual([{ kind: 'deliveries', scheduleId: 'email-health-monitor' }]);
    const read = afterEvents(second, loadedDeliveries([aDelivery()], 'email-health-monitor'), ...keys('k'));
    expect(press(read, 'j')[1]).toEqual([]);
  });

  it('reads more dead letters when the end comes near, and adds them below', () => {
    const first = afterEvents(view(), loadedDead([aDeadDelivery(1), aDeadDelivery(2)], 'next'));
    const [asking, effects] = press(first, 'G');
    expect(requests(effects)).toEqual([{ kind: 'dead-deliveries', cursor: 'next' }]);
    expect(press(asking, 'k')[1]).toEqual([]);
    const all = afterEvents(asking, loadedDead([aDeadDelivery(3)], null, 'next'));
    expect(press(all, 'G', 'V')[0].local.schedules).toMatchObject({ marked: { length: 3 } });
  });

  it('keeps the pages below when the first is read anew, without what was deleted', () => {
    const [one, two, three, four] = [1, 2, 3, 4].map((number) => aDeadDelivery(number)) as [Dead, Dead, Dead, Dead];
    const paged = afterEvents(view(), loadedDead([two, three], 'next'), loadedDead([four], null, 'next'));
    const ids = (state: State) => {
      const [all] = press(state, 'G', 'V');
      return local(all).marked;
    };
    expect(ids(afterEvents(paged, loadedDead([one, two, three], 'next')))).toEqual(
      [one, two, three, four].map(({ id }) => id),
    );
    const [deleting] = press(paged, 'G', 'x', 'y');
    const gone = afterEvents(deleting, { type: 'outcome', id: 1, outcome: { level: 'ok', text: 'done' } });
    expect(ids(gone)).toEqual([two.id, three.id]);
  });

  it('keeps what it knew, and says so, when QStash does not answer', async () => {
    const fault = { code: 'timeout', message: 'QStash did not answer within 5 s.' } as const;
    const request = { kind: 'dead-deliveries', cursor: null } as const;
    const failed: UiEvent = {
      type: 'loaded',
      view: 'schedules',
      kind: 'dead-deliveries',
      request,
      result: { ok: false, fault },
    };
    const text = (await rowsOf(afterEvents(withDead(1), failed))).join('\n');
    expect(text).toContain('not refreshed: timeout');
    expect(text).toContain('HTTP 500: Postgres');
    expect((await rowsOf(afterEvents(view(), failed))).join('\n')).toContain('not readable (timeout)');
  });
});

describe('what the keys of the view of schedules do', () => {
  it('pause a schedule after a yes, and resume it at once', () => {
    const [asked] = press(view(), 'P');
    expect(asked.dialog).toMatchObject({ kind: 'form', title: `Pause ${PROCESSOR}` });
    expect(requests(press(asked, 'y')[1])).toEqual([{ kind: 'schedule', id: PROCESSOR, change: 'pause' }]);
    expect(press(asked, 'n')[1]).toEqual([]);
    const paused = schedulesOf(calmSnapshot()).map((schedule) => ({ ...schedule, isPaused: true }));
    const [, effects] = press(view(withSchedules(calmSnapshot(), paused)), 'P');
    expect(requests(effects)).toEqual([{ kind: 'schedule', id: PROCESSOR, change: 'resume' }]);
  });

  it('trigger it there and not here, and say where', async () => {
    const [asked] = press(view(), 't');
    expect((await rowsOf(asked)).join('\n')).toContain('https://foodshare.club/api/email/worker/queue-processor');
    const [acting, effects] = press(asked, 'enter');
    expect(requests(effects)).toEqual([{ kind: 'schedule', id: PROCESSOR, change: 'trigger' }]);
    const [refused] = press(acting, 't');
    expect(refused.dialog).toBeNull();
    expect(refused.notice?.text).toContain('an action on it is under way');
  });

  it('say why not for a schedule that is missing or somebody else’s', () => {
    const [processor] = schedulesOf(calmSnapshot());
    if (processor === undefined) throw new Error('no schedule');
    const foreign = { ...processor, id: 'backup', destination: 'https://backup.example.org/run' };
    const state = view(withSchedules(calmSnapshot(), [foreign]));
    expect(press(state, 't')[0].notice?.text).toContain('email-ops schedules sync creates it');
    expect(press(state, 'G', 't')[0].notice?.text).toContain('none of ours');
  });

  it('deliver a dead letter again, or delete it after a yes', () => {
    const { id } = aDeadDelivery(1);
    const [asked] = press(withDead(1, 2), 'G', 'k', 'R');
    expect(asked.dialog).toMatchObject({ title: 'Deliver 1 dead letter again', isDangerous: false });
    expect(requests(press(asked, 'y')[1])).toEqual([{ kind: 'dead-delivery', change: 'retry', ids: [id] }]);
    const [deleting] = press(withDead(1, 2), 'G', 'V', 'x');
    expect(deleting.dialog).toMatchObject({ title: 'Delete 2 dead letters', isDangerous: true });
    const [, effects] = press(deleting, 'y');
    expect(requests(effects)).toEqual([{ kind: 'dead-delivery', change: 'delete', ids: [id, aDeadDelivery(2).id] }]);
  });

  it('ask in production for its name before dead letters are deleted', () => {
    const state = afterEvents(view(incidentSnapshot()), loadedDead([aDeadDelivery(1)]));
    const [asked] = press(state, 'G', 'x');
    const [wrong, none] = press(asked, 'enter');
    expect(none).toEqual([]);
    expect(wrong.dialog).toMatchObject({ fields: [{ error: 'type production to go on' }] });
    expect(requests(press(wrong, ...'production', 'enter')[1])).toMatchObject([{ kind: 'dead-delivery' }]);
  });

  it('read both lists anew after an action, and forget what was selected together', () => {
    const [acting] = press(withDead(1, 2), 'G', 'v', 'k', 'v', 'R', 'y');
    expect(local(acting).marked).toHaveLength(2);
    const id = acting.running[0]?.id ?? -1;
    const [ended, effects] = doing(acting, { type: 'outcome', id, outcome: { level: 'ok', text: 'done' } });
    expect(local(ended).marked).toEqual([]);
    expect(requests(effects)).toContainEqual({ kind: 'dead-deliveries', cursor: null });
  });

  it('change nothing in a read-only console, and say so', () => {
    const state = afterEvents(
      view(calmSnapshot(), { readOnly: 'this console is read-only' }),
      loadedDead([aDeadDelivery(1)]),
    );
    for (const sequence of [['P'], ['t'], ['G', 'R'], ['G', 'x']]) {
      const [after, effects] = press(state, ...sequence);
      expect(effects.filter(({ kind }) => kind === 'act')).toEqual([]);
      expect(after.dialog).toBeNull();
      expect(after.notice?.text).toContain('this console is read-only');
    }
  });

  it('offer in the hints only what can be done with the row', () => {
    const hints = (state: State) => textOf(hintLine(state, 200));
    expect(hints(withDead(1))).toContain('t trigger');
    expect(hints(withDead(1))).not.toContain('x discard');
    const [onDead] = press(withDead(1), 'G');
    expect(hints(onDead)).toContain('x discard');
    expect(hints(onDead)).not.toContain('t trigger');
  });

  it('offer to let a paused schedule go on', () => {
    const all = schedulesOf(calmSnapshot()).map((schedule) => ({ ...schedule, isPaused: true }));
    const paused = withSchedules(calmSnapshot(), all);
    expect(textOf(hintLine(view(paused), 200))).toContain('P resume schedule');
    expect(textOf(hintLine(view(), 200))).toContain('P pause schedule');
  });

  it('keep the selection on its row when others come and go', async () => {
    const [selected] = press(withDead(2, 3), 'G', 'k');
    const newer = afterEvents(selected, loadedDead([aDeadDelivery(1), aDeadDelivery(2), aDeadDelivery(3)]));
    expect(press(newer, 'R')[0].dialog).toMatchObject({ purpose: { request: { ids: [aDeadDelivery(2).id] } } });
  });

  it('select the row that is clicked', () => {
    const [clicked, effects] = doing(view(), { type: 'input', input: { kind: 'mouse', action: 'press', x: 5, y: 6 } });
    expect(requests(effects)).toEqual([{ kind: 'deliveries', scheduleId: 'email-health-monitor' }]);
    expect(press(clicked, 'P')[0].dialog).toMatchObject({ title: 'Pause email-health-monitor' });
  });
});

describe('what the view of schedules says', () => {
  const text = async (state: State) => (await rowsOf(state)).join('\n');

  it('misses nothing where one tick stands for all', async () => {
    const shown = await text(view(withSchedules(calmSnapshot(), [aTick()])));
    expect(shown).toContain('as expected');
    expect(shown).not.toMatch(/MISSING|missing/);
  });

  it('says of a tick that did not come when it was due', async () => {
    const silent = aTick({ lastRunAtEpochMs: NOON - 20 * MINUTE_MS });
    const late = await text(view(withSchedules(incidentSnapshot(), [silent])));
    expect(late).toContain('was due 11:58, not seen');
  });

  it('masks addresses in reasons until m', async () => {
    const reason = 'HTTP 500: no mailbox for anna@example.org';
    const state = afterEvents(view(), loadedDead([aDeadDelivery(1, { reason })]));
    expect(await text(state)).not.toContain('anna@example.org');
    expect(await text({ ...state, isMasked: false })).toContain('anna@example.org');
  });

  it('lets nothing hostile onto the screen', async () => {
    const hostile = '\u001b[2J{red-fg}\u202Eevil\u0007';
    const [processor] = schedulesOf(calmSnapshot());
    if (processor === undefined) throw new Error('no schedule');
    const snapshot = withSchedules(calmSnapshot(), [{ ...processor, id: hostile, destination: hostile }]);
    const dead = aDeadDelivery(1, { reason: hostile, scheduleId: hostile, destination: hostile });
    const shown = await text(afterEvents(view(snapshot), loadedDead([dead])));
    expect(shown).toContain('{red-fg}');
    for (const each of ['\u001b', '\u202e', '\u0007']) expect(shown).not.toContain(each);
  });
});
