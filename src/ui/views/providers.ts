/** The fourth view: how each provider stands and why, what is left of its quota, and how it did over time. */
import { failedAfter, type Loaded, loaded } from '../../domain/loaded.ts';
import type { ProviderDetails } from '../../domain/provider-details.ts';
import { bucketMsFor, type ProviderHistory } from '../../domain/provider-history.ts';
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { RANGES, rangeOf } from '../chart.ts';
import { bodyOf, columnsOf, inside, type Rect, rowsOf } from '../layout.ts';
import type { LoadRequest, LoadResult } from '../loaders.ts';
import type { Panel } from '../panel.ts';
import type { CommandName, Effect, State } from '../state.ts';
import { defineView, type ViewEvent, type ViewStep } from '../view.ts';
import { providerChart } from './parts/provider-chart.ts';
import { lastDetailScroll, type ProviderDetail, providerDetail } from './parts/provider-detail.ts';
import { type ProviderRow, providerRows } from './parts/provider-rows.ts';
import { providerTable } from './parts/provider-table.ts';
import { FIRST, indexIn, movedIn, type Selection } from './parts/selection.ts';

interface Local {
  readonly selection: Selection;
  readonly isOpen: boolean;
  /** First line of the details that is seen. */
  readonly scroll: number;
  readonly history: Asked<ProviderHistory, number> | null;
  readonly details: Asked<ProviderDetails, string> | null;
}

/** What was asked for, when, and what came. */
interface Asked<T, Question> {
  readonly question: Question;
  readonly atEpochMs: number;
  /** Null: on its way. */
  readonly answer: Loaded<T> | null;
}

export const providers = defineView<Local>({
  id: 'providers',
  title: 'Providers',
  summary: 'how each provider stands, and its quota',
  initial: { selection: FIRST, isOpen: false, scroll: 0, history: null, details: null },
  handles: ['up', 'down', 'first', 'last', 'page-up', 'page-down', 'open', 'back', 'shorter', 'longer', 'range'],
  panels,
  reduce,
});

const DETAIL_WIDTH = 54;

function panels(state: State, rect: Rect, local: Local): readonly Panel[] {
  const rows = providerRows(state);
  const at = indexIn(
    rows.map(({ provider }) => provider),
    local.selection,
  );
  const row = rows[at];
  const history = historyPart(state, local);
  if (local.isOpen && row !== undefined) return openPanels(state, rect, row, local);
  const tableHeight = 3 + rows.length * (rect.height >= 18 ? 2 : 1);
  const [above, below] = rowsOf(rect, [Math.min(tableHeight, rect.height), { share: 1 }]) as [Rect, Rect];
  const table = providerTable(state, { rect: above, rows, selected: at, history });
  if (row === undefined || below.height < 5) return [table];
  return [table, ...selectedPanels(state, below, rows, row, history)];
}

/** The selected one below the table; with much room every one of them. */
function selectedPanels(
  state: State,
  rect: Rect,
  rows: readonly ProviderRow[],
  row: ProviderRow,
  history: Loaded<ProviderHistory> | null,
): readonly Panel[] {
  const chart = (at: Rect, what: 'deliveries' | 'latency', provider = row.provider) =>
    providerChart(state, { rect: at, provider, what, history });
  if (rect.width < 100) return [chart(rect, 'deliveries')];
  const [left, right] = columnsOf(rect, [{ share: 1 }, DETAIL_WIDTH]) as [Rect, Rect];
  const detail = providerDetail(state, { rect: right, row, details: null, scroll: 0 });
  if (rect.height >= 36 && rect.width >= 160) {
    const bands = rowsOf(left, [{ share: 1 }, { share: 1 }, { share: 1 }]);
    const cells = bands.slice(0, 2).flatMap((band) => columnsOf(band, [{ share: 1 }, { share: 1 }]));
    const charts = rows.slice(0, 4).map(({ provider }, index) => chart(cells[index] as Rect, 'deliveries', provider));
    return [...charts, chart(bands[2] as Rect, 'latency'), detail];
  }
  if (rect.height < 14) return [chart(left, 'deliveries'), detail];
  const [upper, lower] = rowsOf(left, [{ share: 1 }, { share: 1 }]) as [Rect, Rect];
  return [chart(upper, 'deliveries'), chart(lower, 'latency'), detail];
}

function openPanels(state: State, rect: Rect, row: ProviderRow, local: Local): readonly Panel[] {
  const detail = openDetail(rect, row, local);
  const history = historyPart(state, local);
  if (rect.width < 100) return [providerDetail(state, detail)];
  const [, right] = divided(rect);
  const [upper, lower] = rowsOf(right, [{ share: 1 }, { share: 1 }]) as [Rect, Rect];
  const chart = (at: Rect, what: 'deliveries' | 'latency') =>
    providerChart(state, { rect: at, provider: row.provider, what, history });
  return [providerDetail(state, detail), chart(upper, 'deliveries'), chart(lower, 'latency')];
}

function divided(rect: Rect): [Rect, Rect] {
  return columnsOf(rect, [{ share: 1 }, { share: 1 }]) as [Rect, Rect];
}

function openDetail(rect: Rect, row: ProviderRow, local: Local): ProviderDetail {
  const { details } = local;
  const answer = details?.question === row.provider ? details.answer : null;
  const at = rect.width < 100 ? rect : divided(rect)[0];
  return { rect: at, row, details: answer ?? 'loading', scroll: local.scroll };
}

/** What belongs to the chosen range; what was read for another one would be drawn wrongly. */
function historyPart(state: State, { history }: Local): Loaded<ProviderHistory> | null {
  return history?.question === rangeOf(state.chart).ms ? history.answer : null;
}

function reduce(state: State, event: ViewEvent, local: Local): ViewStep<Local> {
  switch (event.type) {
    case 'opened':
    case 'refreshed':
      return asking(state, local);
    case 'command':
      return obey(state, event, local);
    case 'loaded':
      return { local: answered(state, event, local) };
    default:
      return {};
  }
}

function obey(
  state: State,
  { name, argument }: { readonly name: CommandName; readonly argument?: string },
  local: Local,
): ViewStep<Local> {
  switch (name) {
    case 'open':
      return asking(state, { ...local, isOpen: !local.isOpen, scroll: 0 });
    case 'back':
      return { local: { ...local, isOpen: false, scroll: 0 } };
    case 'shorter':
      return ranged(state, local, state.chart.range - 1);
    case 'longer':
      return ranged(state, local, state.chart.range + 1);
    case 'range':
      return ranged(
        state,
        local,
        RANGES.findIndex(({ id }) => id === argument),
      );
    case 'page-up':
    case 'page-down':
      return local.isOpen ? { local: scrolled(state, local, name === 'page-up' ? -1 : 1) } : moved(state, local, name);
    default:
      return moved(state, local, name);
  }
}

function moved(state: State, local: Local, name: CommandName): ViewStep<Local> {
  const ids = providerRows(state).map(({ provider }) => provider);
  const selection = movedIn(ids, local.selection, { name, page: ids.length });
  return selection === null ? {} : asking(state, { ...local, selection, scroll: 0 });
}

function scrolled(state: State, local: Local, pages: -1 | 1): Local {
  const row = selectedRow(state, local);
  if (row === undefined) return local;
  const detail = openDetail(bodyOf(state.size), row, local);
  const page = Math.max(1, inside(detail.rect).height - 2);
  return { ...local, scroll: Math.max(0, Math.min(lastDetailScroll(state, detail), local.scroll + pages * page)) };
}

/** The range is that of the Overview's chart as well. */
function ranged(state: State, local: Local, index: number): ViewStep<Local> {
  const range = Math.max(0, Math.min(RANGES.length - 1, index));
  const chart = { ...state.chart, range, cursorAtEpochMs: null };
  return { ...asking({ ...state, chart }, local), state: { chart } };
}

function selectedRow(state: State, { selection }: Local): ProviderRow | undefined {
  const rows = providerRows(state);
  return rows[
    indexIn(
      rows.map(({ provider }) => provider),
      selection,
    )
  ];
}

const AGAIN_AFTER_FAULT_MS = 10 * SECOND_MS;
const DETAILS_GOOD_FOR_MS = MINUTE_MS;

/** Asks for what is missing, old, or belongs to another question. While the picture is frozen only for what is missing. */
function asking(state: State, local: Local): ViewStep<Local> {
  const rangeMs = rangeOf(state.chart).ms;
  const provider = local.isOpen ? selectedRow(state, local)?.provider : undefined;
  const history = due(state, local.history, rangeMs, Math.max(MINUTE_MS, bucketMsFor(rangeMs) / 3));
  const details = provider === undefined ? null : due(state, local.details, provider, DETAILS_GOOD_FOR_MS);
  const effects: Effect[] = [
    ...(history === null ? [] : [loadOf({ kind: 'provider-history', rangeMs })]),
    ...(details === null || provider === undefined ? [] : [loadOf({ kind: 'provider-details', provider })]),
  ];
  return {
    local: { ...local, history: history ?? local.history, details: details ?? local.details },
    effects,
  };
}

function loadOf(request: LoadRequest): Effect {
  return { kind: 'load', view: 'providers', request };
}

/** The question as asked now, or null where what is known is good enough or on its way. */
function due<T, Question>(
  { nowEpochMs, frozen, connection }: State,
  asked: Asked<T, Question> | null,
  question: Question,
  goodForMs: number,
): Asked<T, Question> | null {
  if (connection.kind !== 'open') return null;
  const isSame = asked?.question === question;
  if (asked !== null && isSame) {
    const { answer, atEpochMs } = asked;
    // Without an answer it is on its way: it comes, or a fault does.
    if (answer === null || (answer.state === 'ok' && frozen !== null)) return null;
    const patienceMs = answer.state === 'ok' ? goodForMs : AGAIN_AFTER_FAULT_MS;
    if (nowEpochMs - atEpochMs < patienceMs) return null;
  }
  return { question, atEpochMs: nowEpochMs, answer: isSame ? (asked?.answer ?? null) : null };
}

/** An answer to a question that is not asked any more is dropped. */
function answered(state: State, event: Extract<ViewEvent, { type: 'loaded' }>, local: Local): Local {
  if (event.kind === 'provider-history' && local.history?.question === event.request.rangeMs) {
    const answer = answerOf(state, local.history.answer, event.result);
    return { ...local, history: { ...local.history, answer } };
  }
  if (event.kind === 'provider-details' && local.details?.question === event.request.provider) {
    const answer = answerOf(state, local.details.answer, event.result);
    return { ...local, details: { ...local.details, answer } };
  }
  return local;
}

function answerOf<T>(state: State, previous: Loaded<T> | null, result: LoadResult<T>): Loaded<T> {
  if (result.ok) return loaded(result.value, state.nowEpochMs);
  return failedAfter(previous ?? undefined, result.fault);
}
