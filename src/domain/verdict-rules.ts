/**
 * The rules of the verdict, one small pure function each: what it looks at may be missing, then it says nothing. A new rule
 * is a function and a row in {@link VERDICT_RULES}.
 */
import { isCriticalAlert } from './alert.ts';
import { drainForecast, quotaReturnsAtEpochMs, RATE_WINDOW_MS } from './drain.ts';
import { formatAge, formatClock, formatCount, formatInstant, formatLeft, formatPercent, plural } from './format.ts';
import { lastValue } from './loaded.ts';
import type { QueueOverview } from './queue.ts';
import { type QuotaUse, remaining, remainingToday } from './quota.ts';
import type { WorkerName } from './run.ts';
import { expectedScheduleOf, type Schedule } from './schedule.ts';
import { workersFor } from './schedule-plan.ts';
import { callIntervalMs, schedulesCalling } from './schedule-standing.ts';
import type { Snapshot } from './snapshot.ts';
import { cleanText } from './text.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, utcDay } from './time.ts';
import { one, quoted, reason, type VerdictReason, type VerdictThresholds } from './verdict-reason.ts';
import { malformedEntries, migrationMissing, notConfigured, systemsUnreachable } from './verdict-systems.ts';

export type VerdictRule = (snapshot: Snapshot, thresholds: VerdictThresholds) => readonly VerdictReason[];

/**
 * Reasons of the same level stand in this order, and the first is the headline: what stops email, then what slows it, causes
 * before what comes of them; then what was reported and nobody has looked at; then the rest.
 */
export const VERDICT_RULES: readonly VerdictRule[] = [
  systemsUnreachable,
  lockWithoutEnd,
  paused,
  allProvidersDown,
  allQuotasGone,
  noProcessorRun,
  providersDown,
  quotasGone,
  quotaTooSmall,
  lastRunFailed,
  failingDeliveries,
  noCompletion,
  queueGrowing,
  oldestReady,
  unacknowledgedAlerts,
  expiredLeases,
  noHealthCheck,
  healthCheckFailing,
  deadLetters,
  schedulesBroken,
  migrationMissing,
  notConfigured,
  malformedEntries,
];

function allProvidersDown(snapshot: Snapshot): readonly VerdictReason[] {
  const report = lastValue(snapshot.health)?.report;
  if (!report || report.totalProviders === 0 || report.healthyProviders > 0) return [];
  return reason('critical', 'all-providers-down', {
    text: `all ${report.totalProviders} providers down`,
    action: 'Pause the queue and look at the providers’ status pages.',
  });
}

function providersDown(snapshot: Snapshot): readonly VerdictReason[] {
  const report = lastValue(snapshot.health)?.report;
  if (!report || report.healthyProviders === 0) return [];
  return report.providers
    .filter(({ status, configured }) => status === 'error' && configured)
    .flatMap(({ provider, message }) =>
      reason('warning', 'provider-down', { text: `${provider} is down${message ? `: ${quoted(message)}` : ''}` }),
    );
}

function allQuotasGone(snapshot: Snapshot): readonly VerdictReason[] {
  const overview = lastValue(snapshot.queue);
  if (overview === undefined || !isQuotaGone(snapshot)) return [];
  const waiting = waitingIn(overview);
  const until = returnsAt(overview, snapshot.takenAtEpochMs);
  return reason(waiting > 0 ? 'critical' : 'warning', 'all-quotas-gone', {
    text: `quota of all providers gone, ${formatCount(waiting)} waiting until ${until}`,
    action: 'Nothing is sent before that; raise a limit at a provider if it cannot wait.',
  });
}

function quotasGone(snapshot: Snapshot): readonly VerdictReason[] {
  const overview = lastValue(snapshot.queue);
  if (overview === undefined || isQuotaGone(snapshot)) return [];
  const gone = overview.quotas.filter((quota) => remainingToday(quota) === 0);
  return gone.flatMap(({ provider, day, month, countedAtEpochMs }) => {
    const [use, span] = remaining(day) === 0 ? [day, 'today'] : [month, 'this month'];
    const count = `${formatCount(use.sent)}/${formatCount(use.limit)} ${span}`;
    const since = goneAt(use, countedAtEpochMs, snapshot.takenAtEpochMs);
    return reason('warning', 'quota-gone', {
      text: `${provider} quota gone${since} (${count}), ${formatCount(waitingIn(overview))} waiting`,
    });
  });
}

/** ` at 21:40`, when the email was counted that was the last one. Where more were sent than that, nobody can tell. */
function goneAt({ sent, limit }: QuotaUse, countedAtEpochMs: number | undefined, nowEpochMs: number): string {
  if (countedAtEpochMs === undefined || sent !== limit) return '';
  const isToday = utcDay(countedAtEpochMs) === utcDay(nowEpochMs);
  return ` at ${isToday ? formatClock(countedAtEpochMs) : formatInstant(countedAtEpochMs)}`;
}

function quotaTooSmall(snapshot: Snapshot): readonly VerdictReason[] {
  const overview = lastValue(snapshot.queue);
  if (overview === undefined || overview.quotas.length === 0) return [];
  const left = overview.quotas.reduce((sum, quota) => sum + remainingToday(quota), 0);
  const staying = waitingIn(overview) - left;
  if (left === 0 || staying <= 0) return [];
  return reason('warning', 'quota-too-small', {
    text: `quota too small: ${formatCount(staying)} of ${formatCount(waitingIn(overview))} waiting stay until ${returnsAt(overview, snapshot.takenAtEpochMs)}, ${formatCount(left)} left`,
  });
}

function oldestReady(snapshot: Snapshot, thresholds: VerdictThresholds): readonly VerdictReason[] {
  const oldest = lastValue(snapshot.queue)?.oldestReadyAtEpochMs;
  if (typeof oldest !== 'number') return [];
  const waitedMs = databaseNowEpochMs(snapshot) - oldest;
  if (waitedMs < thresholds.readyWaitWarningMs) return [];
  const isExplained = isPaused(snapshot) || isQuotaGone(snapshot);
  const level = waitedMs >= thresholds.readyWaitCriticalMs && !isExplained ? 'critical' : 'warning';
  return reason(level, 'oldest-ready', { text: `oldest ready email has waited ${formatAge(waitedMs)}` });
}

/** Legacy workers leave no run records, so a completed email or a schedule that fired counts as a sign of life too. */
function noProcessorRun(snapshot: Snapshot, thresholds: VerdictThresholds): readonly VerdictReason[] {
  const runs = lastValue(snapshot.runs)?.runs.filter((run) => run.worker === 'queue-processor') ?? [];
  const [newest] = runs;
  if (newest === undefined || isPaused(snapshot)) return [];
  const schedules = lastValue(snapshot.schedules)?.schedules ?? [];
  const intervalMs = expectedIntervalMs('queue-processor', schedules);
  const lastAt = Math.max(
    newest.startedAtEpochMs + newest.durationMs,
    lastValue(snapshot.queue)?.lastCompletedAtEpochMs ?? 0,
    ...schedulesCalling('queue-processor', schedules).map(({ lastRunAtEpochMs }) => lastRunAtEpochMs ?? 0),
  );
  const silentMs = snapshot.takenAtEpochMs - lastAt;
  if (silentMs < intervalMs * thresholds.missedIntervalsWarning || isWorkerAlive(snapshot)) return [];
  const isWaiting = (lastValue(snapshot.queue)?.ready ?? 0) > 0;
  const isLong = silentMs >= intervalMs * thresholds.missedIntervalsCritical;
  return reason(isLong && isWaiting ? 'critical' : 'warning', 'no-processor-run', {
    text: `no processor run for ${formatAge(silentMs)} (every ${formatAge(intervalMs)} expected)`,
    action: 'email-ops run queue-processor, then email-ops schedules list',
  });
}

function lastRunFailed(snapshot: Snapshot): readonly VerdictReason[] {
  const newest = lastValue(snapshot.runs)?.runs.find((run) => run.worker === 'queue-processor');
  if (newest?.outcome !== 'failed') return [];
  return reason('warning', 'last-run-failed', {
    text: `last processor run failed${newest.error === null ? '' : `: ${quoted(newest.error)}`}`,
    action: 'email-ops doctor',
  });
}

function failingDeliveries(snapshot: Snapshot, thresholds: VerdictThresholds): readonly VerdictReason[] {
  const overview = lastValue(snapshot.queue);
  if (overview === undefined) return [];
  const since = snapshot.takenAtEpochMs - RATE_WINDOW_MS;
  const recent = overview.throughput.filter(({ atEpochMs }) => atEpochMs > since);
  const failed = recent.reduce((sum, bucket) => sum + bucket.failed, 0);
  const total = recent.reduce((sum, bucket) => sum + bucket.sent, failed);
  if (total < thresholds.failureMinimum || failed < total * thresholds.failureWarning) return [];
  const level = failed >= total * thresholds.failureCritical ? 'critical' : 'warning';
  return reason(level, 'failing-deliveries', {
    text: `${formatPercent((failed / total) * 100)} of the deliveries of the last 30 min failed (${formatCount(failed)} of ${formatCount(total)})`,
    action: 'email-ops queue list --status queued shows the errors.',
  });
}

/** The deployed lock always has an expiry; one without would keep every worker out for ever. */
function lockWithoutEnd(snapshot: Snapshot): readonly VerdictReason[] {
  const state = lastValue(snapshot.lock);
  if (state === undefined || state.lock.kind === 'free' || state.lock.expiresAtEpochMs !== null) return [];
  const isRoom = (state.freeSlots ?? 0) + (state.otherSlotsHeld ?? 0) > 0;
  return reason('critical', 'lock-without-end', {
    text: isRoom
      ? 'a slot of the queue lock never expires: one worker fewer can run'
      : 'the queue lock never expires: no worker can run',
    action: 'Once no worker runs: email-ops pause --force, then email-ops resume',
  });
}

function paused(snapshot: Snapshot): readonly VerdictReason[] {
  const state = lastValue(snapshot.lock);
  if (state?.lock.kind === 'paused' && state.announcedPause === null)
    return [pauseReason('queue paused', 'paused', state.lock, snapshot.takenAtEpochMs)];
  if (!state?.announcedPause) return [];
  return [pauseReason('queue is being paused', 'pausing', state.announcedPause, snapshot.takenAtEpochMs)];
}

function pauseReason(
  what: string,
  code: string,
  pause: { operator: string; host: string; reason: string; expiresAtEpochMs: number | null },
  nowEpochMs: number,
): VerdictReason {
  const why = pause.reason === '' ? '' : `: "${quoted(pause.reason)}"`;
  const { expiresAtEpochMs } = pause;
  const left = expiresAtEpochMs === null ? 'without end' : `${formatLeft(expiresAtEpochMs - nowEpochMs)} left`;
  const text = `${what} by ${cleanText(`${pause.operator}@${pause.host}`, 80)}${why}, ${left}`;
  return one('warning', code, { text, action: 'email-ops resume' });
}

/**
 * `CRITICAL:` of the last day is urgent; `ERROR:` wants a look. The list itself never forgets, and legacy entries carry no
 * time. What the alert says comes first: on a narrow screen the rest is cut.
 */
function unacknowledgedAlerts(snapshot: Snapshot): readonly VerdictReason[] {
  const alerts = lastValue(snapshot.alerts)?.alerts ?? [];
  const open = alerts.filter(({ severity, acknowledged }) => isCriticalAlert(severity) && acknowledged === null);
  const isRecent = (atEpochMs: number | null) => atEpochMs !== null && atEpochMs > snapshot.takenAtEpochMs - DAY_MS;
  const urgent = open.find(({ severity, atEpochMs }) => severity === 'critical' && isRecent(atEpochMs));
  const shown = urgent ?? open[0];
  if (shown === undefined) return [];
  const which = open.length === 1 ? 'unacknowledged alert' : `1 of ${formatCount(open.length)} unacknowledged alerts`;
  return reason(urgent === undefined ? 'warning' : 'critical', 'unacknowledged-alerts', {
    text: `${quoted(shown.text).replace(/\.$/, '')} (${which})`,
    action: 'email-ops alerts list, then email-ops alerts ack; in the dashboard 3 and a',
  });
}

/** When a batch has only just been claimed, the last completion may be long ago: its age counts as well. */
function noCompletion(snapshot: Snapshot, { noCompletionMs }: VerdictThresholds): readonly VerdictReason[] {
  const overview = lastValue(snapshot.queue);
  const since = overview?.oldestProcessingAtEpochMs;
  if (overview === undefined || overview.counts.processing === 0 || typeof since !== 'number') return [];
  const silentMs = databaseNowEpochMs(snapshot) - Math.max(since, overview.lastCompletedAtEpochMs ?? 0);
  if (silentMs < noCompletionMs) return [];
  return reason('warning', 'no-completion', {
    text: `${plural(overview.counts.processing, 'email')} in processing but none completed for ${formatAge(silentMs)}`,
  });
}

function expiredLeases(snapshot: Snapshot): readonly VerdictReason[] {
  const count = lastValue(snapshot.queue)?.expiredLeases ?? 0;
  if (count === 0) return [];
  return reason('warning', 'expired-leases', {
    text: `${plural(count, 'expired lease')}: a worker stopped in the middle`,
    action: 'The next run takes them over by itself.',
  });
}

function queueGrowing(snapshot: Snapshot): readonly VerdictReason[] {
  const overview = lastValue(snapshot.queue);
  if (overview === undefined || isPaused(snapshot)) return [];
  const forecast = drainForecast(overview, snapshot.takenAtEpochMs);
  if (forecast.kind !== 'growing') return [];
  return reason('warning', 'queue-growing', {
    text: `queue grows by ${formatCount(forecast.perMinute)} a minute`,
    action: 'Raise EMAIL_BATCH_SIZE or EMAIL_CONCURRENCY, or run the processor more often.',
  });
}

/** Where the monitor never wrote a metric there is none to miss. */
function noHealthCheck(snapshot: Snapshot, thresholds: VerdictThresholds): readonly VerdictReason[] {
  const newest = lastValue(snapshot.metrics)?.points.at(-1)?.atEpochMs;
  if (newest === undefined) return [];
  const intervalMs = expectedIntervalMs('health-monitor', lastValue(snapshot.schedules)?.schedules ?? []);
  const silentMs = snapshot.takenAtEpochMs - newest;
  if (silentMs < intervalMs * thresholds.missedIntervalsWarning) return [];
  return reason('warning', 'no-health-check', {
    text: `no health check for ${formatAge(silentMs)} (every ${formatAge(intervalMs)} expected)`,
    action: 'email-ops run health-monitor',
  });
}

function healthCheckFailing(snapshot: Snapshot): readonly VerdictReason[] {
  const error = lastValue(snapshot.health)?.lastError;
  if (!error) return [];
  return reason('warning', 'health-check-failing', { text: `health check fails: ${quoted(error.message)}` });
}

function deadLetters(snapshot: Snapshot): readonly VerdictReason[] {
  const count = lastValue(snapshot.queue)?.unreviewedDeadLetters ?? 0;
  if (count === 0) return [];
  return reason('warning', 'dead-letters', {
    text: `${plural(count, 'dead letter')} not reviewed`,
    action: 'email-ops queue list --dead',
  });
}

function schedulesBroken(snapshot: Snapshot): readonly VerdictReason[] {
  const overview = lastValue(snapshot.schedules);
  if (overview === undefined) return [];
  const ours = overview.schedules.filter((schedule) => workersFor(schedule).length > 0);
  // One that is paused because another calls its workers, as after a change to the single tick, is no fault.
  const isReplaced = (schedule: Schedule) =>
    workersFor(schedule).every((worker) => schedulesCalling(worker, overview.schedules).length > 0);
  const action = 'email-ops schedules list';
  return [
    ...ours
      .filter((schedule) => schedule.isPaused && !isReplaced(schedule))
      .flatMap(({ id }) => reason('warning', 'schedule-paused', { text: `schedule ${id} is paused`, action })),
    ...ours
      .filter(({ isPaused, lastState }) => !isPaused && lastState === 'fail')
      .flatMap(({ id }) => reason('warning', 'schedule-failing', { text: `last delivery of ${id} failed`, action })),
    ...(overview.deadLetters === 0
      ? []
      : reason('warning', 'qstash-dead-letters', {
          text: `QStash gave up on ${plural(overview.deadLetters, 'delivery', 'deliveries')}${overview.deadLettersTruncated ? ' or more' : ''}`,
          action: 'email-ops schedules list; in the dashboard 5 delivers them again or deletes them',
        })),
  ];
}

function isPaused(snapshot: Snapshot): boolean {
  return lastValue(snapshot.lock)?.lock.kind === 'paused';
}

/** A long run leaves its record only at its end; until then its lock speaks for it. */
function isWorkerAlive(snapshot: Snapshot): boolean {
  const lock = lastValue(snapshot.lock)?.lock;
  return lock?.kind === 'worker' || lock?.kind === 'unknown-holder';
}

function isQuotaGone(snapshot: Snapshot): boolean {
  const quotas = lastValue(snapshot.queue)?.quotas ?? [];
  return quotas.length > 0 && quotas.every((quota) => remainingToday(quota) === 0);
}

/** Ages of rows go by the database's own clock, where it told: ours may be minutes off. */
function databaseNowEpochMs({ queue, takenAtEpochMs }: Snapshot): number {
  if (queue.state === 'failed' || queue.value.databaseAtEpochMs === null) return takenAtEpochMs;
  return queue.value.databaseAtEpochMs + (takenAtEpochMs - queue.atEpochMs);
}

function waitingIn({ counts }: QueueOverview): number {
  return counts.queued + counts.processing;
}

/** `00:00 UTC`, or the date as well where it is more than a day away. */
function returnsAt(overview: QueueOverview, nowEpochMs: number): string {
  const atEpochMs = quotaReturnsAtEpochMs(overview.quotas, nowEpochMs);
  return atEpochMs - nowEpochMs > 24 * HOUR_MS + MINUTE_MS ? formatInstant(atEpochMs) : `${formatClock(atEpochMs)} UTC`;
}

/** By what QStash has, be it the three or the single tick; where it has nothing of ours, as it should be. */
function expectedIntervalMs(worker: WorkerName, schedules: readonly Schedule[]): number {
  return callIntervalMs(worker, schedules) ?? expectedScheduleOf(worker).intervalMs;
}
