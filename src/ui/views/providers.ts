/** The fourth view: how each provider stands and why, what is left of its quota, and how it did over time. */
import { isProvider } from '../../domain/email.ts';
import type { Loaded } from '../../domain/loaded.ts';
import type { ProviderHistory } from '../../domain/provider-history.ts';
import { act } from '../act.ts';
import type { ActionKind } from '../actions.ts';
import { RANGES } from '../chart.ts';
import type { Form } from '../dialog.ts';
import { bodyOf, columnsOf, inside, type Rect, rowsOf } from '../layout.ts';
import type { Panel } from '../panel.ts';
import type { CommandName, State } from '../state.ts';
import { defineView, type ViewEvent, type ViewStep } from '../view.ts';
import { providerChart } from './parts/provider-chart.ts';
import { lastDetailScroll, type ProviderDetail, providerDetail } from './parts/provider-detail.ts';
import { DISABLE_FORM, disableForm, disableRequest, resetForm } from './parts/provider-forms.ts';
import {
  answered,
  asking,
  historyPart,
  INITIAL,
  outdated,
  type ProvidersLocal,
  rowsOfView,
  selectedRow,
} from './parts/provider-local.ts';
import type { ProviderRow } from './parts/provider-rows.ts';
import { providerTable } from './parts/provider-table.ts';
import { indexIn, movedIn } from './parts/selection.ts';

export const providers = defineView<ProvidersLocal>({
  id: 'providers',
  title: 'Providers',
  summary: 'how each provider stands, and its quota',
  initial: INITIAL,
  handles: [
    'up',
    'down',
    'first',
    'last',
    'page-up',
    'page-down',
    'open',
    'back',
    'shorter',
    'longer',
    'range',
    'reset-circuit',
    'disable',
  ],
  panels,
  unless,
  leaves: (_state, { isOpen }) => (isOpen ? 'details' : null),
  reduce,
});

const DETAIL_WIDTH = 54;

function panels(state: State, rect: Rect, local: ProvidersLocal): readonly Panel[] {
  const rows = rowsOfView(state, local);
  const at = indexIn(
    rows.map(({ provider }) => provider),
    local.selection,
  );
  const row = rows[at];
  const history = historyPart(state, local);
  if (local.isOpen && row !== undefined) return openPanels(state, rect, row, local);
  const tableHeight = TABLE_EDGES + rows.length * linesEach(rect);
  const [above, below] = rowsOf(rect, [Math.min(tableHeight, rect.height), { share: 1 }]) as [Rect, Rect];
  const table = providerTable(state, { rect: above, rows, selected: at, history });
  if (row === undefined || below.height < 5) return [table];
  return [table, ...selectedPanels(state, below, rows, row, history)];
}

/** Its border and its heading. */
const TABLE_EDGES = 3;

/** A second line for each where there is room. */
function linesEach({ height }: Rect): 1 | 2 {
  return height >= 18 ? 2 : 1;
}

/** With `--mouse`: a provider is selected. */
function clicked(state: State, y: number, local: ProvidersLocal): ViewStep<ProvidersLocal> {
  const rect = bodyOf(state.size);
  const index = Math.floor((y - rect.y - 2) / linesEach(rect));
  const row = y - rect.y < 2 || local.isOpen ? undefined : rowsOfView(state, local)[index];
  return row === undefined ? {} : asking(state, { ...local, selection: { id: row.provider, index }, scroll: 0 });
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

function openPanels(state: State, rect: Rect, row: ProviderRow, local: ProvidersLocal): readonly Panel[] {
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

function openDetail(rect: Rect, row: ProviderRow, local: ProvidersLocal): ProviderDetail {
  const { details } = local;
  const answer = details?.question === row.provider ? details.answer : null;
  const at = rect.width < 100 ? rect : divided(rect)[0];
  return { rect: at, row, details: answer ?? 'loading', scroll: local.scroll };
}

function unless(state: State, name: CommandName, local: ProvidersLocal): string | null {
  if (name !== 'reset-circuit' && name !== 'disable') return null;
  const row = selectedRow(state, local);
  if (row === undefined) return 'there is no provider';
  if (!isProvider(row.provider)) return `${row.provider} is not one of the four`;
  const { metrics } = row;
  const isWell = metrics?.circuitState === 'closed' && metrics.consecutiveFailures === 0;
  return name === 'reset-circuit' && isWell ? 'its circuit is closed, and its last send worked' : null;
}

function reduce(state: State, event: ViewEvent, local: ProvidersLocal): ViewStep<ProvidersLocal> {
  switch (event.type) {
    case 'opened':
    case 'refreshed':
      return asking(state, local);
    case 'command':
      return obey(state, event, local);
    case 'acted':
      return isAboutProviders(event.request.kind) ? asking(state, { ...local, states: outdated(local.states) }) : {};
    case 'clicked':
      return clicked(state, event.y, local);
    case 'submitted':
      return submitted(state, event, local);
    case 'loaded':
      return { local: answered(state, event, local) };
    default:
      return {};
  }
}

function obey(
  state: State,
  { name, argument }: { readonly name: CommandName; readonly argument?: string },
  local: ProvidersLocal,
): ViewStep<ProvidersLocal> {
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
    case 'reset-circuit':
      return withForm(state, local, resetForm);
    case 'disable':
      return argument === undefined || argument === ''
        ? withForm(state, local, (row) => disableForm(state, row, rowsOfView(state, local)))
        : disableAtOnce(state, local, argument);
    case 'page-up':
    case 'page-down':
      return local.isOpen ? { local: scrolled(state, local, name === 'page-up' ? -1 : 1) } : moved(state, local, name);
    default:
      return moved(state, local, name);
  }
}

function withForm(
  state: State,
  local: ProvidersLocal,
  formOf: (row: ProviderRow) => Form | null,
): ViewStep<ProvidersLocal> {
  const row = selectedRow(state, local);
  const dialog = row === undefined ? null : formOf(row);
  return dialog === null ? {} : { state: { dialog } };
}

/** From the command line: `:disable 2h their status page says so`. */
function disableAtOnce(state: State, local: ProvidersLocal, argument: string): ViewStep<ProvidersLocal> {
  const row = selectedRow(state, local);
  const form = row === undefined ? null : disableForm(state, row, rowsOfView(state, local));
  if (row === undefined || form === null || row.disabled !== null)
    return form === null ? {} : { state: { dialog: form } };
  const [until = '', ...reason] = argument.split(' ');
  return disableAs(state, form, row.provider, { until, reason: reason.join(' ') });
}

function submitted(
  state: State,
  event: Extract<ViewEvent, { type: 'submitted' }>,
  local: ProvidersLocal,
): ViewStep<ProvidersLocal> {
  const [kind, provider = ''] = event.id.split('/');
  const rows = rowsOfView(state, local);
  const row = rows.find((each) => each.provider === provider);
  const form = kind === DISABLE_FORM && row !== undefined ? disableForm(state, row, rows) : null;
  return form === null ? {} : disableAs(state, form, provider, event.values);
}

function disableAs(
  state: State,
  form: Form,
  provider: string,
  values: Readonly<Record<string, string>>,
): ViewStep<ProvidersLocal> {
  const request = disableRequest(form, values, { provider, nowEpochMs: state.nowEpochMs });
  if (request.kind === 'form') return { state: { dialog: request } };
  const [next, effects] = act(state, request);
  return { state: next, effects };
}

function isAboutProviders(kind: ActionKind): boolean {
  return kind === 'reset-circuit' || kind === 'disable-provider' || kind === 'enable-provider';
}

function moved(state: State, local: ProvidersLocal, name: CommandName): ViewStep<ProvidersLocal> {
  const ids = rowsOfView(state, local).map(({ provider }) => provider);
  const selection = movedIn(ids, local.selection, { name, page: ids.length });
  return selection === null ? {} : asking(state, { ...local, selection, scroll: 0 });
}

function scrolled(state: State, local: ProvidersLocal, pages: -1 | 1): ProvidersLocal {
  const row = selectedRow(state, local);
  if (row === undefined) return local;
  const detail = openDetail(bodyOf(state.size), row, local);
  const page = Math.max(1, inside(detail.rect).height - 2);
  return { ...local, scroll: Math.max(0, Math.min(lastDetailScroll(state, detail), local.scroll + pages * page)) };
}

/** The range is that of the Overview's chart as well. */
function ranged(state: State, local: ProvidersLocal, index: number): ViewStep<ProvidersLocal> {
  const range = Math.max(0, Math.min(RANGES.length - 1, index));
  const chart = { ...state.chart, range, cursorAtEpochMs: null };
  return { ...asking({ ...state, chart }, local), state: { chart } };
}
