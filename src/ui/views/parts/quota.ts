/** Providers with their quota of the day and the month as bars, whether they are well, and when the quota runs out. */
import { quotaForecast } from '../../../domain/drain.ts';
import { formatCount, formatPercent } from '../../../domain/format.ts';
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
import { whenWords } from '../../words.ts';

export function quotaPanel(state: State, rect: Rect): Panel {
  const picture = shownPicture(state);
  const nowEpochMs = shownNow(state);
  return partPanel<QueueOverview>(
    { id: 'quota', rect, title: 'Providers and quota', part: picture.queue, nowEpochMs },
    (queue, room) => {
      const columns = columnsFor(room.width);
      const quotas = completeQuotas(queue.quotas);
      const rows = quotas.map((quota) => quotaLine({ state, queue, quota, nowEpochMs }, columns));
      const lines = room.height > rows.length ? [headLine(columns), ...rows] : rows;
      const worst = quotas.some((quota) => remainingToday(quota) === 0) ? 'warning' : 'muted';
      return { lines: lines.map((each) => cut(each, room.width)), role: worst };
    },
  );
}

interface Columns {
  readonly bar: number;
  readonly hasCounts: boolean;
}

const NAME = 13;
const PERCENT = 6;
const COUNTS = 12;
const FORECAST = 10;

/** What is there in every width: name, both bars, both percentages, the forecast. Counts come with room, then longer bars. */
function columnsFor(width: number): Columns {
  const hasCounts = width >= NAME + 2 * (4 + PERCENT + COUNTS) + FORECAST;
  const rest = width - NAME - 2 * (PERCENT + (hasCounts ? COUNTS : 0)) - FORECAST;
  return { bar: Math.max(2, Math.min(30, Math.floor(rest / 2))), hasCounts };
}

function headLine(columns: Columns): Line {
  const group = (name: string) => seg(name.padEnd(columns.bar + PERCENT + (columns.hasCounts ? COUNTS : 0)), 'muted');
  return line(seg(''.padEnd(NAME)), group('day'), group('month'));
}

interface Row {
  readonly state: State;
  readonly queue: QueueOverview;
  readonly quota: ProviderQuota;
  readonly nowEpochMs: number;
}

function quotaLine(row: Row, columns: Columns): Line {
  const { quota } = row;
  const sign = healthSign(statusOf(row.state, quota.provider));
  return [
    ...fill(line(sign, ` ${quota.provider}`), NAME),
    ...useSegments(quota.day, columns),
    ...useSegments(quota.month, columns),
    forecastSegment(row),
  ];
}

function useSegments(use: QuotaUse, { bar, hasCounts }: Columns): Segment[] {
  const percent = percentUsed(use);
  const role = ROLES[quotaStatus(percent)];
  const counts = ` ${formatCount(use.sent)}/${formatCount(use.limit)}`;
  return [
    seg(barText(percent, bar), role),
    seg(formatPercent(percent).padStart(PERCENT - 1), role),
    seg(hasCounts ? counts.padEnd(COUNTS + 1).slice(0, COUNTS + 1) : ' '),
  ];
}

const ROLES: Readonly<Record<ReturnType<typeof quotaStatus>, Role>> = {
  ok: 'ok',
  warning: 'warning',
  exhausted: 'critical',
};

/** `gone`, or the hour at which it will be. */
function forecastSegment({ queue, quota, nowEpochMs }: Row): Segment {
  if (remainingToday(quota) === 0) return seg('gone', 'critical');
  const forecast = quotaForecast(queue, nowEpochMs).find(({ provider }) => provider === quota.provider);
  const at = forecast?.runsOutAtEpochMs ?? null;
  return at === null ? seg('') : seg(`ends ${whenWords(at, nowEpochMs).replace(' UTC', '')}`, 'warning');
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
