/** The panels of the view *Schedules*: the list, and what is known of the row that is selected. Pure. */
import type { Delivery } from '../../../domain/delivery.ts';
import { formatCount, plural } from '../../../domain/format.ts';
import type { MissedRun } from '../../../domain/missed.ts';
import type { ScheduleOverview } from '../../../domain/schedule.ts';
import type { ScheduleStanding } from '../../../domain/schedule-standing.ts';
import { outside } from '../../../domain/state-words.ts';
import { inside, type Rect } from '../../layout.ts';
import { BLANK, cut, fill, joinFitting, type Line, line, type Role, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { partPanel } from '../../part.ts';
import { type State, shownNow, shownPicture } from '../../state.ts';
import { type TableColumn, tableLines } from '../../table.ts';
import { addressed } from '../../words.ts';
import { deadLines, faultLines } from './dead-panel.ts';
import { type Fact, factLines, textLines } from './facts.ts';
import { missedHere } from './runs.ts';
import { type ScheduleRow, type SchedulesLocal, scheduleIdOf } from './schedule-rows.ts';
import {
  DELIVERY_WORDS,
  effortWords,
  lastWords,
  momentWords,
  nextWords,
  remarks,
  standingWords,
} from './schedule-words.ts';
import { windowOf } from './window.ts';

/** `selected` counts among the standings; -1 where the selection is elsewhere. */
export function scheduleListPanel(
  state: State,
  rect: Rect,
  standings: readonly ScheduleStanding[],
  selected: number,
): Panel {
  const nowEpochMs = shownNow(state);
  const frame = { id: 'schedule-list', rect, title: 'Schedules', part: shownPicture(state).schedules, nowEpochMs };
  return partPanel<ScheduleOverview>(frame, ({ skipped }, room) => {
    const { first, end } = windowOf(standings.length, Math.max(0, selected), room.height - 1);
    const wrong = standings.filter((each) => isWrong(each, state)).length;
    return {
      lines: tableLines({
        columns: columns(state, nowEpochMs),
        rows: standings.slice(first, end),
        width: room.width,
        selected: selected < 0 ? -1 : selected - first,
      }),
      more: line(
        seg(wrong === 0 ? 'as expected' : `${formatCount(wrong)} to look at`, wrong === 0 ? 'ok' : 'warning'),
        seg(end < standings.length ? `, ${formatCount(standings.length - end)} more below` : '', 'muted'),
        seg(skipped > 0 ? `, ${formatCount(skipped)} unreadable` : '', 'muted'),
      ),
      role: wrong === 0 ? 'muted' : 'warning',
    };
  });
}

function isWrong(standing: ScheduleStanding, state: State): boolean {
  if (standing.kind === 'foreign') return false;
  if (standing.kind === 'missing' || standing.kind === 'twice') return true;
  const { schedule } = standing;
  const differs = standing.kind === 'expected' && standing.differs.length > 0;
  return differs || schedule.isPaused || schedule.lastState === 'fail' || missedOf(standing, state) !== undefined;
}

function missedOf(standing: ScheduleStanding, state: State): MissedRun | undefined {
  const id = scheduleIdOf(standing);
  return missedHere(state).find(({ scheduleId }) => scheduleId === id);
}

function columns(state: State, nowEpochMs: number): readonly TableColumn<ScheduleStanding>[] {
  const now = (standing: ScheduleStanding) => standingWords(standing, missedOf(standing, state), nowEpochMs);
  const sign = (standing: ScheduleStanding): { text: string; role: Role } => {
    if (isWrong(standing, state)) return { text: '!', role: 'warning' };
    return standing.kind === 'foreign' ? { text: '·', role: 'muted' } : { text: '✓', role: 'ok' };
  };
  const last = (standing: ScheduleStanding) =>
    standing.kind === 'missing' ? { text: '', role: 'muted' as const } : lastWords(standing.schedule);
  return [
    { title: '', width: 1, cell: (each) => sign(each).text, role: (each) => sign(each).role },
    { title: 'schedule', width: 21, grow: 2, cell: (each) => outside(scheduleIdOf(each), 80) },
    {
      title: 'cron (UTC)',
      width: 12,
      from: 61,
      cell: (each) => outside(each.kind === 'missing' ? each.needed.cron : each.schedule.cron, 40),
      role: () => 'muted',
    },
    { title: 'next', width: 23, grow: 1, cell: (each) => now(each).text, role: (each) => now(each).role },
    { title: 'last', width: 17, from: 78, cell: (each) => last(each).text, role: (each) => last(each).role },
    {
      title: 'calls',
      width: 24,
      grow: 5,
      from: 112,
      leavesOut: 'start',
      cell: (each) => (each.kind === 'missing' ? '' : destinationWords(each.schedule.destination)),
      role: () => 'muted',
    },
  ];
}

/** Without the scheme, which only takes room. */
function destinationWords(destination: string): string {
  return outside(destination, 200).replace(/^https?:\/\//, '');
}

/** What is known of the selected row. */
export function scheduleDetailPanel(
  state: State,
  rect: Rect,
  { row, local }: { readonly row: ScheduleRow | undefined; readonly local: SchedulesLocal },
): Panel {
  const room = inside(rect);
  const lines = row === undefined ? [] : detailLines(state, row, { local, width: room.width });
  const first = Math.max(0, Math.min(local.isOpen ? local.scroll : 0, lines.length - room.height));
  const below = Math.max(0, lines.length - first - room.height);
  const what = row === undefined ? '' : row.kind === 'dead' ? 'Dead letter' : outside(scheduleIdOf(row.standing), 60);
  const hint = local.isOpen ? `${plural(below, 'line')} below, PgDn` : `${plural(below, 'line')} more, Enter`;
  const title = [
    line(seg(what === '' ? 'Nothing selected' : what, 'strong')),
    line(
      seg(
        row?.kind === 'schedule' && (below === 0 || room.width >= LEAST_FOR_ABOUT) ? 'its last messages' : '',
        'muted',
      ),
    ),
    line(seg(first === 0 ? '' : `${plural(first, 'line')} above`, 'muted')),
    line(seg(below === 0 ? '' : hint, 'muted')),
  ];
  return {
    id: 'schedule-detail',
    rect,
    frame: {
      title: joinFitting(title, Number.POSITIVE_INFINITY),
      role: 'muted',
    },
    lines: lines.slice(first, first + room.height).map((each) => cut(each, room.width)),
  };
}

/** Narrower, how to see the rest matters more. */
const LEAST_FOR_ABOUT = 70;

interface DetailOptions {
  readonly local: SchedulesLocal;
  readonly width: number;
}

export function detailLines(state: State, row: ScheduleRow, options: DetailOptions): Line[] {
  return row.kind === 'dead' ? deadLines(state, row.dead, options.width) : aboutSchedule(state, row.standing, options);
}

function aboutSchedule(state: State, standing: ScheduleStanding, { local, width }: DetailOptions): Line[] {
  const said = remarks(standing, missedOf(standing, state)).flatMap((text) =>
    textLines(text, width, standing.kind === 'foreign' || standing.kind === 'instead' ? 'muted' : 'warning'),
  );
  if (standing.kind === 'missing') return said;
  const { schedule } = standing;
  const retries = schedule.retries === undefined ? '' : `, ${plural(schedule.retries, 'retry', 'retries')}`;
  const call = `${schedule.method ?? 'POST'} ${outside(schedule.destination, 400)}${retries}`;
  const facts: Fact[] = [
    { label: 'calls', value: call },
    {
      label: 'next',
      value: schedule.isPaused ? 'paused until somebody resumes it (P)' : nextWords(schedule, shownNow(state)),
      role: schedule.isPaused ? 'warning' : 'text',
    },
  ];
  const { isOpen, deliveries } = local;
  return [
    ...said,
    // Beside the list, which says the rest, every line is a delivery less.
    ...(isOpen ? [...factLines(facts, width), BLANK] : [line(seg('calls ', 'muted'), call)]),
    ...deliveryLines(state, deliveries[schedule.id] ?? null, { width, isWrapped: isOpen }),
  ];
}

function deliveryLines(
  state: State,
  read: SchedulesLocal['deliveries'][string],
  { width, isWrapped }: { readonly width: number; readonly isWrapped: boolean },
): Line[] {
  if (read === null) return [line(seg('reading what QStash delivered…', 'muted'))];
  const fault = read.fault === null ? [] : faultLines(read.fault, width);
  if (read.value === null) return fault;
  if (read.value.deliveries.length === 0)
    return [...fault, line(seg('QStash remembers no message of it: its log goes back three days.', 'muted'))];
  return [...fault, ...read.value.deliveries.flatMap((each) => deliveryLine(state, each, { width, isWrapped }))];
}

const ERROR_INDENT = 8;

function deliveryLine(
  state: State,
  delivery: Delivery,
  { width, isWrapped }: { readonly width: number; readonly isWrapped: boolean },
): Line[] {
  const now = shownNow(state);
  const { sign, word, role } = DELIVERY_WORDS[delivery.state];
  const retry =
    delivery.nextAttemptAtEpochMs === null ? '' : `next try ${momentWords(delivery.nextAttemptAtEpochMs, now)}  `;
  const error = delivery.error === null ? '' : addressed(delivery.error, state.isMasked, 400);
  const head = [
    ...fill(line(seg(momentWords(delivery.createdAtEpochMs ?? delivery.lastAtEpochMs, now), 'muted')), MOMENT_WIDTH),
    seg(`${sign} `, role),
    ...fill(line(seg(word, role)), 11),
    ...fill(line(seg(effortWords(delivery), 'text')), 18),
    seg(retry, 'warning'),
  ];
  if (error === '') return [line(...head)];
  if (!isWrapped) return [line(...head, seg(error, role === 'ok' ? 'muted' : 'text'))];
  return [
    line(...head),
    ...textLines(error, width - ERROR_INDENT, 'muted').map((each) => [seg(' '.repeat(ERROR_INDENT)), ...each]),
  ];
}

const MOMENT_WIDTH = 12;
