/** The second view: which emails, in which state, with which error; and putting them back into the queue or out of it. */
import { mayMatch, parseQueueFilter, withStatus } from '../../domain/queue-filter.ts';
import { QUEUE_SORTS } from '../../domain/queue-page.ts';
import { SECOND_MS } from '../../domain/time.ts';
import type { ActionRequest } from '../actions.ts';
import { bodyOf, columnsOf, type Rect } from '../layout.ts';
import type { LoadEvent, LoadRequest } from '../loaders.ts';
import type { Panel } from '../panel.ts';
import { type CommandName, type Effect, type State, shownNow } from '../state.ts';
import { defineView, type ViewEvent, type ViewStep } from '../view.ts';
import { detailsPanel, scrollEnd } from './parts/email-details.ts';
import { changeForm, whyNotChange } from './parts/queue-changes.ts';
import {
  answered,
  ask,
  askAgain,
  EMPTY_LIST,
  hold,
  type ListStep,
  move,
  selectedItem,
  toEnd,
  toStart,
  UNSETTLED,
} from './parts/queue-list.ts';
import { FIRST_LOCAL, type QueueLocal, queryOf, selectedGroup } from './parts/queue-local.ts';
import { groupsPanel, queueListPanel, rowOfScreen, rowsSeen, TABS } from './parts/queue-panels.ts';
import { movedIndex } from './parts/window.ts';

type Step = ViewStep<QueueLocal>;

const ID = 'queue';
/** Counting groups and reading a story cost more than a page. */
const SELDOM_MS = 15 * SECOND_MS;

export const queue = defineView<QueueLocal>({
  id: ID,
  title: 'Queue',
  summary: 'emails by state, type, provider and error; retry and discard',
  initial: FIRST_LOCAL,
  handles: [
    ...(['up', 'down', 'left', 'right', 'page-up', 'page-down', 'first', 'last', 'open', 'back'] as const),
    ...(['filter', 'select', 'select-all', 'sort', 'group', 'retry', 'discard'] as const),
  ],
  panels,
  unless,
  // A filter has its way back beside it.
  leaves: (_state, { open, isGrouped }) => (open !== null ? 'details' : isGrouped ? 'narrowing' : null),
  reduce: (state, event, local) => {
    switch (event.type) {
      case 'opened':
      case 'refreshed':
        return state.frozen === null ? refresh(state, local) : {};
      case 'command':
        return obey(state, event.name, local);
      case 'typed':
        return event.id === 'filter' ? filtered(local, event.text) : {};
      case 'clicked':
        return clicked(state, local, event);
      case 'acted':
        return acted(local, event.request);
      case 'loaded':
        return arrived(state, local, event);
      default:
        return {};
    }
  },
});

function panels(state: State, rect: Rect, local: QueueLocal): readonly Panel[] {
  const [main, side] = divided(rect, local);
  const list = (at: Rect) => (local.isGrouped ? groupsPanel(state, at, local) : queueListPanel(state, at, local));
  if (local.open === null || side === null) return [list(main)];
  const looks = { isMasked: state.isMasked, nowEpochMs: shownNow(state) };
  const details = detailsPanel(local.open, side, looks);
  return main.width === 0 ? [details] : [list(main), details];
}

/** Where the list is, and where the details are: beside it when there is room, else instead of it. */
function divided(rect: Rect, { open }: QueueLocal): readonly [Rect, Rect | null] {
  if (open === null) return [rect, null];
  if (rect.width < 150) return [{ ...rect, width: 0 }, rect];
  return columnsOf(rect, [{ share: 11 }, { share: 9 }]) as [Rect, Rect];
}

function unless(_state: State, name: CommandName, local: QueueLocal): string | null {
  switch (name) {
    case 'retry':
    case 'discard':
      return whyNotChange(name, local);
    case 'open':
      if (local.open !== null) return 'it is open';
      if (local.isGrouped) return selectedGroup(local) === undefined ? 'there is no group' : null;
      return selectedItem(local.list) === undefined ? 'there is nothing to open' : null;
    case 'select':
    case 'select-all':
      if (local.open !== null) return OPEN;
      return local.isGrouped ? 'a group is retried and discarded as a whole; Enter lists its emails' : null;
    case 'sort':
      if (local.open !== null) return OPEN;
      return local.isGrouped ? 'groups are sorted by their size' : null;
    default:
      return null;
  }
}

const OPEN = 'an email is open; Esc goes back to the list';

function obey(state: State, name: CommandName, local: QueueLocal): Step {
  const steps = stepsFor(name, state, local);
  if (steps !== null) return moved(state, local, steps);
  switch (name) {
    case 'left':
    case 'right':
      return filtered(local, withStatus(local.filterText, nextTab(local, name === 'left' ? -1 : 1)));
    case 'open':
      return local.isGrouped ? listGroup(local) : open(local);
    case 'back':
      return back(local);
    case 'filter':
      return {
        local: { ...local, isGrouped: false, open: null },
        // What is typed next is a term of its own.
        state: {
          dialog: {
            kind: 'prompt',
            view: ID,
            id: 'filter',
            text: local.filterText === '' ? '' : `${local.filterText.trimEnd()} `,
            before: local.filterText,
          },
        },
      };
    case 'select':
      return select(local);
    case 'select-all':
      return { local: { ...local, list: hold(local.list), marked: allMarked(local) } };
    case 'sort': {
      const sort = QUEUE_SORTS[(QUEUE_SORTS.indexOf(local.sort) + 1) % QUEUE_SORTS.length] ?? local.sort;
      return begin({ ...local, sort });
    }
    case 'group':
      return group({ ...local, isGrouped: !local.isGrouped, open: null, group: null });
    case 'retry':
    case 'discard': {
      const form = changeForm(name, state, local);
      return form === null ? {} : { state: { dialog: form } };
    }
    default:
      return {};
  }
}

/** How far a movement goes, in rows; null for what is none. */
function stepsFor(name: CommandName, state: State, local: QueueLocal): number | null {
  const page = rowsSeen(divided(bodyOf(state.size), local)[0]) - 1;
  const steps: Partial<Record<CommandName, number>> = {
    up: -1,
    down: 1,
    'page-up': -page,
    'page-down': page,
    first: Number.NEGATIVE_INFINITY,
    last: Number.POSITIVE_INFINITY,
  };
  return steps[name] ?? null;
}

function moved(state: State, local: QueueLocal, by: number): Step {
  const [main, side] = divided(bodyOf(state.size), local);
  if (local.open !== null && side !== null) {
    const end = scrollEnd(local.open, side, state.isMasked, shownNow(state));
    const page = main.width === 0 ? by : Math.sign(by) * Math.min(Math.abs(by), side.height - 3);
    const scroll = Math.max(0, Math.min(end, local.open.scroll + (Number.isFinite(by) ? page : by)));
    return { local: { ...local, open: { ...local.open, scroll } } };
  }
  if (local.isGrouped) {
    const count = local.groups.groups?.groups.length ?? 0;
    const selected = Math.max(0, movedIndex(local.groups.selected, count, by));
    return { local: { ...local, groups: { ...local.groups, selected } } };
  }
  const query = queryOf(local);
  if (by === Number.NEGATIVE_INFINITY) return withList(local, toStart(local.list, query));
  return withList(local, by === Number.POSITIVE_INFINITY ? toEnd(local.list, query) : move(local.list, query, by));
}

/** A row of the list or of the groups. */
function clicked(state: State, local: QueueLocal, { x, y }: { readonly x: number; readonly y: number }): Step {
  const [main] = divided(bodyOf(state.size), local);
  const { list, groups } = local;
  const [count, selected] = local.isGrouped
    ? [groups.groups?.groups.length ?? 0, groups.selected]
    : [list.items.length, list.selected];
  const index = x < main.width && selected >= 0 ? rowOfScreen(main, y, { count, selected }) : null;
  if (index === null) return {};
  if (local.isGrouped) return { local: { ...local, groups: { ...groups, selected: index } } };
  return withList(local, move(list, queryOf(local), index - list.selected));
}

function nextTab({ terms }: QueueLocal, by: number): string | null {
  const at = TABS.indexOf(terms.status ?? null);
  return TABS[(at + by + TABS.length) % TABS.length] ?? null;
}

/** Another filter: what is here and may match is seen at once, until the answer is there. */
function filtered(local: QueueLocal, text: string): Step {
  const { terms, problem } = parseQueueFilter(text);
  const typed = { ...local, filterText: text, problem };
  if (JSON.stringify(terms) === JSON.stringify(local.terms)) return { local: typed };
  return begin({ ...typed, terms, isGrouped: false, group: null, open: null });
}

/** The list from its start, with nothing selected any more: what is out of sight must not be acted on. */
function begin(local: QueueLocal): Step {
  const { list, terms, group } = local;
  const items = group === null ? list.items.filter((item) => mayMatch(item, terms)) : [];
  const { asked } = list;
  const fresh = { ...EMPTY_LIST, items, asked, selected: UNSETTLED, loadedAtEpochMs: list.loadedAtEpochMs };
  return withList({ ...local, marked: new Map() }, ask(fresh, queryOf(local), { kind: 'first' }));
}

function withList(local: QueueLocal, { list, request }: ListStep): Step {
  return { local: { ...local, list }, ...(request === null ? {} : { effects: [load(request)] }) };
}

function load(request: LoadRequest): Effect {
  return { kind: 'load', view: ID, request };
}

function select(local: QueueLocal): Step {
  const item = selectedItem(local.list);
  if (item === undefined) return {};
  const marked = new Map(local.marked);
  if (!marked.delete(item.id)) marked.set(item.id, item);
  return withList({ ...local, marked }, move(local.list, queryOf(local), 1));
}

function allMarked({ list, marked }: QueueLocal): QueueLocal['marked'] {
  const isAll = list.items.every(({ id }) => marked.has(id));
  return new Map(isAll ? [] : [...marked, ...list.items.map((item) => [item.id, item] as const)]);
}

function open(local: QueueLocal): Step {
  const item = selectedItem(local.list);
  if (item === undefined) return {};
  const id = item.kind === 'dead' ? item.originalQueueId : item.id;
  const opened = { item, details: id === null ? null : undefined, fault: null, loadedAtEpochMs: null, scroll: 0 };
  return {
    local: { ...local, list: hold(local.list), open: opened },
    effects: id === null ? [] : [load({ kind: 'email', id })],
  };
}

function listGroup(local: QueueLocal): Step {
  const chosen = selectedGroup(local);
  return chosen === undefined ? {} : begin({ ...local, isGrouped: false, group: chosen });
}

/** From the inside out: details, selection, group, filter. */
function back(local: QueueLocal): Step {
  if (local.open !== null) return { local: { ...local, open: null } };
  if (local.isGrouped) return { local: { ...local, isGrouped: false } };
  if (local.marked.size > 0) return { local: { ...local, marked: new Map() } };
  if (local.group !== null) return group({ ...local, group: null, isGrouped: true }, true);
  return local.filterText === '' ? {} : filtered(local, '');
}

/** Groups of the state that is listed. Leaving them lists again what was filtered for. */
function group(local: QueueLocal, isBack = false): Step {
  if (!local.isGrouped) return begin(local);
  const step = askGroups({ ...local, marked: new Map() });
  return isBack ? begunBehind(step, local) : step;
}

/** The list behind the groups goes back to the whole filter meanwhile. */
function begunBehind(step: Step, local: QueueLocal): Step {
  const behind = begin(step.local ?? local);
  return { ...behind, effects: [...(step.effects ?? []), ...(behind.effects ?? [])] };
}

function askGroups(local: QueueLocal): Step {
  const { status } = local.terms;
  const request: LoadRequest = { kind: 'queue-groups', status: status ?? null };
  return { local: { ...local, groups: { ...local.groups, asked: request } }, effects: [load(request)] };
}

function refresh(state: State, local: QueueLocal): Step {
  if (state.connection.kind !== 'open') return {};
  const { nowEpochMs } = state;
  const isDue = (at: number | null) => at === null || nowEpochMs - at >= SELDOM_MS;
  if (local.isGrouped)
    return local.groups.asked === null && isDue(local.groups.loadedAtEpochMs) ? askGroups(local) : {};
  const step = withList(local, askAgain(local.list, queryOf(local)));
  const again = local.open !== null && local.open.loadedAtEpochMs !== null && isDue(local.open.loadedAtEpochMs);
  return again ? { ...step, effects: [...(step.effects ?? []), ...rereadOpen(local)] } : step;
}

function rereadOpen({ open }: QueueLocal): readonly Effect[] {
  const id = open === null ? null : open.item.kind === 'dead' ? open.item.originalQueueId : open.item.id;
  return id === null ? [] : [load({ kind: 'email', id })];
}

/** What was acted on is not selected any more, and the numbers are old. */
function acted(local: QueueLocal, request: ActionRequest): Step {
  if (request.kind !== 'retry' && request.kind !== 'discard' && request.kind !== 'redrive') return {};
  const ids = idsOf(request);
  const marked = new Map([...local.marked].filter(([id]) => !ids.has(id)));
  const fresh = { ...local, marked, groups: { ...local.groups, loadedAtEpochMs: null } };
  return { local: fresh, effects: rereadOpen(fresh) };
}

function idsOf(request: Extract<ActionRequest, { kind: 'retry' | 'discard' | 'redrive' }>): ReadonlySet<string> {
  if (request.kind === 'redrive') return new Set(request.deadLetterIds);
  return new Set(request.target.by === 'error' ? [] : request.target.ids);
}

function arrived(state: State, local: QueueLocal, event: Extract<ViewEvent, { type: 'loaded' }>): Step {
  const { nowEpochMs } = state;
  const load: LoadEvent = event;
  switch (load.kind) {
    case 'queue-page': {
      const { request, result } = load;
      const answer = { request, page: result.ok ? result.value : null, fault: result.ok ? null : result.fault };
      return withList(local, answered(local.list, queryOf(local), answer, nowEpochMs));
    }
    case 'queue-groups': {
      const { request, result } = load;
      if (request !== local.groups.asked) return {};
      const free = { ...local.groups, asked: null };
      if (!result.ok) return { local: { ...local, groups: { ...free, fault: result.fault } } };
      const selected = Math.max(0, keptGroup(local, result.value.groups));
      const groups = { groups: result.value, selected, fault: null, loadedAtEpochMs: nowEpochMs, asked: null };
      return { local: { ...local, groups } };
    }
    case 'email': {
      const { request, result } = load;
      const id =
        local.open === null
          ? null
          : local.open.item.kind === 'dead'
            ? local.open.item.originalQueueId
            : local.open.item.id;
      if (local.open === null || id !== request.id) return {};
      if (!result.ok) return { local: { ...local, open: { ...local.open, fault: result.fault } } };
      return {
        local: { ...local, open: { ...local.open, details: result.value, fault: null, loadedAtEpochMs: nowEpochMs } },
      };
    }
    default:
      return {};
  }
}

/** Groups change places while they are looked at: the selection stays on its own. */
function keptGroup(
  local: QueueLocal,
  groups: readonly { readonly status: string; readonly errorKind: string }[],
): number {
  const before = selectedGroup(local);
  const same = groups.findIndex((each) => each.status === before?.status && each.errorKind === before?.errorKind);
  return same >= 0 ? same : Math.min(local.groups.selected, groups.length - 1);
}
