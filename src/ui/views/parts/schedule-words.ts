/** Schedules and deliveries in the words of the view *Schedules*. Pure. */
import type { Delivery, MessageState } from '../../../domain/delivery.ts';
import { formatAge, formatClock, formatLatency, plural } from '../../../domain/format.ts';
import type { MissedRun } from '../../../domain/missed.ts';
import type { Schedule } from '../../../domain/schedule.ts';
import type { ScheduleStanding } from '../../../domain/schedule-standing.ts';
import { outside } from '../../../domain/state-words.ts';
import { MINUTE_MS, utcDay } from '../../../domain/time.ts';
import type { Role } from '../../line.ts';
import type { Words } from '../../words.ts';

/** What is to be said first of a schedule: what is wrong with it, else when it comes next. */
export function standingWords(standing: ScheduleStanding, missed: MissedRun | undefined, nowEpochMs: number): Words {
  if (standing.kind === 'missing') return { text: 'MISSING', role: 'warning' };
  const { schedule } = standing;
  if (schedule.isPaused) return { text: 'PAUSED', role: 'warning' };
  if (missed !== undefined) return { text: missedWords(missed), role: 'warning' };
  if (standing.kind === 'twice') return { text: 'calls a second time', role: 'warning' };
  if (standing.kind === 'expected' && standing.differs.length > 0) return { text: 'not as expected', role: 'warning' };
  return { text: nextWords(schedule, nowEpochMs), role: 'text' };
}

export function missedWords({ dueAtEpochMs, times }: MissedRun): string {
  return `was due ${formatClock(dueAtEpochMs)}, not seen${times > 1 ? ` (×${times})` : ''}`;
}

/** Whole minutes: a countdown by the second would be sent over the line by the second. */
export function nextWords({ nextRunAtEpochMs }: Schedule, nowEpochMs: number): string {
  if (nextRunAtEpochMs === null) return '';
  const inMs = nextRunAtEpochMs - nowEpochMs;
  if (inMs < 0) return `${formatClock(nextRunAtEpochMs)}, due`;
  return `${formatClock(nextRunAtEpochMs)}, in ${inMs < MINUTE_MS ? '<1 min' : formatAge(inMs)}`;
}

export function lastWords({ lastRunAtEpochMs, lastState }: Schedule): Words {
  const { text, role } = LAST_WORDS[lastState];
  if (lastRunAtEpochMs === null) return { text: 'never', role: 'muted' };
  return { text: `${formatClock(lastRunAtEpochMs)} ${text}`.trimEnd(), role };
}

const LAST_WORDS: Readonly<Record<Schedule['lastState'], Words>> = {
  success: { text: '✓ delivered', role: 'ok' },
  fail: { text: '✗ failed', role: 'critical' },
  'in-progress': { text: '▸ under way', role: 'accent' },
  unknown: { text: '', role: 'muted' },
};

/** All that is not as it should be, and what to do about it. */
export function remarks(standing: ScheduleStanding, missed: MissedRun | undefined): readonly string[] {
  const late =
    missed === undefined
      ? []
      : [`${missedWords(missed)}: neither a delivery nor a run of ${missed.workers.join(', ')}`];
  switch (standing.kind) {
    case 'missing':
      return [`QStash has no such schedule (${standing.needed.cron}). Create it: email-ops schedules sync`];
    case 'expected':
      return [
        ...standing.differs.map((text) => outside(text, 200)),
        ...(standing.differs.length > 0 ? ['Make it so: email-ops schedules sync'] : []),
        ...late,
      ];
    case 'instead':
      return [
        `under an id of its own, it calls what no schedule of ours calls: ${standing.workers.join(', ')}`,
        ...late,
      ];
    case 'twice':
      return [
        `another schedule calls ${standing.workers.join(', ')} already. email-ops schedules sync removes ours that are too many`,
      ];
    case 'foreign':
      return ['none of ours: it calls somebody else'];
    default:
      return standing satisfies never;
  }
}

interface StateWords {
  readonly sign: string;
  readonly word: string;
  readonly role: Role;
}

export const DELIVERY_WORDS: Readonly<Record<MessageState, StateWords>> = {
  created: { sign: '·', word: 'waits', role: 'muted' },
  active: { sign: '▸', word: 'under way', role: 'accent' },
  delivered: { sign: '✓', word: 'delivered', role: 'ok' },
  error: { sign: '!', word: 'failed', role: 'warning' },
  retry: { sign: '!', word: 'retries', role: 'warning' },
  failed: { sign: '✗', word: 'given up', role: 'critical' },
  cancelled: { sign: '·', word: 'cancelled', role: 'muted' },
};

/** How long it took and how often it was tried. */
export function effortWords({ createdAtEpochMs, lastAtEpochMs, attempts, state }: Delivery): string {
  const isOver = state === 'delivered' || state === 'failed';
  const took = isOver && createdAtEpochMs !== null ? formatLatency(lastAtEpochMs - createdAtEpochMs) : '';
  const tries = attempts > 1 ? plural(attempts, 'try', 'tries') : '';
  return [took, tries].filter((each) => each !== '').join(', ');
}

/** To the second, for what is compared with logs elsewhere: `2026-11-23 12:04:09 UTC`. */
export function stampWords(atEpochMs: number): string {
  return `${new Date(atEpochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `12:04:09`, or the day and `12:04` where that is not today; at most 11 cells. */
export function momentWords(atEpochMs: number | null, nowEpochMs: number): string {
  if (atEpochMs === null) return '';
  if (utcDay(atEpochMs) !== utcDay(nowEpochMs)) return `${utcDay(atEpochMs).slice(5)} ${formatClock(atEpochMs)}`;
  return new Date(atEpochMs).toISOString().slice(11, 19);
}
