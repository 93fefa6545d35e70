/**
 * The sixth view: every run seen, local or remote, what operators did, and the log of this console. What the snapshot does not
 * carry is read when the view opens; actions again after an action, and every half minute while they are looked at.
 */
import { SECOND_MS } from '../../domain/time.ts';
import { bodyOf, inside, type Rect, rowsOf } from '../layout.ts';
import type { LoadRequest } from '../loaders.ts';
import type { Panel } from '../panel.ts';
import type { CommandName, Effect, State } from '../state.ts';
import { defineView, type ViewEvent, type ViewStep } from '../view.ts';
import { runDetailLines, runDetailPanel } from './parts/run-details.ts';
import { actionListPanel, logHeight, logPanel, runListPanel, wholeLog } from './parts/run-panels.ts';
import { actionRows, RUN_LISTS, type RunList, type RunsLocal, runRows } from './parts/run-rows.ts';
import { FIRST, indexIn, MOVES, movedIn, rowAt, settledIn } from './parts/selection.ts';

const INITIAL: RunsLocal = {
  list: 'runs',
  selections: { runs: FIRST, actions: FIRST },
  isOpen: false,
  scroll: 0,
  logBack: 0,
  filter: '',
  older: [],
  isOlderAsked: false,
  audit: { value: null, fault: null },
  auditAskedAtEpochMs: null,
};

const AUDIT_EVERY_MS = 30 * SECOND_MS;
/** All that are kept (WIRE.md). */
const AUDIT_LIMIT = 500;

export const runs = defineView<RunsLocal>({
  id: 'runs',
  title: 'Runs',
  summary: 'every run and its log, and what operators did',
  initial: INITIAL,
  handles: [...MOVES, 'open', 'back', 'filter', 'list'],
  panels,
  unless: (state, name, local) =>
    name === 'open' && selectedOf(state, local) === undefined ? 'there is nothing to open' : null,
  leaves: (_state, { isOpen, filter, logBack }) =>
    isOpen ? 'details' : filter !== '' || logBack > 0 ? 'narrowing' : null,
  reduce,
});

function panels(state: State, rect: Rect, local: RunsLocal): readonly Panel[] {
  const row = selectedOf(state, local);
  if (local.isOpen && row !== undefined) return [runDetailPanel(state, rect, { row, scroll: local.scroll })];
  if (local.list === 'log') return [logPanel(state, rect, local)];
  const { list, log } = rects(rect);
  const selected = selectedIndex(state, local);
  const top =
    local.list === 'runs'
      ? runListPanel(state, list, { rows: runRows(state, local), selected, local })
      : actionListPanel(state, list, { selected, local });
  return [top, logPanel(state, log, local)];
}

function rects(rect: Rect): { list: Rect; log: Rect } {
  const [list, log] = rowsOf(rect, [{ share: 1 }, logHeight(rect)]) as [Rect, Rect];
  return { list, log };
}

function rowsIn(state: State, local: RunsLocal) {
  if (local.list === 'log') return [];
  return local.list === 'runs' ? runRows(state, local) : actionRows(local);
}

function idsIn(state: State, local: RunsLocal): string[] {
  return rowsIn(state, local).map(({ id }) => id);
}

function selectedIndex(state: State, local: RunsLocal): number {
  return local.list === 'log' ? -1 : indexIn(idsIn(state, local), local.selections[local.list]);
}

function selectedOf(state: State, local: RunsLocal) {
  return rowsIn(state, local)[selectedIndex(state, local)];
}

function reduce(state: State, event: ViewEvent, local: RunsLocal): ViewStep<RunsLocal> {
  switch (event.type) {
    case 'opened':
      return opened(state, local);
    case 'refreshed':
      return refreshed(state, local);
    case 'acted':
      return local.list === 'actions' ? askAudit(state, local) : {};
    case 'loaded':
      return { local: withLoaded(local, event) };
    case 'typed':
      return { local: { ...local, filter: event.text, logBack: 0 } };
    case 'clicked':
      return clicked(state, event.y, local);
    case 'command':
      return obey(state, event, local);
    default:
      return {};
  }
}

/** Opened before anything is connected, it asks at the first refresh. */
function opened(state: State, local: RunsLocal): ViewStep<RunsLocal> {
  if (state.connection.kind !== 'open') return { local };
  const asked = { ...local, isOlderAsked: true };
  const step: ViewStep<RunsLocal> = local.list === 'actions' ? askAudit(state, asked) : { local: asked };
  return { ...step, effects: [...(step.effects ?? []), load({ kind: 'runs' })] };
}

function refreshed(state: State, local: RunsLocal): ViewStep<RunsLocal> {
  const settled =
    local.list === 'log' ? local : withSelection(local, settledIn(idsIn(state, local), local.selections[local.list]));
  if (!local.isOlderAsked) return opened(state, settled);
  if (local.list !== 'actions' || state.frozen !== null) return { local: settled };
  const isOld = state.nowEpochMs - (local.auditAskedAtEpochMs ?? 0) >= AUDIT_EVERY_MS;
  return isOld ? askAudit(state, settled) : { local: settled };
}

function askAudit(state: State, local: RunsLocal): ViewStep<RunsLocal> {
  return {
    local: { ...local, auditAskedAtEpochMs: state.nowEpochMs },
    effects: [load({ kind: 'audit', limit: AUDIT_LIMIT })],
  };
}

function load(request: LoadRequest): Effect {
  return { kind: 'load', view: 'runs', request };
}

/** A failure keeps what was read before. */
function withLoaded(local: RunsLocal, event: Extract<ViewEvent, { type: 'loaded' }>): RunsLocal {
  if (event.kind === 'runs') return event.result.ok ? { ...local, older: event.result.value.runs } : local;
  if (event.kind !== 'audit') return local;
  const { result } = event;
  const audit = result.ok ? { value: result.value, fault: null } : { value: local.audit.value, fault: result.fault };
  return { ...local, audit };
}

function withSelection(local: RunsLocal, selection: RunsLocal['selections']['runs']): RunsLocal {
  return local.list === 'log' ? local : { ...local, selections: { ...local.selections, [local.list]: selection } };
}

function obey(
  state: State,
  { name, argument }: { readonly name: CommandName; readonly argument?: string },
  local: RunsLocal,
): ViewStep<RunsLocal> {
  if (MOVES.includes(name)) return moved(state, name, local);
  switch (name) {
    case 'list':
      return toList(state, local, argument);
    case 'open': {
      const settled = local.list === 'log' ? local : withSelection(local, chosen(state, local));
      return { local: { ...settled, isOpen: !local.isOpen, scroll: 0 } };
    }
    case 'back':
      return { local: local.isOpen ? { ...local, isOpen: false, scroll: 0 } : { ...local, filter: '', logBack: 0 } };
    case 'filter':
      if (argument !== undefined) return { local: { ...local, filter: argument } };
      return {
        local: { ...local, isOpen: false },
        state: { dialog: { kind: 'prompt', view: 'runs', id: 'filter', text: local.filter, before: local.filter } },
      };
    default:
      return {};
  }
}

/** What is open must stay the same row, also where nothing had been chosen. */
function chosen(state: State, local: RunsLocal) {
  const index = selectedIndex(state, local);
  return { id: idsIn(state, local)[index] ?? null, index: Math.max(0, index) };
}

function toList(state: State, local: RunsLocal, wanted: string | undefined): ViewStep<RunsLocal> {
  const next = RUN_LISTS[(RUN_LISTS.indexOf(local.list) + 1) % RUN_LISTS.length] ?? 'runs';
  const list: RunList = RUN_LISTS.find((each) => each === wanted) ?? next;
  const changed = { ...local, list, isOpen: false, scroll: 0, logBack: 0 };
  return list === 'actions' ? askAudit(state, changed) : { local: changed };
}

function moved(state: State, name: CommandName, local: RunsLocal): ViewStep<RunsLocal> {
  const body = bodyOf(state.size);
  if (local.isOpen) {
    const row = selectedOf(state, local);
    const room = inside(body);
    const lines = row === undefined ? 0 : runDetailLines(state, row, room.width).length;
    return { local: { ...local, scroll: scrolled(local.scroll, lines - room.height, { name, page: room.height }) } };
  }
  if (local.list === 'log') {
    const { height, width } = inside(body);
    const most = Math.max(0, wholeLog(state, local, width).length - height);
    const fromTop = scrolled(most - Math.min(local.logBack, most), most, { name, page: height });
    return { local: { ...local, logBack: most - fromTop } };
  }
  const page = Math.max(1, rects(body).list.height - 3);
  const selection = movedIn(idsIn(state, local), local.selections[local.list], { name, page });
  return selection === null ? {} : { local: withSelection(local, selection) };
}

function scrolled(at: number, most: number, move: { readonly name: CommandName; readonly page: number }): number {
  const ids = Array.from({ length: Math.max(0, most) + 1 }, (_, index) => String(index));
  return movedIn(ids, { id: String(Math.min(at, Math.max(0, most))), index: 0 }, move)?.index ?? at;
}

function clicked(state: State, y: number, local: RunsLocal): ViewStep<RunsLocal> {
  if (local.isOpen || local.list === 'log') return {};
  const ids = idsIn(state, local);
  const index = rowAt(rects(bodyOf(state.size)).list, y, { count: ids.length, selected: selectedIndex(state, local) });
  return index === null ? {} : { local: withSelection(local, { id: ids[index] ?? null, index }) };
}
