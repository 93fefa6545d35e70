/**
 * What a report of an incident says: verdict, numbers, timeline, charts. Collected from what is known into plain data with
 * clean, masked text; `incident-markdown.ts` and `incident-html.ts` write it. Pure.
 */
import type { AlertFeed } from './alert.ts';
import { type AuditEntry, targetWords } from './audit.ts';
import { formatClock, formatCount, formatPercent, plural } from './format.ts';
import type { LockState } from './lock.ts';
import { downsample, type MetricPoint } from './metric.ts';
import { SERIES, type Series } from './metric-series.ts';
import type { QueueOverview } from './queue.ts';
import { completeQuotas, percentUsed } from './quota.ts';
import type { RunRecord } from './run.ts';
import { runWords } from './run-words.ts';
import { drainWords, lockWords, outside } from './state-words.ts';
import { cleanText } from './text.ts';
import type { Verdict, VerdictLevel } from './verdict.ts';

/** Undefined and null for what is not known. */
export interface IncidentSources {
  readonly nowEpochMs: number;
  readonly sinceEpochMs: number;
  readonly environment: string | null;
  /** `name@host`. */
  readonly author: string;
  readonly verdict: Verdict | null;
  readonly queue: QueueOverview | undefined;
  readonly lock: LockState | undefined;
  readonly alerts: AlertFeed | undefined;
  readonly runs: readonly RunRecord[];
  readonly points: readonly MetricPoint[];
  /** What operators did, by the audit list or by this console's own memory. */
  readonly actions: readonly Moment[];
}

export type MomentKind = 'alert' | 'failure' | 'operator' | 'run';

export interface Moment {
  readonly atEpochMs: number;
  readonly kind: MomentKind;
  readonly what: string;
}

export interface Incident {
  readonly writtenAtEpochMs: number;
  readonly sinceEpochMs: number;
  readonly environment: string;
  readonly author: string;
  readonly level: VerdictLevel | null;
  readonly reasons: readonly { readonly level: VerdictLevel; readonly text: string; readonly action: string | null }[];
  /** Each a sentence: `Queue: 12 ready, …`. */
  readonly numbers: readonly string[];
  readonly timeline: readonly Moment[];
  readonly undatedAlerts: number;
  readonly charts: readonly IncidentChart[];
}

export interface IncidentChart {
  readonly title: string;
  readonly traces: readonly IncidentTrace[];
  /** The top of the axis. */
  readonly top: number;
  format(value: number): string;
}

export interface IncidentTrace {
  readonly name: string;
  readonly role: Series['traces'][number]['role'];
  /** The highest value of each of {@link CHART_COLUMNS} equal parts of the time; null where nothing was measured. */
  readonly values: readonly (number | null)[];
}

/** Divides by 72, the width of a chart in text. */
export const CHART_COLUMNS = 144;

export function incidentOf(sources: IncidentSources): Incident {
  const { nowEpochMs, sinceEpochMs, environment, author, verdict, alerts } = sources;
  return {
    writtenAtEpochMs: nowEpochMs,
    sinceEpochMs,
    environment: cleanText(environment ?? 'unknown', 100),
    author: cleanText(author, 100),
    level: verdict?.level ?? null,
    reasons: (verdict?.reasons ?? []).map(({ level, text, action }) => ({ level, text, action: action ?? null })),
    numbers: numbersOf(sources),
    timeline: timelineOf(sources),
    undatedAlerts: (alerts?.alerts ?? []).filter(({ atEpochMs }) => atEpochMs === null).length,
    charts: SERIES.map((series) => chartOf(series, sources)),
  };
}

/** The audit list as moments. */
export function auditMoments(entries: readonly AuditEntry[]): readonly Moment[] {
  return entries.map(({ atEpochMs, by, host, action, target, outcome }) => ({
    atEpochMs,
    kind: 'operator',
    what: outside(
      [
        `${by}@${host}: ${action}`,
        targetWords({ target }),
        ...(outcome === '' || outcome === 'ok' ? [] : [`(${outcome})`]),
      ]
        .filter((word) => word !== '')
        .join(' '),
      400,
    ),
  }));
}

function numbersOf({ queue, lock, nowEpochMs }: IncidentSources): readonly string[] {
  const lockText =
    lock === undefined
      ? 'not known'
      : lockWords(lock, queue?.counts.processing ?? null, nowEpochMs).text.replace(/^lock /, '');
  if (queue === undefined) return ['Queue: not known', `Lock: ${lockText}`];
  const counts = [
    `${formatCount(queue.ready)} ready`,
    `${formatCount(queue.counts.processing)} in processing`,
    `${plural(queue.waitingRetry, 'waits', 'wait')} for a retry`,
    `${plural(queue.unreviewedDeadLetters, 'dead letter')} not reviewed; ${drainWords(queue, nowEpochMs).text}`,
  ];
  return [
    `Queue: ${counts.join(', ')}`,
    ...completeQuotas(queue.quotas).map(
      ({ provider, day, month }) =>
        `${provider}: ${formatCount(day.sent)}/${formatCount(day.limit)} today (${formatPercent(percentUsed(day))}), ${formatCount(month.sent)}/${formatCount(month.limit)} this month (${formatPercent(percentUsed(month))})`,
    ),
    `Lock: ${lockText}`,
  ];
}

function timelineOf({ alerts, runs, lock, actions, sinceEpochMs }: IncidentSources): readonly Moment[] {
  const isSince = ({ atEpochMs }: { readonly atEpochMs: number }) => atEpochMs >= sinceEpochMs;
  const events: Moment[] = [
    ...(alerts?.alerts ?? []).flatMap(({ atEpochMs, severity, text, repeats }) => {
      if (atEpochMs === null) return [];
      const times = repeats > 1 ? ` (${repeats} times)` : '';
      return [{ atEpochMs, kind: 'alert' as const, what: `alert, ${severity}: ${outside(text, 300)}${times}` }];
    }),
    ...(lock?.lock.kind === 'paused' && !actions.some(({ what }) => /: pause\b/.test(what))
      ? [
          {
            atEpochMs: lock.lock.startedAtEpochMs,
            kind: 'operator' as const,
            what: `paused by ${outside(`${lock.lock.operator}@${lock.lock.host}`, 80)}: ${outside(lock.lock.reason, 200)}`,
          },
        ]
      : []),
    ...actions,
    ...failedRuns(runs.filter((run) => run.startedAtEpochMs >= sinceEpochMs)),
  ]
    .filter(isSince)
    .sort(byTime);
  const quiet = runs.filter((run) => isUneventful(run) && run.startedAtEpochMs >= sinceEpochMs);
  return [...events, ...quietRuns(quiet, events)].sort(byTime);
}

function isUneventful({ outcome, failed, error }: RunRecord): boolean {
  return error === null && failed === 0 && (outcome === 'ok' || outcome === 'skipped');
}

/** A failure that repeats until something changes is one line: an outage of five hours has sixty health checks that say the same. */
function failedRuns(runs: readonly RunRecord[]): readonly Moment[] {
  const found: { moment: Moment; times: number; lastAtEpochMs: number }[] = [];
  const standing = new Map<string, (typeof found)[number]>();
  for (const run of runs.toSorted((a, b) => a.startedAtEpochMs - b.startedAtEpochMs)) {
    if (isUneventful(run)) {
      if (run.outcome === 'ok') standing.delete(run.worker);
      continue;
    }
    const moment = failedRun(run);
    const before = standing.get(run.worker);
    if (before?.moment.what === moment.what) {
      before.times += 1;
      before.lastAtEpochMs = run.startedAtEpochMs;
      continue;
    }
    const entry = { moment, times: 1, lastAtEpochMs: run.startedAtEpochMs };
    standing.set(run.worker, entry);
    found.push(entry);
  }
  return found.map(({ moment, times, lastAtEpochMs }) =>
    times === 1 ? moment : { ...moment, what: `${moment.what} (${times} times, until ${formatClock(lastAtEpochMs)})` },
  );
}

function failedRun(run: RunRecord): Moment {
  const words = [run.outcome, runWords(run.worker, run)].filter((word) => word !== '').join(', ');
  const error = run.error === null ? '' : `; ${outside(run.error, 200)}`;
  const what = outside(`run of ${run.worker} on ${run.host}: ${words}${error}`, 600);
  return { atEpochMs: run.startedAtEpochMs, kind: 'failure', what };
}

/** Runs without anything to tell are one line for each worker between two events: 180 lines of `ok` hide the story. */
function quietRuns(runs: readonly RunRecord[], events: readonly Moment[]): readonly Moment[] {
  const groups = Map.groupBy(runs, (run) => {
    const before = events.findLastIndex(({ atEpochMs }) => atEpochMs <= run.startedAtEpochMs);
    return `${before} ${run.worker}`;
  });
  return [...groups.values()].map((group) => {
    const [first] = group.toSorted((a, b) => a.startedAtEpochMs - b.startedAtEpochMs);
    const worker = outside(first?.worker ?? '', 60);
    const total = group.reduce((sum, { processed }) => sum + processed, 0);
    const words = runWords(worker, { processed: total, successful: total, failed: 0 });
    // What a monitor checks adds up to nothing that anybody wants to know.
    const done = worker === 'queue-processor' && words !== '' ? `: ${words}` : '';
    return {
      atEpochMs: first?.startedAtEpochMs ?? 0,
      kind: 'run',
      what: `${plural(group.length, 'run')} of ${worker} without failures${done}`,
    };
  });
}

function byTime(a: Moment, b: Moment): number {
  return a.atEpochMs - b.atEpochMs;
}

function chartOf({ title, traces, format, top, leastTop }: Series, sources: IncidentSources): IncidentChart {
  const { points, sinceEpochMs, nowEpochMs } = sources;
  const window = { fromEpochMs: sinceEpochMs, toEpochMs: nowEpochMs, buckets: CHART_COLUMNS };
  const drawn = traces.map(({ name, role, pick }) => ({
    name,
    role,
    values: downsample(points, pick, window).map((bucket) => bucket?.max ?? null),
  }));
  const highest = Math.max(leastTop, ...drawn.flatMap(({ values }) => values.map((value) => value ?? 0)));
  return { title, traces: drawn, top: top === undefined ? highest : Math.max(top, highest), format };
}
