/** What QStash gave up on: the list, and one of it whole. Pure. */
import type { DeadDelivery } from '../../../domain/delivery.ts';
import { formatCount } from '../../../domain/format.ts';
import type { Fault } from '../../../domain/loaded.ts';
import { outside } from '../../../domain/state-words.ts';
import { inside, type Rect } from '../../layout.ts';
import { type Line, line, seg } from '../../line.ts';
import type { Panel } from '../../panel.ts';
import { faultWord } from '../../part.ts';
import { type State, shownNow } from '../../state.ts';
import { type TableColumn, tableLines } from '../../table.ts';
import { addressed } from '../../words.ts';
import { factLines, textLines } from './facts.ts';
import type { SchedulesLocal } from './schedule-rows.ts';
import { momentWords, stampWords } from './schedule-words.ts';
import { windowOf } from './window.ts';

export function faultLines(fault: Fault, width: number): Line[] {
  return [
    ...textLines(`not readable (${faultWord(fault)}): ${outside(fault.message, 300)}`, width, 'warning'),
    ...(fault.remedy === undefined ? [] : textLines(outside(fault.remedy, 300), width, 'muted')),
  ];
}

export function deadLines(state: State, dead: DeadDelivery, width: number): Line[] {
  const at = (atEpochMs: number | null) => (atEpochMs === null ? '' : stampWords(atEpochMs));
  return factLines(
    [
      { label: 'reason', value: addressed(dead.reason, state.isMasked, 2_000), role: 'critical' },
      { label: 'calls', value: outside(dead.destination, 400) },
      { label: 'schedule', value: outside(dead.scheduleId ?? 'none: it was published by hand', 80) },
      { label: 'published', value: at(dead.createdAtEpochMs) },
      { label: 'given up', value: at(dead.diedAtEpochMs) },
      { label: 'message', value: outside(dead.messageId, 100) },
      {
        label: 'what to do',
        value: 'R delivers it again, x deletes it. QStash deletes it by itself after three days or more.',
        role: 'muted',
      },
    ],
    width,
  );
}

/** `selected` counts among the dead letters; -1 where the selection is elsewhere. */
export function deadPanel(
  state: State,
  rect: Rect,
  { local, selected }: { readonly local: SchedulesLocal; readonly selected: number },
): Panel {
  const room = inside(rect);
  const { dead, marked } = local;
  const messages = dead?.value?.messages ?? [];
  const { first, end } = windowOf(messages.length, Math.max(0, selected), room.height - 1);
  const hasMore = (dead?.value?.cursor ?? null) !== null;
  const count = `${formatCount(messages.length)}${hasMore ? ' and more' : ''}`;
  const picked = messages.filter(({ id }) => marked.includes(id)).length;
  const now = shownNow(state);
  const rows = messages.slice(first, end);
  const empty =
    dead === null
      ? [line(seg('reading what QStash gave up on…', 'muted'))]
      : dead.fault !== null
        ? faultLines(dead.fault, room.width)
        : [line(seg('QStash gave up on nothing.', 'muted'))];
  return {
    id: 'dead-deliveries',
    rect,
    frame: {
      title: line(
        seg('Dead letters of QStash', 'strong'),
        seg(messages.length === 0 ? '' : ` · ${count}`, 'warning'),
        seg(picked === 0 ? '' : `, ${formatCount(picked)} selected`, 'accent'),
        seg(dead?.value != null && dead.fault !== null ? ` · not refreshed: ${faultWord(dead.fault)}` : '', 'warning'),
      ),
      role: messages.length === 0 ? 'muted' : 'warning',
    },
    lines:
      rows.length === 0
        ? empty
        : tableLines({
            columns: deadColumns(state, marked, now),
            rows,
            width: room.width,
            selected: selected < 0 ? -1 : selected - first,
          }),
  };
}

function deadColumns(state: State, marked: readonly string[], now: number): readonly TableColumn<DeadDelivery>[] {
  return [
    { title: '', width: 1, cell: ({ id }) => (marked.includes(id) ? '●' : ''), role: () => 'accent' },
    { title: 'given up', width: 11, cell: ({ diedAtEpochMs }) => momentWords(diedAtEpochMs, now), role: () => 'muted' },
    {
      title: 'of',
      width: 21,
      cell: ({ scheduleId, destination }) => outside(scheduleId ?? calledWords(destination), 80),
    },
    {
      title: 'reason',
      width: 20,
      grow: 1,
      cell: ({ reason }) => addressed(reason, state.isMasked, 400),
      role: () => 'critical',
    },
  ];
}

/** The end of the path, which says what was called. */
function calledWords(destination: string): string {
  const path = URL.parse(destination)?.pathname ?? destination;
  return `…/${path.split('/').at(-1) ?? ''}`;
}
