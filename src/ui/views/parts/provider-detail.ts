/** Everything about one provider as lines: how it stands and why, its quota, how its sends fail, and how its days went. Pure. */
import { formatAge, formatCount, formatLatency, formatPercent, plural } from '../../../domain/format.ts';
import { type Loaded, lastValue } from '../../../domain/loaded.ts';
import { failureGroups, type ProviderDetails } from '../../../domain/provider-details.ts';
import { percentUsed, type QuotaUse, quotaStatus, remaining } from '../../../domain/quota.ts';
import { MINUTE_MS } from '../../../domain/time.ts';
import { barText } from '../../bars.ts';
import { inside, type Rect } from '../../layout.ts';
import { BLANK, cut, type Line, line, type Role, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { addressed } from '../../words.ts';
import { type Fact, factLines } from './facts.ts';
import {
  circuitWords,
  messageOf,
  type ProviderRow,
  quotaForecastWords,
  recentOf,
  scoreWords,
  statusWords,
} from './provider-rows.ts';

export interface ProviderDetail {
  readonly rect: Rect;
  readonly row: ProviderRow;
  /** Null: not asked for, and then left out. */
  readonly details: Loaded<ProviderDetails> | 'loading' | null;
  /** First line that is seen; what is beyond the end counts as the end. */
  readonly scroll: number;
}

export function providerDetail(state: State, detail: ProviderDetail): Panel {
  const { rect, row, scroll } = detail;
  const room = inside(rect);
  const lines = detailLines(state, detail);
  const first = Math.max(0, Math.min(scroll, lines.length - room.height));
  const below = Math.max(0, lines.length - first - room.height);
  return {
    id: 'provider-detail',
    rect,
    frame: {
      title: line(
        seg(row.provider, 'strong'),
        seg(first === 0 ? '' : ` · ${plural(first, 'line')} above`, 'muted'),
        seg(below === 0 || detail.details === null ? '' : ` · ${plural(below, 'line')} below, PgDn`, 'muted'),
      ),
      role: row.health?.status === 'error' ? 'critical' : 'muted',
    },
    lines: lines.slice(first, first + room.height).map((each) => cut(each, room.width)),
  };
}

/** The furthest that it can be scrolled. */
export function lastDetailScroll(state: State, detail: ProviderDetail): number {
  return Math.max(0, detailLines(state, detail).length - inside(detail.rect).height);
}

function detailLines(state: State, { rect, row, details }: ProviderDetail): Line[] {
  const { width } = inside(rect);
  const facts = [...factLines(standing(state, row), width), BLANK, ...quotaLines(state, row, width)];
  if (details === null) return facts;
  return [...facts, BLANK, ...moreLines(state, details, width)];
}

function standing(state: State, row: ProviderRow): readonly Fact[] {
  const status = statusWords(row);
  const score = scoreWords(row);
  const circuit = circuitWords(row);
  const { health, metrics, deliveries } = row;
  const recent = recentOf(row);
  const says = messageOf(row, state.isMasked, shownNow(state));
  return [
    { label: 'status', value: `${status.text}${says === '' ? '' : `: ${says}`}`, role: status.role },
    { label: 'score', value: score.text, role: score.role },
    { label: 'circuit', value: circuit.text, role: circuit.role },
    {
      label: 'sends',
      value:
        metrics === null
          ? ''
          : `${recent === null ? 'none lately' : `${formatPercent(recent.successRatePercent)} of the recent ones worked`}, ${formatCount(metrics.totalRequests)} in all${failuresInARow(metrics.consecutiveFailures)}`,
      role: metrics !== null && metrics.consecutiveFailures > 0 ? 'warning' : 'text',
    },
    {
      label: 'last 24 h',
      value:
        deliveries === null ? '' : `${formatCount(deliveries.sent)} sent, ${formatCount(deliveries.failed)} failed`,
      role: (deliveries?.failed ?? 0) > 0 ? 'warning' : 'text',
    },
    {
      label: 'latency',
      value: [
        ...(recent === null ? [] : [`${formatLatency(recent.averageLatencyMs)} on average`]),
        ...(deliveries?.p95Ms === null || deliveries === null ? [] : [`p95 ${formatLatency(deliveries.p95Ms)}`]),
        ...(health === null || health.latencyMs === null ? [] : [`check ${formatLatency(health.latencyMs)}`]),
      ].join(', '),
    },
    { label: 'recommended', value: recommendedWords(state, row.provider) },
  ];
}

function failuresInARow(count: number): string {
  return count === 0 ? '' : `; the last ${count === 1 ? 'one' : formatCount(count)} failed`;
}

/** How often the health check found it the best, as far back as the time series goes. */
function recommendedWords(state: State, provider: string): string {
  const { metrics } = shownPicture(state);
  const points = metrics === null ? [] : (lastValue(metrics)?.points ?? []);
  const named = points.filter(({ bestProvider }) => bestProvider !== null);
  if (named.length === 0) return '';
  const best = named.filter(({ bestProvider }) => bestProvider === provider).length;
  const now = named.at(-1)?.bestProvider === provider ? ', and now' : '';
  return `in ${formatPercent((best / named.length) * 100)} of the checks of 24 h${now}`;
}

const QUOTA_ROLES: Readonly<Record<ReturnType<typeof quotaStatus>, Role>> = {
  ok: 'ok',
  warning: 'warning',
  exhausted: 'critical',
};
const LABEL = 13;
const PERCENT = 7;
/** `2,030/150,000, 147,970 left` */
const COUNTS = 28;

function quotaLines(state: State, row: ProviderRow, width: number): Line[] {
  const forecast = quotaForecastWords(row, shownNow(state));
  const { quota } = row;
  if (quota === null) return factLines([{ label: 'quota', value: forecast.text, role: forecast.role }], width);
  return [
    useLine('day', quota.day, width),
    useLine('month', quota.month, width),
    ...factLines([{ label: 'quota', value: forecast.text, role: forecast.role }], width),
  ];
}

function useLine(label: string, use: QuotaUse, width: number): Line {
  const counts = `${formatCount(use.sent)}/${formatCount(use.limit)}`;
  const left = `, ${formatCount(remaining(use))} left`;
  const bar = Math.max(4, Math.min(14, width - LABEL - PERCENT - COUNTS));
  // A number that is cut is a wrong one.
  const isWhole = LABEL + bar + PERCENT + counts.length + left.length <= width;
  const percent = percentUsed(use);
  const role = QUOTA_ROLES[quotaStatus(percent)];
  return line(
    seg(label.padEnd(LABEL), 'muted'),
    seg(barText(percent, bar), role),
    seg(` ${formatPercent(percent)}`.padEnd(PERCENT), role),
    counts,
    isWhole ? left : '',
  );
}

function moreLines(state: State, details: Loaded<ProviderDetails> | 'loading', width: number): Line[] {
  if (details === 'loading') return [line(seg('reading its failures and days…', 'muted'))];
  if (details.state === 'failed') {
    return [
      line(seg(details.error.message, 'critical')),
      ...(details.error.remedy === undefined ? [] : [line(details.error.remedy)]),
    ];
  }
  const { failures, days } = details.value;
  return [
    line(seg('Failures of the last 24 h', 'strong')),
    ...failureLines(state, failures, width),
    BLANK,
    line(seg('By day', 'strong'), seg(', UTC', 'muted')),
    ...(days.length === 0
      ? [line(seg('nothing is recorded', 'muted'))]
      : days.toReversed().map((day) => dayLine(day, width))),
  ];
}

function failureLines(state: State, failures: ProviderDetails['failures'], width: number): Line[] {
  if (failures.length === 0) return [line(seg('none', 'muted'))];
  const now = shownNow(state);
  return failureGroups(failures).map(({ error, count, lastAtEpochMs }) => {
    const ms = now - lastAtEpochMs;
    const age = ms < MINUTE_MS ? 'now' : `${formatAge(ms)} ago`;
    return cut(
      line(
        seg(`×${formatCount(count)}`.padEnd(6), 'warning'),
        addressed(error, state.isMasked),
        seg(`, ${age}`, 'muted'),
      ),
      width,
    );
  });
}

function dayLine({ date, emailsSent, dailyLimit }: ProviderDetails['days'][number], width: number): Line {
  return useLine(date, { sent: emailsSent, limit: dailyLimit }, width);
}
