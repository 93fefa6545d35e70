/** The third view: what is wrong now, every critical alert, and for what is selected what it means and what to check first. */
import { outside } from '../../domain/state-words.ts';
import { act } from '../act.ts';
import { bodyOf, columnsOf, inside, type Rect, rowsOf } from '../layout.ts';
import type { Panel } from '../panel.ts';
import type { CommandName, State } from '../state.ts';
import { defineView, type ViewStep } from '../view.ts';
import { acknowledgeAllForm } from './parts/acknowledge-form.ts';
import { alertDetailPanel, feedPanel, lastScroll, reasonsPanel } from './parts/alert-panels.ts';
import { type AlertRow, alertRows, openAlerts, type Selection, selectedIndex } from './parts/alert-rows.ts';
import { movedIndex, windowOf } from './parts/window.ts';

interface Local extends Selection {
  /** The details alone, over the whole view. */
  readonly isOpen: boolean;
  /** First line of the details that is seen. */
  readonly scroll: number;
}

export const alerts = defineView<Local>({
  id: 'alerts',
  title: 'Alerts',
  summary: 'what is wrong, and what to check first',
  initial: { selected: null, index: 0, isOpen: false, scroll: 0 },
  handles: ['up', 'down', 'page-up', 'page-down', 'first', 'last', 'open', 'back', 'acknowledge', 'acknowledge-all'],
  panels,
  unless,
  leaves: (_state, { isOpen }) => (isOpen ? 'details' : null),
  reduce: (state, event, local) => {
    if (event.type === 'command') return obey(state, event.name, local);
    if (event.type === 'clicked') return clicked(state, event, local);
    // What is seen as selected is selected: an alert that comes must not take the place of the one about to be acknowledged.
    return event.type === 'opened' || event.type === 'refreshed' ? { local: settled(alertRows(state), local) } : {};
  },
});

function panels(state: State, rect: Rect, local: Local): readonly Panel[] {
  const rows = alertRows(state);
  const selected = selectedIndex(rows, local);
  if (rows.length === 0) return lists(state, rect, rows, selected);
  const { list, detail } = divided(rect, local);
  return [
    ...(list === null ? [] : lists(state, list, rows, selected)),
    alertDetailPanel(state, detail, rows[selected], local.scroll),
  ];
}

function divided(rect: Rect, { isOpen }: Local): { readonly list: Rect | null; readonly detail: Rect } {
  if (isOpen) return { list: null, detail: rect };
  const parts =
    rect.width >= 100 ? columnsOf(rect, [{ share: 11 }, { share: 9 }]) : rowsOf(rect, [{ share: 13 }, { share: 9 }]);
  const [list, detail] = parts as [Rect, Rect];
  return { list, detail };
}

/** Of the reasons, which take what they need but never much, and of the feed below them. */
function listRects(rect: Rect, reasons: number): { readonly reasons: Rect | null; readonly feed: Rect } {
  if (reasons === 0) return { reasons: null, feed: rect };
  const height = Math.min(reasons + 2, Math.max(3, Math.floor(rect.height / 2.4)));
  const [above, below] = rowsOf(rect, [height, { share: 1 }]) as [Rect, Rect];
  return { reasons: above, feed: below };
}

function lists(state: State, rect: Rect, rows: readonly AlertRow[], selected: number): readonly Panel[] {
  const reasons = rows.filter(({ kind }) => kind === 'reason');
  const feed = rows.slice(reasons.length);
  const rects = listRects(rect, reasons.length);
  const inFeed = feedPanel(state, rects.feed, feed, selected - reasons.length);
  if (rects.reasons === null) return [inFeed];
  return [reasonsPanel(state, rects.reasons, reasons, selected < reasons.length ? selected : -1), inFeed];
}

function unless(state: State, name: CommandName, local: Local): string | null {
  const rows = alertRows(state);
  const row = rows[selectedIndex(rows, local)];
  switch (name) {
    case 'open':
      return row === undefined ? 'there is nothing to open' : null;
    case 'acknowledge':
      if (row === undefined) return 'there is no alert';
      if (row.kind === 'reason') return 'a reason goes away by itself when it is over; select an alert below';
      return row.alert.acknowledged === null
        ? null
        : `acknowledged already, by ${outside(row.alert.acknowledged.by, 40)}`;
    case 'acknowledge-all':
      return openAlerts(state).length === 0 ? 'no alert waits to be acknowledged' : null;
    default:
      return null;
  }
}

function obey(state: State, name: CommandName, local: Local): ViewStep<Local> {
  const rows = alertRows(state);
  const selected = selectedIndex(rows, local);
  const move = (by: number): ViewStep<Local> => {
    const index = movedIndex(selected, rows.length, by);
    return { local: { ...local, selected: rows[index]?.id ?? null, index: Math.max(0, index), scroll: 0 } };
  };
  switch (name) {
    case 'up':
      return move(-1);
    case 'down':
      return move(1);
    case 'first':
      return move(-rows.length);
    case 'last':
      return move(rows.length);
    case 'page-up':
      return { local: scrolled(state, rows[selected], local, -1) };
    case 'page-down':
      return { local: scrolled(state, rows[selected], local, 1) };
    case 'open':
      return { local: { ...settled(rows, local), isOpen: !local.isOpen, scroll: 0 } };
    case 'back':
      return { local: { ...local, isOpen: false, scroll: 0 } };
    case 'acknowledge':
      return acknowledge(state, rows, local);
    case 'acknowledge-all':
      return { state: { dialog: acknowledgeAllForm(state) } };
    default:
      return {};
  }
}

/** With `--mouse`: a row is selected. */
function clicked(state: State, { x, y }: { readonly x: number; readonly y: number }, local: Local): ViewStep<Local> {
  const rows = alertRows(state);
  const { list } = divided(bodyOf(state.size), local);
  if (list === null || x >= list.x + list.width) return {};
  const selected = selectedIndex(rows, local);
  const reasons = rows.filter(({ kind }) => kind === 'reason').length;
  const rects = listRects(list, reasons);
  const above = rects.reasons === null ? null : rowIn(rects.reasons, y, reasons, selected);
  const below = rowIn(rects.feed, y, rows.length - reasons, selected - reasons);
  const index = above ?? (below === null ? null : below + reasons);
  return index === null ? {} : { local: { ...local, selected: rows[index]?.id ?? null, index, scroll: 0 } };
}

/** The index of the row at a line of the screen, in a list without heading. */
function rowIn(rect: Rect, y: number, count: number, selected: number): number | null {
  const room = inside(rect);
  const { first, end } = windowOf(count, Math.max(0, selected), room.height);
  const index = first + (y - room.y);
  return y >= room.y && index < end ? index : null;
}

function settled(rows: readonly AlertRow[], local: Local): Local {
  const index = selectedIndex(rows, local);
  const selected = rows[index]?.id ?? null;
  const isSame = selected === local.selected && index === local.index;
  return isSame || index < 0 ? local : { ...local, selected, index };
}

/** A page of the details up or down, keeping two lines in sight. */
function scrolled(state: State, row: AlertRow | undefined, local: Local, pages: -1 | 1): Local {
  const { detail } = divided(bodyOf(state.size), local);
  const page = Math.max(1, inside(detail).height - 2);
  const last = lastScroll(state, detail, row);
  return { ...local, scroll: Math.max(0, Math.min(last, local.scroll + pages * page)) };
}

/** At once: it can be seen, and nothing is lost by it. The selection goes on to the next open one. */
function acknowledge(state: State, rows: readonly AlertRow[], local: Local): ViewStep<Local> {
  const at = selectedIndex(rows, local);
  const row = rows[at];
  if (row?.kind !== 'alert') return {};
  const [next, effects] = act(state, { kind: 'acknowledge', fingerprints: [row.alert.fingerprint] });
  const isOpen = (each: AlertRow) => each.kind === 'alert' && each !== row && each.alert.acknowledged === null;
  const following = rows.slice(at).find(isOpen) ?? rows.slice(0, at).findLast(isOpen) ?? row;
  const index = rows.indexOf(following);
  return { state: next, effects, local: { ...local, selected: following.id, index, scroll: 0 } };
}
