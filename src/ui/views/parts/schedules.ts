/** Schedules as a panel: those that the system lives by, three or the one tick, when they run next, and what QStash says of the last time. */
import { formatClock, plural } from '../../../domain/format.ts';
import type { MissedRun } from '../../../domain/missed.ts';
import type { Schedule, ScheduleOverview } from '../../../domain/schedule.ts';
import { scheduleStandings } from '../../../domain/schedule-standing.ts';
import { outside } from '../../../domain/state-words.ts';
import type { Rect } from '../../layout.ts';
import { cut, fill, type Line, line, type Segment, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { missedHere } from './runs.ts';

export function schedulesPanel(state: State, rect: Rect): Panel {
  const nowEpochMs = shownNow(state);
  const part = shownPicture(state).schedules;
  return partPanel<ScheduleOverview>(
    { id: 'schedules', rect, title: 'Schedules', part, nowEpochMs },
    (overview, room) => {
      const standings = scheduleStandings(overview.schedules);
      const asLines = (isForeign: boolean) =>
        standings
          .filter(({ kind }) => (kind === 'foreign') === isForeign)
          .map((standing) =>
            standing.kind === 'missing'
              ? line(seg(`✗ ${standing.needed.id} is missing (${standing.needed.cron})`, 'warning'))
              : scheduleLine(standing.schedule, state, room.width),
          );
      const lines = [...asLines(false), ...deadLine(overview), ...asLines(true)];
      return { lines: lines.slice(0, room.height).map((each) => cut(each, room.width)) };
    },
  );
}

/** What was missed matters more than when it comes again, and both more than the cron expression. */
function scheduleLine(schedule: Schedule, state: State, width: number): Line {
  const missed = missedHere(state).find(({ scheduleId }) => scheduleId === schedule.id);
  return line(
    missed !== undefined || schedule.isPaused ? seg('!', 'warning') : lastSign(schedule),
    ' ',
    ...fill(line(outside(schedule.id, 60)), 23),
    ...(width < WITH_CRON ? [] : fill(line(seg(outside(schedule.cron, 20), 'muted')), 14)),
    missed === undefined ? nextSegment(schedule, shownNow(state)) : missedSegment(missed, width),
  );
}

const WITH_CRON = 58;
const WITH_DUE = 44;

function missedSegment({ dueAtEpochMs }: MissedRun, width: number): Segment {
  const at = formatClock(dueAtEpochMs);
  return seg(width < WITH_DUE ? `${at} not seen` : `due ${at}, not seen`, 'warning');
}

function nextSegment({ isPaused, nextRunAtEpochMs }: Schedule, nowEpochMs: number): Segment {
  if (isPaused) return seg('paused', 'warning');
  if (nextRunAtEpochMs === null) return seg('');
  // A time that has passed only waits for the next look at QStash.
  return seg(nextRunAtEpochMs < nowEpochMs ? 'due' : `next ${formatClock(nextRunAtEpochMs)}`);
}

function lastSign({ lastState }: Schedule): Segment {
  switch (lastState) {
    case 'success':
      return seg('✓', 'ok');
    case 'fail':
      return seg('✗', 'critical');
    case 'in-progress':
      return seg('▸', 'accent');
    case 'unknown':
      return seg('·', 'muted');
    default:
      return lastState satisfies never;
  }
}

function deadLine({ deadLetters, deadLettersTruncated }: ScheduleOverview): Line[] {
  if (deadLetters === 0) return [];
  const text = `QStash gave up on ${plural(deadLetters, 'delivery', 'deliveries')}${deadLettersTruncated ? ' or more' : ''}`;
  return [line(seg(text, 'warning'))];
}
