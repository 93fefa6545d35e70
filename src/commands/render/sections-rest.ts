/** Sections of the status page that come last: the day, the schedules, what could not be read, and what looking cost. */
import { formatAge, formatClock, formatCount, formatPercent, plural } from '../../domain/format.ts';
import type { Loaded } from '../../domain/loaded.ts';
import type { Schedule } from '../../domain/schedule.ts';
import { scheduleStandings } from '../../domain/schedule-standing.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { cleanText } from '../../domain/text.ts';
import { wrap } from '../../domain/width.ts';
import { type Look, paint, type Role } from './look.ts';
import { labelled, sectionOf } from './section.ts';
import { table } from './table.ts';

export function todayLine(snapshot: Snapshot, look: Look): string[] {
  const context = { look, nowEpochMs: snapshot.takenAtEpochMs };
  return sectionOf('Today', snapshot.stats, context, ({ processed, successful, failed }) => {
    const share = processed === 0 ? '' : ` (${formatPercent((successful / processed) * 100)} successful)`;
    const text = `${formatCount(processed)} processed: ${formatCount(successful)} sent, ${formatCount(failed)} failed${share}`;
    return labelled('Today', text, look);
  });
}

export function scheduleSection(snapshot: Snapshot, look: Look): string[] {
  const context = { look, nowEpochMs: snapshot.takenAtEpochMs };
  return sectionOf('Schedules', snapshot.schedules, context, ({ schedules, deadLetters, deadLettersTruncated }) => {
    const missing = scheduleStandings(schedules).flatMap((each) => (each.kind === 'missing' ? [each.needed] : []));
    const facts = [
      schedules.length === 0 ? 'none' : `${formatCount(schedules.length)} in QStash`,
      ...(missing.length === 0 ? [] : [`missing: ${missing.map(({ id }) => id).join(', ')}`]),
      ...(deadLetters === 0
        ? []
        : [`${plural(deadLetters, 'dead delivery', 'dead deliveries')}${deadLettersTruncated ? ' or more' : ''}`]),
    ];
    const columns = scheduleColumns(snapshot.takenAtEpochMs);
    return [...labelled('Schedules', facts.join(' · '), look), ...table(columns, schedules, look, 2)];
  });
}

function scheduleColumns(nowEpochMs: number) {
  return [
    { title: '', shrinkTo: 16, cell: ({ id }: Schedule) => cleanText(id, 60) },
    { title: '', cell: ({ cron }: Schedule) => cleanText(cron, 30) },
    {
      title: '',
      cell: (schedule: Schedule) => nextRun(schedule, nowEpochMs),
      role: ({ isPaused }: Schedule): Role | undefined => (isPaused ? 'warning' : undefined),
    },
    {
      title: '',
      cell: ({ lastState }: Schedule) => (lastState === 'unknown' ? '' : `last ${lastState}`),
      role: ({ lastState }: Schedule): Role => (lastState === 'fail' ? 'critical' : 'muted'),
    },
  ] as const;
}

function nextRun({ isPaused, nextRunAtEpochMs }: Schedule, nowEpochMs: number): string {
  if (isPaused) return 'paused';
  if (nextRunAtEpochMs === null) return '';
  return `next ${formatClock(nextRunAtEpochMs)} UTC, in ${formatAge(nextRunAtEpochMs - nowEpochMs)}`;
}

const PARTS = ['lock', 'health', 'alerts', 'metrics', 'stats', 'runs', 'queue', 'schedules'] as const;

/** Which parts are missing or old, and why. What to do stands with the verdict's reasons. */
export function unreachableSection(snapshot: Snapshot, look: Look): string[] {
  const partsByMessage = new Map<string, string[]>();
  for (const part of PARTS) {
    const loaded: Loaded<unknown> = snapshot[part];
    if (loaded.state === 'ok') continue;
    const message = cleanText(loaded.error.message);
    partsByMessage.set(message, [...(partsByMessage.get(message) ?? []), part]);
  }
  return [...partsByMessage].flatMap(([message, parts], index) =>
    labelled(index === 0 ? 'Not read' : '', `${parts.join(', ')}: ${message}`, look),
  );
}

export function costLine({ cost }: Snapshot, look: Look): string[] {
  const text = [
    `${plural(cost.redisCommands, 'Redis command')} in ${plural(cost.redisRoundTrips, 'round trip')}`,
    plural(cost.postgresRoundTrips, 'Postgres round trip'),
    plural(cost.qstashRequests, 'QStash request'),
  ].join(' · ');
  return wrap(`Cost of this look: ${text}`, look.columns).map((line) => paint('muted', line, look));
}
