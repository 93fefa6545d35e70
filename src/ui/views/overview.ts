/** The first view: does email flow, and if not, why. Chart, queue, quota, alerts, runs and schedules on one screen. */
import { lastValue } from '../../domain/loaded.ts';
import { SERIES } from '../../domain/metric-series.ts';
import { movedCursor, RANGES, seriesOf } from '../chart.ts';
import { bodyOf, columnsOf, type Rect, rowsOf } from '../layout.ts';
import type { Panel } from '../panel.ts';
import { type CommandName, type State, shownNow } from '../state.ts';
import { defineView, type ViewStep } from '../view.ts';
import { acknowledgeAllForm } from './parts/acknowledge-form.ts';
import { openAlerts } from './parts/alert-rows.ts';
import { alertsPanel } from './parts/alerts.ts';
import { chartPanel } from './parts/chart.ts';
import { queuePanel } from './parts/queue.ts';
import { quotaPanel } from './parts/quota.ts';
import { runsPanel } from './parts/runs.ts';
import { schedulesPanel } from './parts/schedules.ts';

/** What needs a chart that is seen. */
const CHART_COMMANDS: readonly CommandName[] = [
  'range',
  'shorter',
  'longer',
  'series',
  'next-series',
  'previous-series',
  'cursor-back',
  'cursor-on',
];
const NEEDS_CHART: ReadonlySet<CommandName> = new Set(CHART_COMMANDS);

export const overview = defineView<null>({
  id: 'overview',
  title: 'Overview',
  summary: 'is email flowing, and if not, why',
  initial: null,
  handles: [...CHART_COMMANDS, 'zoom', 'acknowledge', 'back'],
  panels,
  unless,
  leaves: ({ chart }) => (chart.isZoomed || chart.cursorAtEpochMs !== null ? 'narrowing' : null),
  isForemost: ({ chart }, name) => chart.isZoomed && (name === 'zoom' || NEEDS_CHART.has(name)),
  reduce: (state, event) => (event.type === 'command' ? obey(state, event.name, event.argument) : {}),
});

function panels(state: State, rect: Rect): readonly Panel[] {
  const chart = (at: Rect, id = 'chart', ahead = 0) =>
    chartPanel(state, { id, rect: at, series: seriesOf({ ...state.chart, series: state.chart.series + ahead }) });
  if (state.chart.isZoomed) return [chart(rect)];
  if (isNarrow(rect)) return narrow(state, rect, chart);
  if (rect.height < 26 || rect.width < 100) return compact(state, rect, chart);
  if (rect.height >= 44) return tall(state, rect, chart);
  // Where there is little room, the chart needs it more than the lines below the quotas.
  const [upper, middle, lower] = rowsOf(rect, [{ share: 1 }, rect.height < 30 ? 7 : 9, 9]) as [Rect, Rect, Rect];
  const [left, right] = columnsOf(upper, [{ share: 13 }, { share: 7 }]) as [Rect, Rect];
  const [quota, alerts] = columnsOf(middle, [{ share: 1 }, { share: 1 }]) as [Rect, Rect];
  const [runs, schedules] = columnsOf(lower, [{ share: 11 }, { share: 9 }]) as [Rect, Rect];
  return [
    chart(left),
    queuePanel(state, right),
    quotaPanel(state, quota),
    alertsPanel(state, alerts),
    runsPanel(state, runs),
    schedulesPanel(state, schedules),
  ];
}

type ChartAt = (at: Rect, id?: string, ahead?: number) => Panel;

function isNarrow(rect: Rect): boolean {
  return rect.width < 72;
}

/** Rows of the panels that stand whatever the height is: queue and quota, and below them the alerts. */
const NARROW_STATE = 7;
const NARROW_ALERTS = 5;

function narrowChartRows({ height }: Rect): number {
  const spare = height - NARROW_STATE - NARROW_ALERTS;
  return spare < 5 ? 0 : Math.min(14, spare);
}

/** 60×16: the words of queue and alerts need the room; the chart has to be zoomed to where it would have none. */
function narrow(state: State, rect: Rect, chart: ChartAt): readonly Panel[] {
  const [upper, middle, lower] = rowsOf(rect, [narrowChartRows(rect), NARROW_STATE, { share: 1 }]) as [
    Rect,
    Rect,
    Rect,
  ];
  const [queue, quota] = columnsOf(middle, [{ share: 1 }, 27]) as [Rect, Rect];
  return [
    ...(upper.height === 0 ? [] : [chart(upper)]),
    queuePanel(state, queue),
    quotaPanel(state, quota),
    alertsPanel(state, lower),
  ];
}

function unless(state: State, name: CommandName): string | null {
  if (name === 'acknowledge' && openAlerts(state).length === 0) return 'no alert waits to be acknowledged';
  const body = bodyOf(state.size);
  const isChartSeen = state.chart.isZoomed || !isNarrow(body) || narrowChartRows(body) > 0;
  return NEEDS_CHART.has(name) && !isChartSeen ? 'the chart has no room here; z shows it alone' : null;
}

/** 80×24: schedules give way, and what they missed stands with the runs, which give way too where there is less. */
function compact(state: State, rect: Rect, chart: ChartAt): readonly Panel[] {
  const runs = rect.height >= 20 ? 4 : rect.height >= 16 ? 3 : 0;
  const [upper, middle, lower] = rowsOf(rect, [{ share: 1 }, 7, runs]) as [Rect, Rect, Rect];
  const [left, right] = columnsOf(upper, [{ share: 1 }, 34]) as [Rect, Rect];
  const [quota, alerts] = columnsOf(middle, [43, { share: 1 }]) as [Rect, Rect];
  return [
    chart(left),
    queuePanel(state, right),
    quotaPanel(state, quota),
    alertsPanel(state, alerts),
    ...(runs === 0 ? [] : [runsPanel(state, lower)]),
  ];
}

/** 200×60: a second series below the first, and longer lists. */
function tall(state: State, rect: Rect, chart: ChartAt): readonly Panel[] {
  const [upper, lower] = rowsOf(rect, [{ share: 1 }, 13]) as [Rect, Rect];
  const [left, right] = columnsOf(upper, [{ share: 13 }, { share: 7 }]) as [Rect, Rect];
  const [first, second, quota] = rowsOf(left, [{ share: 1 }, { share: 1 }, 7]) as [Rect, Rect, Rect];
  const [queue, alerts] = rowsOf(right, [13, { share: 1 }]) as [Rect, Rect];
  const [runs, schedules] = columnsOf(lower, [{ share: 13 }, { share: 7 }]) as [Rect, Rect];
  return [
    chart(first),
    chart(second, 'chart-below', 1),
    quotaPanel(state, quota),
    queuePanel(state, queue),
    alertsPanel(state, alerts),
    runsPanel(state, runs),
    schedulesPanel(state, schedules),
  ];
}

function obey(state: State, name: CommandName, argument: string | undefined): ViewStep<null> {
  const { chart } = state;
  const points = state.picture.metrics === null ? [] : (lastValue(state.picture.metrics)?.points ?? []);
  const withChart = (changes: Partial<State['chart']>): ViewStep<null> => ({
    state: { chart: { ...chart, ...changes } },
  });
  const series = (step: number) => withChart({ series: (chart.series + step + SERIES.length) % SERIES.length });
  const range = (step: number) =>
    withChart({ range: Math.max(0, Math.min(RANGES.length - 1, chart.range + step)), cursorAtEpochMs: null });
  switch (name) {
    case 'shorter':
      return range(-1);
    case 'longer':
      return range(1);
    case 'range':
      return range(
        Math.max(
          0,
          RANGES.findIndex(({ id }) => id === argument),
        ) - chart.range,
      );
    case 'next-series':
      return series(1);
    case 'previous-series':
      return series(-1);
    case 'series':
      return withChart({
        series: Math.max(
          0,
          SERIES.findIndex(({ id }) => id === argument),
        ),
      });
    case 'cursor-back':
      return { state: { chart: movedCursor(chart, points, -1, shownNow(state)) } };
    case 'cursor-on':
      return { state: { chart: movedCursor(chart, points, 1, shownNow(state)) } };
    case 'zoom':
      return withChart({ isZoomed: !chart.isZoomed });
    case 'back':
      return withChart(chart.cursorAtEpochMs === null ? { isZoomed: false } : { cursorAtEpochMs: null });
    case 'acknowledge':
      return { state: { dialog: acknowledgeAllForm(state) } };
    default:
      return {};
  }
}
