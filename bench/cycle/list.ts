/** The Queue view over a queue of so many rows, of which it is given pages as the database would: each step alone. */
import { parseEach } from '../../src/data/parse.ts';
import { ListedEmailRow } from '../../src/data/queue-row.ts';
import { loaded } from '../../src/domain/loaded.ts';
import type { PagePlace } from '../../src/domain/queue-page.ts';
import { frameOf } from '../../src/ui/frame.ts';
import type { LoadRequest } from '../../src/ui/loaders.ts';
import type { Frame } from '../../src/ui/panel.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { createScreen } from '../../src/ui/screen.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import { calmSnapshot, connected, DARK, keys } from '../../tests/support/dashboard.ts';
import { idOf } from '../../tests/support/queue-items.ts';
import { NOON } from '../../tests/support/snapshot.ts';
import { SIZE } from './series.ts';

export interface ListCycle {
  /** A page as the database sends it. */
  parse(): void;
  /** A key, and, where it made the view ask for more, the answer. */
  reduce(): void;
  view(): void;
  draw(): void;
  /** Rows that the view holds. */
  rowsHeld(): number;
  destroy(): void;
}

/** Enough pages down that the view holds as much as it ever does. */
export const PAGES_DOWN = 40;

export function createListCycle(rows: number): ListCycle {
  let state = connected(snapshotOf(rows), { size: SIZE, look: DARK });
  let frame: Frame = [];
  const screen = createScreen({ size: SIZE, write: () => undefined, isSynchronised: true });
  const press = (...names: readonly string[]) => {
    for (const event of keys(...names)) state = answered(state, event, rows);
  };
  press('2', ...Array.from({ length: PAGES_DOWN }, () => 'page-down'));
  const page = pageOf({ kind: 'first' }, PAGE, rows).rows;
  let isDown = false;
  return {
    parse: () => {
      parseEach(ListedEmailRow, page);
    },
    reduce: () => {
      isDown = !isDown;
      press(isDown ? 'page-down' : 'page-up');
    },
    view: () => {
      frame = frameOf(state);
    },
    draw: () => screen.show(frame, state.look),
    rowsHeld: () => (state.local.queue as { list: { items: readonly unknown[] } }).list.items.length,
    destroy: () => screen.destroy(),
  };
}

/** Rows of one page of the view. */
const PAGE = 100;

function snapshotOf(rows: number) {
  const calm = calmSnapshot();
  if (calm.queue.state === 'failed') return calm;
  const { value } = calm.queue;
  return { ...calm, queue: loaded({ ...value, counts: { ...value.counts, queued: rows }, ready: rows }, NOON) };
}

/** One event, and the pages that are asked for upon it. */
function answered(state: State, event: UiEvent, rows: number): State {
  const [next, effects] = reduce(state, event);
  return effects.reduce((known, effect) => {
    if (effect.kind !== 'load' || effect.request.kind !== 'queue-page') return known;
    return answered(known, answerTo(effect.request, rows), rows);
  }, next);
}

function answerTo(request: Extract<LoadRequest, { kind: 'queue-page' }>, rows: number): UiEvent {
  const { rows: found, hasMore } = pageOf(request.place, request.limit, rows);
  const { values: items, skipped } = parseEach(ListedEmailRow, found);
  const value = { items, skipped, hasMore, isForwardOnly: false };
  return { type: 'loaded', view: 'queue', kind: 'queue-page', request, result: { ok: true, value } };
}

/** What `find_emails` answers; the key of a row is its number. */
function pageOf(place: PagePlace, limit: number, rows: number): { rows: object[]; hasMore: boolean } {
  const numbered = (from: number, end: number) =>
    Array.from({ length: Math.max(0, Math.min(rows, end) - from) }, (_, index) => rowOf(from + index));
  switch (place.kind) {
    case 'first':
      return { rows: numbered(0, limit), hasMore: limit < rows };
    case 'last':
      return { rows: numbered(Math.max(0, rows - limit), rows), hasMore: limit < rows };
    case 'from':
      return {
        rows: numbered(Number(place.key), Number(place.key) + limit),
        hasMore: Number(place.key) + limit < rows,
      };
    case 'after': {
      const from = Number(place.key) + 1;
      return { rows: numbered(from, from + limit), hasMore: from + limit < rows };
    }
    case 'before': {
      const end = Number(place.key);
      return { rows: numbered(Math.max(0, end - limit), end), hasMore: end - limit > 0 };
    }
    default:
      return place satisfies never;
  }
}

function rowOf(number: number): object {
  const at = new Date(NOON - 86_400_000 + number * 50).toISOString();
  return {
    id: idOf(number),
    key: String(number),
    recipient_id: null,
    recipient_email: `reader${number}@example.org`,
    email_type: 'newsletter',
    template_name: null,
    attempts: number % 3,
    max_attempts: 3,
    status: 'queued',
    last_error: number % 3 === 0 ? null : '452 4.2.2 mailbox is full',
    next_retry_at: null,
    created_at: at,
    updated_at: at,
    locked_by: null,
    locked_until: null,
    subject: 'FoodShare weekly: 312 meals saved',
    discarded: false,
  };
}
