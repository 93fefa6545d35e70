/** The table of the view *Providers*: a line of numbers for each, and below it its sends over time and what it says. Pure. */
import { formatAge, formatCount, formatLatency, formatPercent, UNKNOWN } from '../../../domain/format.ts';
import type { Loaded } from '../../../domain/loaded.ts';
import { bucketsOf, type ProviderHistory } from '../../../domain/provider-history.ts';
import { percentUsed, type QuotaUse, quotaStatus } from '../../../domain/quota.ts';
import { sparkText } from '../../../domain/spark.ts';
import { MINUTE_MS } from '../../../domain/time.ts';
import { barText } from '../../bars.ts';
import { rangeOf } from '../../chart.ts';
import { inside, type Rect } from '../../layout.ts';
import { cut, dimmed, fill, type Line, type Role, type Segment, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { faultWord, partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { type TableColumn, tableLines } from '../../table.ts';
import {
  messageOf,
  type ProviderRow,
  quotaEndWords,
  recentOf,
  scoreOf,
  scoreRole,
  statusWords,
} from './provider-rows.ts';

export interface ProviderTable {
  readonly rect: Rect;
  readonly rows: readonly ProviderRow[];
  readonly selected: number;
  readonly history: Loaded<ProviderHistory> | null;
}

/** Health comes from Redis, quota and deliveries from Postgres: what one of them cannot tell is a dash, and the title says why. */
export function providerTable(state: State, { rect, rows, selected, history }: ProviderTable): Panel {
  const { health, queue } = shownPicture(state);
  const id = 'providers';
  const isBlind = (part: Loaded<unknown> | null) => part === null || part.state === 'failed';
  if (isBlind(health) && isBlind(queue)) {
    const part = health?.state === 'failed' ? health : queue;
    return partPanel({ id, rect, title: 'Providers', part, nowEpochMs: shownNow(state) }, () => ({ lines: [] }));
  }
  const room = inside(rect);
  const [heading = [], ...numbers] = tableLines({
    columns: columns(state, rows[selected]),
    rows,
    width: room.width,
    selected,
  });
  const hasSeconds = room.height >= 1 + 2 * rows.length;
  const lines = numbers.flatMap((each, index) => {
    const row = rows[index];
    return row !== undefined && hasSeconds ? [each, secondLine(state, row, history, room.width)] : [each];
  });
  const isStale = health?.state === 'stale' && queue?.state === 'stale';
  return {
    id,
    rect,
    frame: { title: [seg('Providers', 'strong'), ...notes(state)], role: worst(rows) },
    lines: [heading, ...(isStale ? lines.map(dimmed) : lines)].slice(0, room.height),
  };
}

function worst(rows: readonly ProviderRow[]): Role {
  return rows.some(({ health }) => health?.status === 'error') ? 'critical' : 'muted';
}

/** What the title has to say about where this is from. */
function notes(state: State): Line {
  const { health, queue } = shownPicture(state);
  const now = shownNow(state);
  const parts = [
    { name: 'health', part: health },
    { name: 'quota', part: queue },
  ].flatMap(({ name, part }) => {
    if (part === null) return [seg(`${name} …`, 'muted')];
    if (part.state === 'ok') return [];
    const age = part.state === 'stale' ? `stale ${formatAge(now - part.atEpochMs)}` : 'failed';
    return [seg(`${name} ${age}: ${faultWord(part.error)}`, 'warning')];
  });
  const checked = health === null || health.state === 'failed' ? [] : checkedNote(health.value, now);
  return [...checked, ...parts].flatMap((part) => [seg(' · ', 'muted'), part]);
}

function checkedNote(
  { report, lastError }: { report: { readonly checkedAtEpochMs: number } | null; lastError: unknown },
  nowEpochMs: number,
): Segment[] {
  const failed = lastError === null ? [] : [seg('the last check failed', 'warning')];
  if (report === null) return failed.length > 0 ? failed : [seg('no check in the last 5 min: h runs one', 'warning')];
  const age = nowEpochMs - report.checkedAtEpochMs;
  return [seg(`checked ${age < MINUTE_MS ? 'just now' : `${formatAge(age)} ago`}`, 'muted'), ...failed];
}

const BAR = 8;

function columns(state: State, selected: ProviderRow | undefined): readonly TableColumn<ProviderRow>[] {
  const now = shownNow(state);
  const number = (value: number | null | undefined) => formatCount(value ?? null);
  const roleOf = (use: QuotaUse | undefined): Role =>
    use === undefined ? 'muted' : QUOTA_ROLES[quotaStatus(percentUsed(use))];
  const percent = (use: QuotaUse | undefined) => (use === undefined ? UNKNOWN : formatPercent(percentUsed(use)));
  return [
    {
      title: '',
      width: 2,
      cell: (row) => `${row === selected ? '▸' : ' '}${statusWords(row).sign}`,
      role: (row) => statusWords(row).role,
    },
    { title: 'provider', width: 10, cell: ({ provider }) => provider },
    { title: 'status', width: 8, cell: (row) => statusWords(row).text, role: (row) => statusWords(row).role },
    {
      title: 'score',
      width: 5,
      align: 'right',
      cell: (row) => formatCount(scoreOf(row)),
      role: (row) => scoreRole(scoreOf(row)),
    },
    {
      title: 'circuit',
      width: 9,
      from: 66,
      cell: ({ metrics }) => metrics?.circuitState ?? UNKNOWN,
      role: ({ metrics }) => CIRCUIT_ROLES[metrics?.circuitState ?? ''] ?? 'muted',
    },
    {
      title: 'success',
      width: 7,
      from: 76,
      align: 'right',
      cell: (row) => formatPercent(recentOf(row)?.successRatePercent ?? null),
      role: (row) => successRole(recentOf(row)?.successRatePercent ?? null),
    },
    {
      title: 'avg',
      width: 6,
      from: 100,
      align: 'right',
      cell: (row) => formatLatency(recentOf(row)?.averageLatencyMs),
    },
    { title: 'p95', width: 6, from: 66, align: 'right', cell: ({ deliveries }) => formatLatency(deliveries?.p95Ms) },
    { title: 'sent 24h', width: 8, from: 100, align: 'right', cell: ({ deliveries }) => number(deliveries?.sent) },
    {
      title: 'failed',
      width: 6,
      align: 'right',
      cell: ({ deliveries }) => number(deliveries?.failed),
      role: ({ deliveries }) => ((deliveries?.failed ?? 0) > 0 ? 'warning' : 'text'),
    },
    {
      title: 'day',
      width: BAR,
      from: 110,
      cell: ({ quota }) => (quota === null ? '' : barText(percentUsed(quota.day), BAR)),
      role: ({ quota }) => roleOf(quota?.day),
    },
    {
      title: 'day',
      width: 5,
      align: 'right',
      cell: ({ quota }) => percent(quota?.day),
      role: ({ quota }) => roleOf(quota?.day),
    },
    {
      title: 'left',
      width: 6,
      from: 130,
      align: 'right',
      cell: ({ quota }) => (quota === null ? UNKNOWN : number(Math.max(0, quota.day.limit - quota.day.sent))),
    },
    {
      title: 'month',
      width: 5,
      from: 90,
      align: 'right',
      cell: ({ quota }) => percent(quota?.month),
      role: ({ quota }) => roleOf(quota?.month),
    },
    {
      title: '',
      width: 10,
      grow: 1,
      cell: (row) => quotaEndWords(row, now).text,
      role: (row) => quotaEndWords(row, now).role,
    },
  ];
}

const QUOTA_ROLES = { ok: 'ok', warning: 'warning', exhausted: 'critical' } as const;
const CIRCUIT_ROLES: Readonly<Record<string, Role>> = { closed: 'text', open: 'critical', 'half-open': 'warning' };

function successRole(percent: number | null): Role {
  if (percent === null) return 'muted';
  return percent >= 99 ? 'ok' : percent >= 80 ? 'warning' : 'critical';
}

const LABEL = 3;
const MOST_CELLS = 96;

/** Sends over the chosen range, a cell in red where some of them failed and `x` where all did; then what the provider says. */
function secondLine(state: State, row: ProviderRow, history: Loaded<ProviderHistory> | null, width: number): Line {
  const message = messageOf(row, state.isMasked, shownNow(state));
  const cells = Math.max(
    10,
    Math.min(MOST_CELLS, width - LABEL - (message === '' ? 6 : Math.min(40, message.length + 2))),
  );
  const spark = history === null || history.state === 'failed' ? [] : sparkSegments(history.value, row.provider, cells);
  const label = spark.length === 0 ? '' : ` ${rangeOf(state.chart).title}`;
  const told = [seg(label, 'muted'), seg(message === '' ? '' : `  ${message}`, statusWords(row).role)];
  return fill(cut([seg(' '.repeat(LABEL)), ...spark, ...told], width), width);
}

function sparkSegments(history: ProviderHistory, provider: string, cells: number): Segment[] {
  const buckets = merged(bucketsOf(history, provider), cells);
  const bars = sparkText(buckets.map(({ sent, failed }) => sent + failed));
  return buckets.map(({ sent, failed }, index) => {
    if (failed === 0) return seg(bars[index] ?? ' ', sent === 0 ? 'muted' : 'first');
    return sent === 0 ? seg('x', 'critical') : seg(bars[index] ?? ' ', 'warning');
  });
}

/** As many cells as there is room for, each the sum of neighbouring buckets. */
function merged(
  buckets: readonly { readonly sent: number; readonly failed: number }[],
  cells: number,
): readonly { readonly sent: number; readonly failed: number }[] {
  const each = Math.max(1, Math.ceil(buckets.length / cells));
  const count = Math.ceil(buckets.length / each);
  // From the newest back, so that only the oldest cell may be of fewer.
  return Array.from({ length: count }, (_, index) => {
    const end = buckets.length - (count - 1 - index) * each;
    const own = buckets.slice(Math.max(0, end - each), end);
    return {
      sent: own.reduce((sum, { sent }) => sum + sent, 0),
      failed: own.reduce((sum, { failed }) => sum + failed, 0),
    };
  });
}
