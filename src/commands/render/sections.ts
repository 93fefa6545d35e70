/** Sections of the status page: lock, queue, quotas, health, alerts, runs. Each is a pure function of the snapshot. */
import type { Alert } from '../../domain/alert.ts';
import { quotaForecast, ratesOf } from '../../domain/drain.ts';
import {
  formatAge,
  formatClock,
  formatCount,
  formatLatency,
  formatLeft,
  formatPercent,
  plural,
} from '../../domain/format.ts';
import type { ProviderHealth } from '../../domain/health.ts';
import type { LockState } from '../../domain/lock.ts';
import type { QueueOverview } from '../../domain/queue.ts';
import { completeQuotas, type ProviderQuota, percentUsed, type QuotaUse, quotaStatus } from '../../domain/quota.ts';
import type { RunRecord } from '../../domain/run.ts';
import { runWords } from '../../domain/run-words.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { drainWords, otherSlotsWords } from '../../domain/state-words.ts';
import { cleanText, maskEmailsIn } from '../../domain/text.ts';
import { bar, type Look, type Role, sparkline } from './look.ts';
import { labelled, sectionOf } from './section.ts';
import { table } from './table.ts';

const ALERTS_SHOWN = 5;
const RUNS_SHOWN = 5;

export function lockLine(snapshot: Snapshot, look: Look): string[] {
  return sectionOf('Lock', snapshot.lock, contextOf(snapshot, look), (state) =>
    labelled('Lock', describeLock(state, snapshot.takenAtEpochMs), look),
  );
}

/** Who holds the queue, and until when, as one line. */
export function describeLock(state: LockState, nowEpochMs: number): string {
  const { lock, announcedPause, otherSlotsHeld = 0 } = state;
  const left = 'expiresAtEpochMs' in lock ? remainingTime(lock.expiresAtEpochMs, nowEpochMs) : '';
  const until = left + otherSlotsWords(state);
  const pausing =
    announcedPause === null
      ? ''
      : `; pausing for ${cleanText(announcedPause.operator, 40)}, waiting for the ${otherSlotsHeld === 0 ? 'worker' : 'workers'} to give way`;
  switch (lock.kind) {
    case 'free':
      return `free${pausing}`;
    case 'worker':
      return `held by a worker on ${cleanText(lock.host, 60)} (pid ${lock.pid}), ${until}${pausing}`;
    case 'paused': {
      // With several slots it may hold one and wait for another (DESIGN §6.3).
      if (announcedPause !== null) return `held for a pause, ${until}${pausing}`;
      const reason = lock.reason === '' ? '' : `: ${maskEmailsIn(cleanText(lock.reason, 200))}`;
      const since = formatAge(nowEpochMs - lock.startedAtEpochMs);
      return `PAUSED by ${cleanText(`${lock.operator}@${lock.host}`, 80)} ${since} ago, ${until}${reason}`;
    }
    case 'unknown-holder':
      return `held by an unknown worker, ${until}${pausing}`;
    default:
      return lock satisfies never;
  }
}

function remainingTime(expiresAtEpochMs: number | null, nowEpochMs: number): string {
  return expiresAtEpochMs === null ? 'without end' : `${formatLeft(expiresAtEpochMs - nowEpochMs)} left`;
}

export function queueSection(snapshot: Snapshot, look: Look): string[] {
  const now = snapshot.takenAtEpochMs;
  return sectionOf('Queue', snapshot.queue, contextOf(snapshot, look), (queue) => [
    ...labelled('Queue', queueNumbers(queue, now), look),
    ...labelled('', `${drainWords(queue, now).text}${perMinute(queue, now)}`, look),
    ...labelled('Sent', throughput(queue), look),
  ]);
}

function queueNumbers(queue: QueueOverview, nowEpochMs: number): string {
  const oldest =
    queue.oldestReadyAtEpochMs === null ? '' : `, oldest ${formatAge(nowEpochMs - queue.oldestReadyAtEpochMs)}`;
  const retry =
    queue.waitingRetry === 0
      ? []
      : [
          `${plural(queue.waitingRetry, 'waits', 'wait')} for a retry (next at ${formatClock(queue.nextRetryAtEpochMs)} UTC)`,
        ];
  const expired = queue.expiredLeases === 0 ? '' : ` (${plural(queue.expiredLeases, 'expired lease')})`;
  const dead = queue.deadLetters === 0 ? 'no dead letters' : plural(queue.deadLetters, 'dead letter');
  const open = queue.unreviewedDeadLetters === 0 ? '' : ` (${formatCount(queue.unreviewedDeadLetters)} not reviewed)`;
  return [
    `${formatCount(queue.ready)} ready${oldest}`,
    ...retry,
    `${formatCount(queue.counts.processing)} in processing${expired}`,
    `${dead}${open}`,
  ].join(' · ');
}

function perMinute(queue: QueueOverview, nowEpochMs: number): string {
  const { sentPerMinute, enqueuedPerMinute } = ratesOf(queue, nowEpochMs);
  return `; ${rate(enqueuedPerMinute)} in, ${rate(sentPerMinute)} out a minute`;
}

function rate(each: number): string {
  return each > 0 && each < 10 ? each.toFixed(1) : formatCount(each);
}

/** The last two hours in five-minute steps. */
function throughput({ throughput }: QueueOverview): string {
  const sent = throughput.map((bucket) => bucket.sent);
  const failed = throughput.reduce((sum, bucket) => sum + bucket.failed, 0);
  const total = sent.reduce((sum, count) => sum + count, 0);
  return `${sparkline(sent)} ${formatCount(total)} sent, ${formatCount(failed)} failed in 2 h`;
}

export function quotaSection(snapshot: Snapshot, look: Look): string[] {
  return sectionOf('Quota', snapshot.queue, contextOf(snapshot, look), (queue) => {
    const forecasts = quotaForecast(queue, snapshot.takenAtEpochMs);
    const runsOut = ({ provider }: ProviderQuota) => {
      const at = forecasts.find((forecast) => forecast.provider === provider)?.runsOutAtEpochMs ?? null;
      if (at === null) return '';
      return at <= snapshot.takenAtEpochMs ? 'used up' : `until ${formatClock(at)}`;
    };
    const cells = Math.max(4, Math.min(20, Math.floor((look.columns - WIDTH_BESIDE_BARS) / 2)));
    const use = (of: (quota: ProviderQuota) => QuotaUse) => ({
      cell: (quota: ProviderQuota) => {
        const { sent, limit } = of(quota);
        const percent = percentUsed(of(quota));
        return `${bar(percent, cells)} ${formatPercent(percent).padStart(5)} ${formatCount(sent)}/${formatCount(limit)}`;
      },
      role: (quota: ProviderQuota): Role => QUOTA_ROLE[quotaStatus(percentUsed(of(quota)))],
    });
    return table<ProviderQuota>(
      [
        { title: 'Quota', cell: ({ provider }) => `  ${provider}` },
        { title: 'day', ...use(({ day }) => day) },
        { title: 'month', ...use(({ month }) => month) },
        { title: '', cell: runsOut, role: () => 'warning' },
      ],
      completeQuotas(queue.quotas),
      look,
    );
  });
}

/** What a line of the quota table takes at most, its two bars left out. */
const WIDTH_BESIDE_BARS = 62;

const QUOTA_ROLE = { ok: 'ok', warning: 'warning', exhausted: 'critical' } as const;

export function healthSection(snapshot: Snapshot, look: Look): string[] {
  const now = snapshot.takenAtEpochMs;
  return sectionOf('Health', snapshot.health, contextOf(snapshot, look), ({ report, lastError }) => {
    const failing = lastError === null ? '' : `; last check failed: ${clean(lastError.message)}`;
    if (report === null) return labelled('Health', `no check in the last 5 minutes${failing}`, look);
    const best = report.bestProvider === null ? '' : `, best ${cleanText(report.bestProvider, 20)}`;
    const head = `${report.healthyProviders} of ${report.totalProviders} providers healthy${best}, checked ${formatAge(now - report.checkedAtEpochMs)} ago${failing}`;
    return [...labelled('Health', head, look), ...table(HEALTH_COLUMNS, report.providers, look, 2)];
  });
}

const HEALTH_COLUMNS = [
  { title: '', cell: ({ provider }: ProviderHealth) => cleanText(provider, 20) },
  {
    title: '',
    cell: ({ status }: ProviderHealth) => status,
    role: ({ status }: ProviderHealth): Role =>
      status === 'ok' ? 'ok' : status === 'error' ? 'critical' : status === 'degraded' ? 'warning' : 'muted',
  },
  { title: '', align: 'right', cell: ({ healthScore }: ProviderHealth) => `${Math.round(healthScore)}/100` },
  { title: '', align: 'right', cell: ({ latencyMs }: ProviderHealth) => formatLatency(latencyMs) },
  { title: '', shrinkTo: 10, cell: ({ message }: ProviderHealth) => clean(message ?? '') },
] as const;

export function alertSection(snapshot: Snapshot, look: Look): string[] {
  return sectionOf('Alerts', snapshot.alerts, contextOf(snapshot, look), ({ alerts }) => {
    const open = alerts.filter(({ acknowledged }) => acknowledged === null);
    if (alerts.length === 0) return labelled('Alerts', 'none', look);
    const known = alerts.length - open.length;
    const head = `${formatCount(open.length)} open${known === 0 ? '' : `, ${formatCount(known)} acknowledged`}`;
    const more = open.length > ALERTS_SHOWN ? [`  … and ${formatCount(open.length - ALERTS_SHOWN)} more`] : [];
    const columns = alertColumns(snapshot.takenAtEpochMs);
    return [...labelled('Alerts', head, look), ...table(columns, open.slice(0, ALERTS_SHOWN), look, 2), ...more];
  });
}

function alertColumns(nowEpochMs: number) {
  const age = ({ atEpochMs }: Alert) => (atEpochMs === null ? 'no time' : `${formatAge(nowEpochMs - atEpochMs)} ago`);
  return [
    { title: '', align: 'right', cell: age },
    { title: '', cell: ({ severity }: Alert) => severity, role: (): Role => 'critical' },
    { title: '', shrinkTo: 20, cell: ({ text }: Alert) => clean(text) },
    { title: '', cell: ({ repeats }: Alert) => (repeats > 1 ? `×${formatCount(repeats)}` : '') },
  ] as const;
}

export function runSection(snapshot: Snapshot, look: Look): string[] {
  return sectionOf('Runs', snapshot.runs, contextOf(snapshot, look), ({ runs }) => {
    if (runs.length === 0) return labelled('Runs', 'none recorded', look);
    const columns = runColumns(snapshot.takenAtEpochMs);
    return [...labelled('Runs', 'newest first', look), ...table(columns, newestRuns(runs), look, 2)];
  });
}

function runColumns(nowEpochMs: number) {
  return [
    { title: '', align: 'right', cell: (run: RunRecord) => `${formatAge(nowEpochMs - run.startedAtEpochMs)} ago` },
    { title: '', cell: (run: RunRecord) => cleanText(run.worker, 20) },
    {
      title: '',
      cell: (run: RunRecord) => cleanText(run.outcome, 10),
      role: (run: RunRecord): Role => (run.outcome === 'failed' ? 'critical' : run.outcome === 'ok' ? 'ok' : 'muted'),
    },
    { title: '', align: 'right', cell: (run: RunRecord) => formatLatency(run.durationMs) },
    { title: '', shrinkTo: 12, cell: whatItDid },
    { title: '', shrinkTo: 6, cell: (run: RunRecord) => `${cleanText(run.trigger, 20)}@${cleanText(run.host, 40)}` },
  ] as const;
}

/** The feed is in the order of their ends. */
function newestRuns(runs: readonly RunRecord[]): readonly RunRecord[] {
  return runs.toSorted((a, b) => b.startedAtEpochMs - a.startedAtEpochMs).slice(0, RUNS_SHOWN);
}

function whatItDid(run: RunRecord): string {
  return run.error === null ? clean(runWords(run.worker, run)) : clean(run.error);
}

function contextOf(snapshot: Snapshot, look: Look) {
  return { look, nowEpochMs: snapshot.takenAtEpochMs };
}

function clean(text: string): string {
  return maskEmailsIn(cleanText(text, 200));
}
