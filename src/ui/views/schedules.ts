/**
 * The fifth view: which schedules QStash has and should have, what became of their last messages, and what it gave up on.
 * Messages and dead letters are read when the view opens and when the schedules were read anew, not with every refresh.
 */
import { lastValue } from '../../domain/loaded.ts';
import { workersFor } from '../../domain/schedule-plan.ts';
import { act } from '../act.ts';
import { bodyOf, columnsOf, inside, type Rect, rowsOf } from '../layout.ts';
import type { LoadRequest } from '../loaders.ts';
import type { Panel } from '../panel.ts';
import { type CommandName, type Effect, type State, shownPicture } from '../state.ts';
import { defineView, type ViewEvent, type ViewStep } from '../view.ts';
import { deadPanel } from './parts/dead-panel.ts';
import { deadForm, pauseForm, triggerForm } from './parts/schedule-forms.ts';
import { detailLines, scheduleDetailPanel, scheduleListPanel } from './parts/schedule-panels.ts';
import { withLoaded, without } from './parts/schedule-reads.ts';
import {
  chosenDead,
  SCHEDULES_FIRST,
  type ScheduleRow,
  type SchedulesLocal,
  scheduleOf,
  scheduleRows,
  selectedRow,
} from './parts/schedule-rows.ts';
import { indexIn, MOVES, movedIn, rowAt, settledIn } from './parts/selection.ts';

export const schedules = defineView<SchedulesLocal>({
  id: 'schedules',
  title: 'Schedules',
  summary: 'what QStash calls when, what came of it, and what it gave up on',
  initial: SCHEDULES_FIRST,
  handles: [...MOVES, 'open', 'back', 'trigger', 'switch-schedule', 'retry', 'discard', 'select', 'select-all'],
  panels,
  unless,
  leaves: (_state, { isOpen, marked }) => (isOpen ? 'details' : marked.length > 0 ? 'narrowing' : null),
  reduce,
});

function panels(state: State, rect: Rect, local: SchedulesLocal): readonly Panel[] {
  const { schedules: part } = shownPicture(state);
  // Nothing else can be said where QStash has never answered.
  if (part === null || part.state === 'failed') return [scheduleListPanel(state, rect, [], -1)];
  const rows = scheduleRows(state, local);
  const selected = indexIn(idsOf(rows), local.selection);
  const row = rows[selected];
  if (local.isOpen && row !== undefined) return [scheduleDetailPanel(state, rect, { row, local })];
  const standings = rows.flatMap((each) => (each.kind === 'schedule' ? [each.standing] : []));
  const { list, detail, dead } = rects(rect, standings.length, rows.length - standings.length);
  const top = scheduleListPanel(state, list, standings, selected < standings.length ? selected : -1);
  const about = (at: Rect) => scheduleDetailPanel(state, at, { row, local });
  const letters = (at: Rect) => deadPanel(state, at, { local, selected: selected - standings.length });
  if (rect.height >= LEAST_FOR_THREE) return [top, about(detail), letters(dead)];
  const rest = { ...rect, y: list.y + list.height, height: rect.height - list.height };
  return [top, row?.kind === 'dead' ? letters(rest) : about(rest)];
}

const LEAST_LIST = 4;
/** Below that, what is selected decides which of the two is seen beside the list. */
const LEAST_FOR_THREE = 16;

/** The list takes what it needs, but leaves half to the others; dead letters get their room when there are some. */
function rects(rect: Rect, listed: number, dead: number): { list: Rect; detail: Rect; dead: Rect } {
  const listHeight = Math.min(Math.max(LEAST_LIST, listed + 3), Math.floor(rect.height / 2));
  const [list, rest] = rowsOf(rect, [listHeight, { share: 1 }]) as [Rect, Rect];
  const [detail, below] = (
    rect.width >= 150
      ? columnsOf(rest, [{ share: 1 }, { share: 1 }])
      : rowsOf(rest, [{ share: 1 }, dead === 0 ? 3 : Math.max(5, Math.floor(rest.height * 0.45))])
  ) as [Rect, Rect];
  return { list, detail, dead: below };
}

function idsOf(rows: readonly ScheduleRow[]): string[] {
  return rows.map(({ id }) => id);
}

function unless(state: State, name: CommandName, local: SchedulesLocal): string | null {
  const row = selectedRow(state, local);
  switch (name) {
    case 'open':
      return row === undefined ? 'there is nothing to open' : null;
    case 'trigger':
    case 'switch-schedule':
      return whyNotSchedule(state, name, row);
    case 'retry':
    case 'discard':
      return chosenDead(state, local).length === 0 ? 'select a dead letter first' : null;
    case 'select':
      return row?.kind === 'dead' ? null : 'only dead letters can be selected together';
    case 'select-all':
      return (local.dead?.value?.messages.length ?? 0) > 0 ? null : 'there is no dead letter';
    default:
      return null;
  }
}

function whyNotSchedule(state: State, name: CommandName, row: ScheduleRow | undefined): string | null {
  if (row?.kind !== 'schedule') return 'select a schedule first';
  const schedule = scheduleOf(row);
  if (schedule === null) return 'QStash has no such schedule: email-ops schedules sync creates it';
  if (name === 'trigger' && workersFor(schedule).length === 0) return 'none of ours: what it sends is not known here';
  const busy = state.running.some(({ request }) => request.kind === 'schedule' && request.id === schedule.id);
  return busy ? 'an action on it is under way' : null;
}

function reduce(state: State, event: ViewEvent, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  switch (event.type) {
    case 'opened':
      return reading(state, local);
    case 'refreshed':
      return refreshed(state, local);
    case 'acted':
      if (event.request.kind === 'dead-delivery') {
        // Where it failed, nobody knows yet what is gone: the list that is read anew will tell.
        const isDone = event.outcome.level !== 'critical';
        return reading(state, isDone ? without(local, event.request.ids) : local);
      }
      return event.request.kind === 'schedule' ? reading(state, local) : {};
    case 'loaded':
      return { local: withLoaded(local, event) };
    case 'command':
      return obey(state, event.name, local);
    case 'clicked':
      return clicked(state, event.y, local);
    default:
      return {};
  }
}

/** A row of one of the two lists. */
function clicked(state: State, y: number, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  if (local.isOpen) return {};
  const rows = scheduleRows(state, local);
  const selected = indexIn(idsOf(rows), local.selection);
  const listed = rows.filter(({ kind }) => kind === 'schedule').length;
  const { list, dead } = rects(bodyOf(state.size), listed, rows.length - listed);
  const inList = rowAt(list, y, { count: listed, selected });
  const inDead = rowAt(dead, y, { count: rows.length - listed, selected: selected - listed });
  const index = inList ?? (inDead === null ? null : inDead + listed);
  return index === null ? {} : selectedAt(state, index, local);
}

/** Reads only what is new: the schedules themselves are read once a minute, or after a change. */
function refreshed(state: State, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  const settled = { ...local, selection: settledIn(idsOf(scheduleRows(state, local)), local.selection) };
  if (state.frozen !== null || readAt(state) === local.readForEpochMs) return { local: settled };
  return reading(state, settled);
}

function readAt(state: State): number | null {
  const { schedules: part } = shownPicture(state);
  return part === null || part.state === 'failed' ? null : part.atEpochMs;
}

function reading(state: State, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  const { schedules: part } = shownPicture(state);
  if (part === null || lastValue(part) === undefined) return { local };
  return {
    local: { ...local, readForEpochMs: readAt(state) },
    effects: [load({ kind: 'dead-deliveries', cursor: null }), ...deliveriesEffect(state, local)],
  };
}

function deliveriesEffect(state: State, local: SchedulesLocal): readonly Effect[] {
  const schedule = scheduleOf(selectedRow(state, local));
  return schedule === null ? [] : [load({ kind: 'deliveries', scheduleId: schedule.id })];
}

function load(request: LoadRequest): Effect {
  return { kind: 'load', view: 'schedules', request };
}

function obey(state: State, name: CommandName, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  const rows = scheduleRows(state, local);
  const row = selectedRow(state, local);
  if (MOVES.includes(name)) return local.isOpen ? scrolled(state, name, local) : moved(state, name, local);
  switch (name) {
    case 'open':
      return {
        local: { ...local, selection: settledIn(idsOf(rows), local.selection), isOpen: !local.isOpen, scroll: 0 },
      };
    case 'back':
      return { local: local.isOpen ? { ...local, isOpen: false, scroll: 0 } : { ...local, marked: [] } };
    case 'switch-schedule': {
      const schedule = scheduleOf(row);
      if (schedule === null) return {};
      if (!schedule.isPaused) return { state: { dialog: pauseForm(schedule) } };
      const [next, effects] = act(state, { kind: 'schedule', id: schedule.id, change: 'resume' });
      return { state: next, effects };
    }
    case 'trigger': {
      const schedule = scheduleOf(row);
      return schedule === null ? {} : { state: { dialog: triggerForm(schedule) } };
    }
    case 'retry':
    case 'discard': {
      const change = name === 'retry' ? 'retry' : 'delete';
      return { state: { dialog: deadForm(state, change, chosenDead(state, local)) } };
    }
    case 'select':
      return row?.kind === 'dead' ? marking(state, row.dead.id, local) : {};
    case 'select-all': {
      const all = (local.dead?.value?.messages ?? []).map(({ id }) => id);
      return { local: { ...local, marked: all.every((id) => local.marked.includes(id)) ? [] : all } };
    }
    default:
      return {};
  }
}

function marking(state: State, id: string, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  const marked = local.marked.includes(id) ? local.marked.filter((each) => each !== id) : [...local.marked, id];
  return moved(state, 'down', { ...local, marked });
}

/** To another row: its messages are read where they are not known, and more dead letters when the end comes near. */
function moved(state: State, name: CommandName, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  const rows = scheduleRows(state, local);
  const selection = movedIn(idsOf(rows), local.selection, { name, page: pageOf(state) });
  return selection === null ? {} : selectedAt(state, selection.index, local);
}

function selectedAt(state: State, index: number, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  const rows = scheduleRows(state, local);
  const selection = { id: rows[index]?.id ?? null, index };
  const next = { ...local, selection };
  const schedule = scheduleOf(rows[index]);
  const isUnread = schedule !== null && (local.deliveries[schedule.id]?.value ?? null) === null;
  const cursor = local.dead?.value?.cursor ?? null;
  const isNearEnd = rows.length - selection.index < pageOf(state) && rows[selection.index]?.kind === 'dead';
  const isMore = cursor !== null && isNearEnd && !local.isLoadingMore;
  return {
    local: { ...next, isLoadingMore: local.isLoadingMore || isMore },
    effects: [
      ...(isUnread ? deliveriesEffect(state, next) : []),
      ...(isMore ? [load({ kind: 'dead-deliveries', cursor })] : []),
    ],
  };
}

function scrolled(state: State, name: CommandName, local: SchedulesLocal): ViewStep<SchedulesLocal> {
  const row = selectedRow(state, local);
  const room = inside(bodyOf(state.size));
  const lines = row === undefined ? 0 : detailLines(state, row, { local, width: room.width }).length;
  const most = Math.max(0, lines - room.height);
  const at = Array.from({ length: most + 1 }, (_, index) => String(index));
  const next = movedIn(at, { id: String(Math.min(local.scroll, most)), index: 0 }, { name, page: room.height });
  return next === null ? {} : { local: { ...local, scroll: next.index } };
}

function pageOf(state: State): number {
  return Math.max(1, Math.floor((state.size.rows - 4) / 3));
}
