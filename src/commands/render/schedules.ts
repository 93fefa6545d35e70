/** QStash's schedules as a table, and what QStash gave up on. */
import { formatAge, plural } from '../../domain/format.ts';
import type { Schedule, ScheduleOverview } from '../../domain/schedule.ts';
import { cleanText } from '../../domain/text.ts';
import { type Look, paint, type Role } from './look.ts';
import { type Column, table } from './table.ts';

export function scheduleLines(overview: ScheduleOverview, nowEpochMs: number, look: Look): readonly string[] {
  const { schedules, deadLetters, deadLettersTruncated, skipped } = overview;
  const rows =
    schedules.length === 0
      ? ['QStash has no schedules. Create ours: email-ops schedules sync']
      : table(columns(nowEpochMs), schedules, look);
  const gaveUp = `${plural(deadLetters, 'dead letter')}${deadLettersTruncated ? ' or more' : ''}`;
  return [
    ...rows,
    '',
    deadLetters === 0 ? 'No dead letters.' : paint('warning', `${gaveUp}: messages that QStash gave up on.`, look),
    ...(skipped > 0 ? [paint('muted', `${plural(skipped, 'schedule')} could not be read.`, look)] : []),
  ];
}

function columns(nowEpochMs: number): readonly Column<Schedule>[] {
  return [
    { title: 'id', cell: ({ id }) => cleanText(id, 60) },
    { title: 'cron (UTC)', cell: ({ cron }) => cleanText(cron, 40) },
    {
      title: 'state',
      cell: ({ isPaused }) => (isPaused ? 'paused' : 'active'),
      role: ({ isPaused }) => (isPaused ? 'warning' : 'ok'),
    },
    {
      title: 'last',
      cell: ({ lastRunAtEpochMs }) =>
        lastRunAtEpochMs === null ? '–' : `${formatAge(nowEpochMs - lastRunAtEpochMs)} ago`,
    },
    { title: 'outcome', cell: ({ lastState }) => lastState, role: ({ lastState }) => ROLE_BY_STATE[lastState] },
    {
      title: 'next',
      cell: ({ isPaused, nextRunAtEpochMs }) =>
        isPaused || nextRunAtEpochMs === null ? '–' : `in ${formatAge(nextRunAtEpochMs - nowEpochMs)}`,
    },
    { title: 'destination', cell: ({ destination }) => cleanText(destination, 200), shrinkTo: 20 },
  ];
}

const ROLE_BY_STATE: Readonly<Record<Schedule['lastState'], Role>> = {
  success: 'ok',
  fail: 'critical',
  'in-progress': 'muted',
  unknown: 'muted',
};
