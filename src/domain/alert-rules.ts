/**
 * The alerts that the health monitor raises by itself, one small pure function each: what a rule looks at may be missing,
 * then it says nothing. A new rule is a function and a row in {@link ALERT_RULES}.
 */
import { type AlertSeverity, fingerprintOf, isCriticalAlert } from './alert.ts';
import { quotaForecast } from './drain.ts';
import { formatClock, formatCount, plural } from './format.ts';
import type { Lock } from './lock.ts';
import type { MetricPoint } from './metric.ts';
import type { QueueOverview } from './queue.ts';
import { remainingToday } from './quota.ts';
import { expectedScheduleOf } from './schedule.ts';
import { cleanText, maskEmailsIn } from './text.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';

/** What the rules look at. Null: could not be read, or was never seen. */
export interface AlertFacts {
  readonly nowEpochMs: number;
  readonly queue: QueueOverview | null;
  readonly locks: readonly LockSighting[];
  /** Ascending; the last two hours are enough. */
  readonly points: readonly DepthPoint[];
  readonly lastProcessorRunAtEpochMs: number | null;
  /** How many dead letters that nobody had reviewed the previous check counted. */
  readonly previousDeadLetters: number | null;
  /** Failed health checks in a row, this one included. */
  readonly healthFailures: number;
  readonly healthError: string | null;
}

export type DepthPoint = Pick<MetricPoint, 'atEpochMs' | 'queueDepth'>;

/** One slot of the queue lock, and since when the monitor has seen this same holder in it. */
export interface LockSighting {
  readonly lock: Lock;
  readonly sinceEpochMs: number;
}

export interface AlertThresholds {
  readonly queueAgeMs: number;
  /** Growth within an hour that is worth an alert, in emails. */
  readonly queueGrowth: number;
  readonly missedProcessorRuns: number;
  readonly healthFailures: number;
  /** The longest that a healthy worker can hold a lock: its time budget, and the TTL of a lock that it did not release. */
  readonly lockHeldMs: number;
  /** The TTL that workers give the lock. */
  readonly lockTtlMs: number;
  /** Share of a pause after which it is announced that it will end, 0–1. */
  readonly pauseShare: number;
  /** The same alert is pushed again only after this. */
  readonly cooldownMs: number;
}

export const DEFAULT_ALERT_THRESHOLDS: AlertThresholds = {
  queueAgeMs: 15 * MINUTE_MS,
  queueGrowth: 100,
  missedProcessorRuns: 3,
  healthFailures: 3,
  lockHeldMs: 10 * MINUTE_MS,
  lockTtlMs: 5 * MINUTE_MS,
  pauseShare: 0.5,
  cooldownMs: HOUR_MS,
};

/** An alert before it is pushed. Alerts with the same key are repetitions of each other. */
export interface RaisedAlert {
  readonly key: string;
  readonly severity: Extract<AlertSeverity, 'critical' | 'error'>;
  readonly text: string;
}

export type AlertRule = (facts: AlertFacts, thresholds: AlertThresholds) => readonly RaisedAlert[];

export const ALERT_RULES: readonly AlertRule[] = [
  queueTooOld,
  noProcessorRun,
  queueGrowing,
  deadLettersArriving,
  quotaRunsOut,
  lockHeldTooLong,
  pauseOverItsShare,
  healthCheckFailing,
];

/** Every alert that the facts call for, in the order of the rules. */
export function raisedAlerts(facts: AlertFacts, thresholds: AlertThresholds): readonly RaisedAlert[] {
  return ALERT_RULES.flatMap((rule) => rule(facts, thresholds));
}

/** The critical ones of what the email function reports, cleaned for the list. `WARNING:` and `ALERT:` are not for it. */
export function criticalReports(reports: readonly string[]): readonly RaisedAlert[] {
  return reports.flatMap((report) => {
    const match = /^\s*(ERROR|CRITICAL):\s*(.+)$/s.exec(report);
    const severity = match?.[1] === 'CRITICAL' ? 'critical' : 'error';
    const text = maskEmailsIn(cleanText(match?.[2] ?? ''));
    return text === '' || !isCriticalAlert(severity) ? [] : [{ key: fingerprintOf(severity, text), severity, text }];
  });
}

/** A pause holds mail back on purpose; then only the pause itself is a reason. */
function queueTooOld(facts: AlertFacts, { queueAgeMs }: AlertThresholds): readonly RaisedAlert[] {
  const oldest = facts.queue?.oldestReadyAtEpochMs ?? null;
  if (oldest === null || isPaused(facts) || facts.nowEpochMs - oldest < queueAgeMs) return [];
  return critical('queue-too-old', `The oldest ready email has waited ${minutes(facts.nowEpochMs - oldest)}.`);
}

/**
 * Legacy processors leave no run record: a completed email or a held lock is a sign of life too. Where none was ever seen
 * the queue tells: an empty one needs no processor.
 */
function noProcessorRun(facts: AlertFacts, { missedProcessorRuns }: AlertThresholds): readonly RaisedAlert[] {
  const { queue, nowEpochMs, lastProcessorRunAtEpochMs } = facts;
  const isHeld = facts.locks.some(({ lock }) => lock.kind !== 'free');
  const lastAt = Math.max(lastProcessorRunAtEpochMs ?? 0, queue?.lastCompletedAtEpochMs ?? 0);
  const limitMs = expectedScheduleOf('queue-processor').intervalMs * missedProcessorRuns;
  if (isHeld || nowEpochMs - lastAt < limitMs) return [];
  if (lastProcessorRunAtEpochMs === null) {
    const oldest = queue?.oldestReadyAtEpochMs ?? null;
    if (oldest === null || nowEpochMs - oldest < limitMs) return [];
    return critical('no-processor-run', 'No run of the queue processor was ever seen, and emails are waiting.');
  }
  return critical('no-processor-run', `The queue processor has not run for ${minutes(nowEpochMs - lastAt)}.`);
}

/** Deeper than half an hour ago, which was deeper than an hour ago: a burst that is being worked off is no reason. */
function queueGrowing(facts: AlertFacts, { queueGrowth }: AlertThresholds): readonly RaisedAlert[] {
  if (facts.queue === null || isPaused(facts)) return [];
  const now = facts.queue.counts.queued + facts.queue.counts.processing;
  const before = depthAt(facts.points, facts.nowEpochMs - HOUR_MS);
  const between = depthAt(facts.points, facts.nowEpochMs - HOUR_MS / 2);
  if (before === null || between === null || now - before < queueGrowth) return [];
  if (between <= before || now <= between) return [];
  return error(
    'queue-growing',
    `The queue grew by ${plural(now - before, 'email')} in an hour, to ${formatCount(now)}.`,
  );
}

/** The depth at the point nearest to the instant, at most ten minutes off. */
function depthAt(points: readonly DepthPoint[], atEpochMs: number): number | null {
  let nearest: DepthPoint | null = null;
  for (const point of points) {
    if (point.queueDepth === null) continue;
    const distance = Math.abs(point.atEpochMs - atEpochMs);
    if (distance > 10 * MINUTE_MS) continue;
    if (nearest === null || distance < Math.abs(nearest.atEpochMs - atEpochMs)) nearest = point;
  }
  return nearest?.queueDepth ?? null;
}

function deadLettersArriving({ queue, previousDeadLetters }: AlertFacts): readonly RaisedAlert[] {
  if (queue === null || previousDeadLetters === null) return [];
  // What an operator discards is reviewed with it, and no news.
  const arrived = queue.unreviewedDeadLetters - previousDeadLetters;
  if (arrived <= 0) return [];
  return error('dead-letters', `${plural(arrived, 'new dead letter')}; not reviewed: ${queue.unreviewedDeadLetters}.`);
}

function quotaRunsOut({ queue, nowEpochMs }: AlertFacts): readonly RaisedAlert[] {
  if (queue === null) return [];
  return quotaForecast(queue, nowEpochMs).flatMap(({ provider, runsOutAtEpochMs }) => {
    const quota = queue.quotas.find((each) => each.provider === provider);
    // A quota that is gone needs no forecast; what it holds up shows in the queue.
    if (runsOutAtEpochMs === null || quota === undefined || remainingToday(quota) === 0) return [];
    return error(
      `quota-forecast:${provider}`,
      `The quota of ${provider} will be used up at about ${formatClock(runsOutAtEpochMs)} UTC at this rate.`,
    );
  });
}

function lockHeldTooLong(facts: AlertFacts, thresholds: AlertThresholds): readonly RaisedAlert[] {
  return facts.locks.flatMap(({ lock, sinceEpochMs }) => {
    if (lock.kind !== 'worker' && lock.kind !== 'unknown-holder') return [];
    const holder = lock.kind === 'worker' ? cleanText(`worker ${lock.host}/${lock.pid}`, 80) : 'an unknown worker';
    if (lock.expiresAtEpochMs === null)
      return critical('lock-without-end', `The queue lock, held by ${holder}, never expires: no other worker can run.`);
    const leftMs = lock.expiresAtEpochMs - facts.nowEpochMs;
    if (leftMs > thresholds.lockTtlMs + 5 * SECOND_MS)
      return error('lock-too-long', `The queue lock, held by ${holder}, ends only in ${minutes(leftMs)}.`);
    const heldMs = facts.nowEpochMs - sinceEpochMs;
    if (heldMs <= thresholds.lockHeldMs) return [];
    return error('lock-too-long', `The queue lock has been held by ${holder} for ${minutes(heldMs)}.`);
  });
}

function pauseOverItsShare(facts: AlertFacts, { pauseShare }: AlertThresholds): readonly RaisedAlert[] {
  // A pause takes every slot with the same words: one alert tells it all.
  const lock = facts.locks.map((sighting) => sighting.lock).find(({ kind }) => kind === 'paused');
  if (lock?.kind !== 'paused') return [];
  const who = cleanText(`${lock.operator}@${lock.host}`, 80);
  const why = lock.reason === '' ? '' : ` ("${maskEmailsIn(cleanText(lock.reason, 120))}")`;
  if (lock.expiresAtEpochMs === null) return critical('pause', `The pause by ${who}${why} has no end.`);
  const lengthMs = lock.expiresAtEpochMs - lock.startedAtEpochMs;
  if (facts.nowEpochMs < lock.startedAtEpochMs + lengthMs * pauseShare) return [];
  return error('pause', `The pause by ${who}${why} ends in ${minutes(lock.expiresAtEpochMs - facts.nowEpochMs)}.`);
}

function healthCheckFailing(facts: AlertFacts, thresholds: AlertThresholds): readonly RaisedAlert[] {
  if (facts.healthFailures < thresholds.healthFailures) return [];
  const why = facts.healthError === null ? '' : `: ${maskEmailsIn(cleanText(facts.healthError, 200))}`;
  return error('health-check', `The health check has failed ${plural(facts.healthFailures, 'time')} in a row${why}`);
}

function isPaused({ locks }: AlertFacts): boolean {
  return locks.some(({ lock }) => lock.kind === 'paused');
}

/** Always minutes: the unit must not change, or the same alert would look like another one. */
function minutes(ms: number): string {
  return `${Math.max(1, Math.round(ms / MINUTE_MS))} min`;
}

function critical(key: string, text: string): readonly RaisedAlert[] {
  return [{ key, severity: 'critical', text }];
}

function error(key: string, text: string): readonly RaisedAlert[] {
  return [{ key, severity: 'error', text }];
}
