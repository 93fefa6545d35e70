/**
 * What people are told by webhook: new critical alerts, pauses, and that they are over. A snapshot is boiled down to what
 * stands now; what of it is news is decided where all processes remember it (`data/told.ts`). Pure.
 */
import { type Alert, isCriticalAlert } from './alert.ts';
import { formatClock } from './format.ts';
import type { Snapshot } from './snapshot.ts';
import { outside } from './state-words.ts';
import { HOUR_MS, MINUTE_MS } from './time.ts';
import type { Verdict } from './verdict.ts';

/** Null stands for what could not be read: nothing is told of it, least of all that it is over. */
export interface Standing {
  readonly atEpochMs: number;
  readonly environment: string;
  readonly alerts: readonly Alert[] | null;
  readonly pause: StandingPause | 'none' | null;
  /** Nothing critical is left but alerts that nobody has acknowledged, and none of those is recent. */
  readonly isWell: boolean | null;
}

export interface StandingPause {
  readonly key: string;
  readonly operator: string;
  readonly reason: string;
  readonly untilEpochMs: number | null;
}

export type NoticeEvent = 'alert' | 'paused' | 'resumed' | 'recovered';

/** The generic JSON of the webhook is this with `version` and times in ISO. */
export interface Notice {
  readonly event: NoticeEvent;
  readonly level: 'critical' | 'warning' | 'ok';
  readonly environment: string;
  /** One clean line, addresses masked. */
  readonly text: string;
  readonly atEpochMs: number;
  /** Of an alert: the same for every repetition. */
  readonly fingerprint: string | null;
}

/** Older alerts are no news, however late somebody looks. Longer than an alert's cooldown. */
export const NEWS_MS = HOUR_MS + 5 * MINUTE_MS;
/** So long no new alert before it counts as over. */
export const QUIET_MS = 10 * MINUTE_MS;

export function standingOf(snapshot: Snapshot, verdict: Verdict): Standing {
  const { takenAtEpochMs, environment, alerts, lock } = snapshot;
  const open =
    alerts.state === 'ok'
      ? alerts.value.alerts.filter(({ severity, acknowledged }) => isCriticalAlert(severity) && acknowledged === null)
      : null;
  return {
    atEpochMs: takenAtEpochMs,
    environment: outside(environment.name, 60),
    alerts: open,
    pause: lock.state === 'ok' ? pauseOf(lock.value.lock) : null,
    isWell: open === null || snapshot.queue.state !== 'ok' ? null : isWell(open, verdict, takenAtEpochMs),
  };
}

function pauseOf(lock: Extract<Snapshot['lock'], { state: 'ok' }>['value']['lock']): StandingPause | 'none' {
  if (lock.kind !== 'paused') return 'none';
  const { operator, host, startedAtEpochMs, reason, expiresAtEpochMs } = lock;
  return {
    key: `${startedAtEpochMs}/${operator}@${host}`,
    operator: `${operator}@${host}`,
    reason,
    untilEpochMs: expiresAtEpochMs,
  };
}

function isWell(open: readonly Alert[], { reasons }: Verdict, nowEpochMs: number): boolean {
  const isBad = reasons.some(
    ({ level, code }) => (level === 'critical' || level === 'unreachable') && code !== 'unacknowledged-alerts',
  );
  return !isBad && open.every(({ atEpochMs }) => atEpochMs === null || atEpochMs < nowEpochMs - QUIET_MS);
}

export function alertNotice({ text, severity, atEpochMs, fingerprint }: Alert, standing: Standing): Notice {
  return notice(standing, {
    event: 'alert',
    level: 'critical',
    text: `${severity}: ${outside(text, 300)}`,
    atEpochMs: atEpochMs ?? standing.atEpochMs,
    fingerprint,
  });
}

export function pausedNotice({ operator, reason, untilEpochMs }: StandingPause, standing: Standing): Notice {
  const until = untilEpochMs === null ? '' : ` until ${formatClock(untilEpochMs)} UTC`;
  const why = reason === '' ? '' : `: ${outside(reason, 200)}`;
  return notice(standing, {
    event: 'paused',
    level: 'warning',
    text: `paused by ${outside(operator, 80)}${until}${why}`,
  });
}

export function resumedNotice(standing: Standing): Notice {
  return notice(standing, { event: 'resumed', level: 'ok', text: 'the pause is over, the workers go on' });
}

export function recoveredNotice(standing: Standing): Notice {
  return notice(standing, { event: 'recovered', level: 'ok', text: 'recovered: nothing critical any more' });
}

function notice(standing: Standing, own: Pick<Notice, 'event' | 'level' | 'text'> & Partial<Notice>): Notice {
  return { environment: standing.environment, atEpochMs: standing.atEpochMs, fingerprint: null, ...own };
}
