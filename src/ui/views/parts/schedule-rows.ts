/** What the view *Schedules* lists: the schedules as they should be and as they are, then what QStash gave up on. Pure. */
import type { DeadDeliveries, DeadDelivery, DeliveryLog } from '../../../domain/delivery.ts';
import { type Fault, lastValue } from '../../../domain/loaded.ts';
import type { Schedule } from '../../../domain/schedule.ts';
import { type ScheduleStanding, scheduleStandings } from '../../../domain/schedule-standing.ts';
import { type State, shownPicture } from '../../state.ts';
import { FIRST, indexIn, type Selection } from './selection.ts';

export type ScheduleRow =
  | { readonly id: string; readonly kind: 'schedule'; readonly standing: ScheduleStanding }
  | { readonly id: string; readonly kind: 'dead'; readonly dead: DeadDelivery };

/** What was read beyond the snapshot; null while the first answer is awaited. */
export type Read<T> =
  | { readonly value: T; readonly fault: Fault | null }
  | { readonly value: null; readonly fault: Fault }
  | null;

export interface SchedulesLocal {
  readonly selection: Selection;
  /** Ids of dead letters that are selected together. */
  readonly marked: readonly string[];
  /** The selected row alone, over the whole view. */
  readonly isOpen: boolean;
  readonly scroll: number;
  readonly deliveries: Readonly<Record<string, Read<DeliveryLog>>>;
  readonly dead: Read<DeadDeliveries>;
  readonly isLoadingMore: boolean;
  /** When the schedules were read that the rest was read for, epoch ms. */
  readonly readForEpochMs: number | null;
}

export const SCHEDULES_FIRST: SchedulesLocal = {
  selection: FIRST,
  marked: [],
  isOpen: false,
  scroll: 0,
  deliveries: {},
  dead: null,
  isLoadingMore: false,
  readForEpochMs: null,
};

export function scheduleRows(state: State, { dead }: Pick<SchedulesLocal, 'dead'>): readonly ScheduleRow[] {
  const { schedules: part } = shownPicture(state);
  const known = part === null ? undefined : lastValue(part);
  if (known === undefined) return [];
  return [
    ...scheduleStandings(known.schedules).map(
      (standing): ScheduleRow => ({ id: `schedule/${scheduleIdOf(standing)}`, kind: 'schedule', standing }),
    ),
    ...(dead?.value?.messages ?? []).map((each): ScheduleRow => ({ id: `dead/${each.id}`, kind: 'dead', dead: each })),
  ];
}

export function selectedRow(state: State, local: SchedulesLocal): ScheduleRow | undefined {
  const rows = scheduleRows(state, local);
  return rows[
    indexIn(
      rows.map(({ id }) => id),
      local.selection,
    )
  ];
}

export function scheduleIdOf(standing: ScheduleStanding): string {
  return standing.kind === 'missing' ? standing.needed.id : standing.schedule.id;
}

/** Null where there is none: the standing is that it is missing, or the row is no schedule. */
export function scheduleOf(row: ScheduleRow | undefined): Schedule | null {
  return row?.kind !== 'schedule' || row.standing.kind === 'missing' ? null : row.standing.schedule;
}

/** Whether the selected schedule is paused: then the key lets it go on. */
export function isSelectedPaused(state: State): boolean {
  const local = state.local.schedules as SchedulesLocal | undefined;
  return scheduleOf(selectedRow(state, local ?? SCHEDULES_FIRST))?.isPaused === true;
}

/** The dead letters that a command is about: those that are marked, else the one that is selected. */
export function chosenDead(state: State, local: SchedulesLocal): readonly DeadDelivery[] {
  const all = local.dead?.value?.messages ?? [];
  const marked = all.filter(({ id }) => local.marked.includes(id));
  if (marked.length > 0) return marked;
  const row = selectedRow(state, local);
  return row?.kind === 'dead' ? [row.dead] : [];
}
