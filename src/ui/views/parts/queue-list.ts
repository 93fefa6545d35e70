/**
 * The loaded part of a list that may be 100,000 rows long: a few hundred rows around the selection, paged from the server in
 * both directions. One request is under way at a time; what is wanted meanwhile is asked for when it has come back. Pure.
 */
import type { Fault } from '../../../domain/loaded.ts';
import type { PagePlace, QueueItem, QueuePage, QueueQuery } from '../../../domain/queue-page.ts';
import type { LoadRequest } from '../../loaders.ts';

export interface QueueList {
  readonly items: readonly QueueItem[];
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
  /** Place of the first item in the whole list, from 0; null after a jump to the end, from where nobody counts. */
  readonly firstNumber: number | null;
  readonly selected: number;
  /** Nobody has moved or selected anything since the list began: its start is what is looked at, whatever comes. */
  readonly isAtTop: boolean;
  /** Null before the first answer. */
  readonly loadedAtEpochMs: number | null;
  readonly fault: Fault | null;
  readonly skipped: number;
  readonly isForwardOnly: boolean;
  readonly asked: PageRequest | null;
  /** Asked for as soon as `asked` is answered. */
  readonly wanted: PagePlace | null;
}

/** Nothing is selected until the rows that were asked for are here. */
export const UNSETTLED = -1;

export type PageRequest = Extract<LoadRequest, { kind: 'queue-page' }>;

/** A list, and what is to be loaded for it. */
export interface ListStep {
  readonly list: QueueList;
  readonly request: PageRequest | null;
}

export const EMPTY_LIST: QueueList = {
  items: [],
  hasBefore: false,
  hasAfter: false,
  firstNumber: 0,
  selected: 0,
  isAtTop: true,
  loadedAtEpochMs: null,
  fault: null,
  skipped: 0,
  isForwardOnly: false,
  asked: null,
  wanted: null,
};

const PAGE = 100;
/** Rows that are kept; what lies farther away is loaded again when it comes near. */
const KEPT = 300;
/** So near to an end of what is loaded, more is loaded. */
const NEAR = 40;

export function selectedItem({ items, selected }: QueueList): QueueItem | undefined {
  return items[selected];
}

/** Asks for a page, now or as soon as what is under way has come back. */
export function ask(list: QueueList, query: QueueQuery, place: PagePlace): ListStep {
  if (list.asked !== null) return { list: { ...list, wanted: place }, request: null };
  const request: PageRequest = { kind: 'queue-page', query, place, limit: place.kind === 'from' ? KEPT / 2 : PAGE };
  return { list: { ...list, asked: request, wanted: null }, request };
}

/** The same part of the list as it is now. */
export function askAgain(list: QueueList, query: QueueQuery): ListStep {
  if (list.asked !== null) return { list, request: null };
  const anchor = list.items[list.selected - NEAR];
  const isAtStart = !list.hasBefore && list.selected < NEAR;
  if (isAtStart || list.items.length === 0) return ask(list, query, { kind: 'first' });
  // A list that can't be walked upwards can't be begun in its middle either: it stays as it was loaded.
  if (list.isForwardOnly) return { list, request: null };
  return ask(list, query, { kind: 'from', key: (anchor ?? list.items[0])?.key ?? '' });
}

/** The row that is selected is meant from now on, wherever it goes. */
export function hold(list: QueueList): QueueList {
  return { ...list, isAtTop: false };
}

/** Moves the selection by rows, and loads what it comes near to. */
export function move(list: QueueList, query: QueueQuery, by: number): ListStep {
  if (list.selected === UNSETTLED) return { list, request: null };
  const selected = Math.max(0, Math.min(list.items.length - 1, list.selected + by));
  return loadAhead({ ...hold(list), selected }, query);
}

/** Whoever goes there wants to see what comes. */
export function toStart(list: QueueList, query: QueueQuery): ListStep {
  if (!list.hasBefore) return { list: { ...list, selected: 0, isAtTop: true }, request: null };
  return ask({ ...list, selected: UNSETTLED, isAtTop: true }, query, { kind: 'first' });
}

export function toEnd(list: QueueList, query: QueueQuery): ListStep {
  const moved = { ...hold(list), selected: Math.max(0, list.items.length - 1) };
  if (!list.hasAfter) return { list: moved, request: null };
  return list.isForwardOnly ? loadAhead(moved, query) : ask(moved, query, { kind: 'last' });
}

/** An answer. What was asked with another query than now is put aside. */
export function answered(
  list: QueueList,
  query: QueueQuery,
  answer: { readonly request: PageRequest; readonly page: QueuePage | null; readonly fault: Fault | null },
  nowEpochMs: number,
): ListStep {
  if (list.asked !== answer.request) return { list, request: null };
  const { place } = answer.request;
  const free: QueueList = { ...list, asked: null, wanted: null };
  const isOld = JSON.stringify(answer.request.query) !== JSON.stringify(query);
  if (isOld) return ask(free, query, list.wanted ?? { kind: 'first' });
  const next =
    answer.page === null
      ? { ...free, fault: answer.fault, selected: Math.max(0, list.selected) }
      : merged({ ...free, fault: null, loadedAtEpochMs: nowEpochMs }, place, answer.page);
  if (list.wanted !== null) return ask(next, query, list.wanted);
  // What the list began with is gone: begin anew.
  if (answer.page !== null && next.items.length === 0 && place.kind === 'from')
    return ask({ ...next, hasBefore: false }, query, { kind: 'first' });
  return answer.page === null ? { list: next, request: null } : loadAhead(next, query);
}

function loadAhead(list: QueueList, query: QueueQuery): ListStep {
  if (list.asked !== null || list.fault !== null) return { list, request: null };
  const { items, selected } = list;
  const first = items[0];
  const last = items.at(-1);
  if (list.hasAfter && last !== undefined && selected >= items.length - NEAR)
    return ask(list, query, { kind: 'after', key: last.key });
  if (list.hasBefore && first !== undefined && selected < NEAR && !list.isForwardOnly)
    return ask(list, query, { kind: 'before', key: first.key });
  return { list, request: null };
}

function merged(list: QueueList, place: PagePlace, page: QueuePage): QueueList {
  const more = { ...list, skipped: page.skipped, isForwardOnly: page.isForwardOnly };
  const { items } = page;
  switch (place.kind) {
    case 'first':
      return keepSelection(more, { items, hasBefore: false, hasAfter: page.hasMore, firstNumber: 0 });
    case 'last': {
      const firstNumber = page.hasMore ? null : 0;
      return { ...more, items, hasBefore: page.hasMore, hasAfter: false, firstNumber, selected: items.length - 1 };
    }
    case 'from': {
      const gone = Math.max(
        0,
        list.items.findIndex(({ key }) => key === place.key),
      );
      const firstNumber = plus(list.firstNumber, gone);
      const hasBefore = list.hasBefore || gone > 0;
      return keepSelection(more, { items, hasBefore, hasAfter: page.hasMore, firstNumber });
    }
    case 'after': {
      const all = [...list.items, ...items];
      // Forward only, nothing that was let go could be had again.
      const gone = page.isForwardOnly ? 0 : Math.max(0, all.length - KEPT);
      return {
        ...more,
        items: all.slice(gone),
        hasBefore: list.hasBefore || gone > 0,
        hasAfter: page.hasMore,
        firstNumber: plus(list.firstNumber, gone),
        selected: Math.max(0, list.selected - gone),
      };
    }
    case 'before': {
      const all = [...items, ...list.items].slice(0, KEPT);
      return {
        ...more,
        items: all,
        hasBefore: page.hasMore,
        hasAfter: list.hasAfter || items.length + list.items.length > KEPT,
        firstNumber: page.hasMore ? plus(list.firstNumber, -items.length) : 0,
        selected: Math.min(list.selected + items.length, all.length - 1),
      };
    }
    default:
      return place satisfies never;
  }
}

/** By its id; where the row is gone, what has taken its place. At the top until somebody has moved. */
function keepSelection(
  list: QueueList,
  part: Pick<QueueList, 'items' | 'hasBefore' | 'hasAfter' | 'firstNumber'>,
): QueueList {
  const id = list.items[list.selected]?.id;
  const found = part.items.findIndex((item) => item.id === id);
  const shift = (list.firstNumber ?? 0) - (part.firstNumber ?? 0);
  const instead = Math.max(0, Math.min(part.items.length - 1, list.selected + shift));
  const selected = list.isAtTop || list.selected === UNSETTLED ? 0 : found >= 0 ? found : instead;
  return { ...list, ...part, selected };
}

function plus(number: number | null, by: number): number | null {
  return number === null ? null : Math.max(0, number + by);
}
