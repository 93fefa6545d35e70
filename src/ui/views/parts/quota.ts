/** Providers with their quota of the day and the month as bars, whether they are well, and when the quota runs out. */
import { quotaForecast } from '../../../domain/drain.ts';
import { formatClock, formatCount, formatPercent } from '../../../domain/format.ts';
import type { ProviderStatus } from '../../../domain/health.ts';
import { lastValue } from '../../../domain/loaded.ts';
import type { QueueOverview } from '../../../domain/queue.ts';
import {
  completeQuotas,
  type ProviderQuota,
  percentUsed,
  type QuotaUse,
  quotaStatus,
  remainingToday,
} from '../../../domain/quota.ts';
import { barText } from '../../bars.ts';
import type { Rect } from '../../layout.ts';
import { cut, fill, type Line, line, type Role, type Segment, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';

export function quotaPanel(state: State, rect: Rect): Panel {
  const picture = shownPicture(state);
  const nowEpochMs = shownNow(state);
  const frame = { id: 'quota', rect, title: 'Quota', part: picture.queue, nowEpochMs };
  return partPanel<QueueOverview>(frame, (queue, room) => {
    const rows = completeQuotas(queue.quotas).map((quota) => rowOf(state, queue, quota));
    const columns = columnsFor(room.width, rows);
    const lines = rows.map((row) => quotaLine(row, columns));
    const isGone = rows.some(({ forecast }) => forecast.role === 'critical');
    return {
      lines: (room.height > rows.length ? [headLine(columns), ...lines] : lines).map((each) => cut(each, room.width)),
      role: isGone ? 'warning' : 'muted',
    };
  });
}

interface Row {
  readonly name: Line;
  /** Day and month. */
  readonly uses: readonly [QuotaUse, QuotaUse];
  readonly forecast: Segment;
}

function rowOf(state: State, queue: QueueOverview, quota: ProviderQuota): Row {
  return {
    name: line(healthSign(statusOf(state, quota.provider)), ` ${quota.provider}`),
    uses: [quota.day, quota.month],
    forecast: forecastSegment(queue, quota, shownNow(state)),
  };
}

interface Columns {
  readonly bar: number;
  /** Of day and month: zero where there is no room for numbers beside the percentage. */
  readonly counts: readonly [number, number];
}

const NAME = 13;
const PERCENT = 7;
const LEAST_BAR = 4;
/** When the quota of the day runs out at today's rate. */
const ENDS = 'ends';

/** Always there: name, both bars, both percentages, the forecast. Counts come with room, the day's first, then longer bars. */
function columnsFor(width: number, rows: readonly Row[]): Columns {
  const forecast = Math.max(ENDS.length, ...rows.map((row) => row.forecast.text.length));
  const widest = (pick: 0 | 1) => Math.max(...rows.map(({ uses }) => countsText(uses[pick]).length)) + 1;
  const [day, month] = [widest(0), widest(1)];
  const barBeside = (counts: number) => Math.floor((width - NAME - forecast - 2 * PERCENT - counts) / 2);
  const wanted = [
    [day, month],
    [day, 0],
  ] as const;
  const counts = wanted.find(([one, other]) => barBeside(one + other) >= LEAST_BAR) ?? [0, 0];
  return { bar: Math.max(2, Math.min(30, barBeside(counts[0] + counts[1]))), counts };
}

function countsText({ sent, limit }: QuotaUse): string {
  return `${formatCount(sent)}/${formatCount(limit)}`;
}

function headLine({ bar, counts }: Columns): Line {
  const group = (name: string, width: number) => seg(name.padEnd(bar + PERCENT + width), 'muted');
  return line(seg(''.padEnd(NAME)), group('day', counts[0]), group('month', counts[1]), seg(ENDS, 'muted'));
}

function quotaLine({ name, uses, forecast }: Row, columns: Columns): Line {
  const [day, month] = uses;
  const { bar, counts } = columns;
  return [...fill(name, NAME), ...useSegments(day, bar, counts[0]), ...useSegments(month, bar, counts[1]), forecast];
}

function useSegments(use: QuotaUse, bar: number, counts: number): Segment[] {
  const percent = percentUsed(use);
  const role = ROLES[quotaStatus(percent)];
  return [
    seg(barText(percent, bar), role),
    seg(formatPercent(percent).padStart(PERCENT - 1), role),
    seg(` ${counts === 0 ? '' : countsText(use)}`.padEnd(counts + 1)),
  ];
}

const ROLES: Readonly<Record<ReturnType<typeof quotaStatus>, Role>> = {
  ok: 'ok',
  warning: 'warning',
  exhausted: 'critical',
};

/** `gone`, or the hour at which it will be. */
function forecastSegment(queue: QueueOverview, quota: ProviderQuota, nowEpochMs: number): Segment {
  if (remainingToday(quota) === 0) return seg('gone', 'critical');
  const forecast = quotaForecast(queue, nowEpochMs).find(({ provider }) => provider === quota.provider);
  const at = forecast?.runsOutAtEpochMs ?? null;
  return at === null ? seg('') : seg(formatClock(at), 'warning');
}

function statusOf(state: State, provider: string): ProviderStatus | null {
  const { health } = shownPicture(state);
  const report = health === null ? undefined : lastValue(health)?.report;
  return report?.providers.find((each) => each.provider === provider)?.status ?? null;
}

function healthSign(status: ProviderStatus | null): Segment {
  switch (status) {
    case 'ok':
      return seg('✓', 'ok');
    case 'degraded':
      return seg('!', 'warning');
    case 'error':
      return seg('✗', 'critical');
    case 'unconfigured':
      return seg('·', 'muted');
    case null:
      return seg('?', 'muted');
    default:
      return status satisfies never;
  }
}
