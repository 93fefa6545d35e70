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
    name: line(providerSign(statusOf(state, quota.provider), remainingToday(quota) === 0), ` ${quota.provider}`),
    uses: [quota.day, quota.month],
    forecast: forecastSegment(queue, quota, shownNow(state)),
  };
}

interface Columns {
  /** Zero where there is no room for bars. */
  readonly bar: number;
  /** Of the day, and of the month where there is room for it: zero without numbers beside the percentage. */
  readonly counts: readonly [number, number] | readonly [number];
}

const NAME = 13;
const PERCENT = 7;
const LEAST_BARS = 2;
/** Beside counts. */
const LEAST_BAR = 4;
/** When the quota of the day runs out at today's rate. */
const ENDS = 'ends';

/** Always there: name, percentage of the day, the forecast. The month comes with room, both bars, then counts, the day's first, then longer bars. */
function columnsFor(width: number, rows: readonly Row[]): Columns {
  const forecast = Math.max(ENDS.length, ...rows.map((row) => row.forecast.text.length));
  const alone = width - NAME - forecast - PERCENT;
  if (alone < PERCENT + 2 * LEAST_BARS) return { bar: alone < LEAST_BARS ? 0 : Math.min(30, alone), counts: [0] };
  const widest = (pick: 0 | 1) => Math.max(...rows.map(({ uses }) => countsText(uses[pick]).length)) + 1;
  const [day, month] = [widest(0), widest(1)];
  const barBeside = ([first, second]: readonly [number, number]) => Math.floor((alone - PERCENT - first - second) / 2);
  const wanted: readonly (readonly [number, number])[] = [
    [day, month],
    [day, 0],
  ];
  const counts = wanted.find((each) => barBeside(each) >= LEAST_BAR) ?? ([0, 0] as const);
  return { bar: Math.max(LEAST_BARS, Math.min(30, barBeside(counts))), counts };
}

function countsText({ sent, limit }: QuotaUse): string {
  return `${formatCount(sent)}/${formatCount(limit)}`;
}

function headLine({ bar, counts }: Columns): Line {
  const groups = counts.map((width, place) =>
    seg((place === 0 ? 'day' : 'month').padEnd(bar + PERCENT + width), 'muted'),
  );
  return line(seg(''.padEnd(NAME)), ...groups, seg(ENDS, 'muted'));
}

function quotaLine({ name, uses, forecast }: Row, { bar, counts }: Columns): Line {
  const segments = uses.slice(0, counts.length).flatMap((use, place) => useSegments(use, bar, counts[place] ?? 0));
  return [...fill(name, NAME), ...segments, forecast];
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

/** Of its health; but one that takes nothing more today is not well, however well it answers. */
function providerSign(status: ProviderStatus | null, isGone: boolean): Segment {
  const isElseWell = status === 'ok' || status === null;
  return healthSign(isGone && isElseWell ? 'degraded' : status);
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
