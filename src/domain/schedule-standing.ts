/**
 * How the schedules that QStash has stand to those that should be there: the three, or the one tick that runs what is due.
 * Screens, the verdict and doctor go by this, so that none of them misses what the other mode does not need. Pure.
 */
import { cronIntervalMs } from './cron-interval.ts';
import type { WorkerName } from './run.ts';
import { EXPECTED_SCHEDULES, type Schedule, TICK_SCHEDULE } from './schedule.ts';
import { workersFor } from './schedule-plan.ts';

export type ScheduleMode = 'three' | 'one-tick';

/** What a deployment needs by its mode. */
export type NeededSchedule = Pick<(typeof EXPECTED_SCHEDULES)[number], 'id' | 'path' | 'cron' | 'intervalMs'>;

export type ScheduleStanding =
  /** As it should be, but for what `differs` says. */
  | { readonly kind: 'expected'; readonly schedule: Schedule; readonly differs: readonly string[] }
  | { readonly kind: 'missing'; readonly needed: NeededSchedule }
  /** Under an id of its own, but calls what nothing else of QStash calls. */
  | { readonly kind: 'instead'; readonly schedule: Schedule; readonly workers: readonly WorkerName[] }
  /** Calls workers that another schedule calls already. */
  | { readonly kind: 'twice'; readonly schedule: Schedule; readonly workers: readonly WorkerName[] }
  /** None of our business. */
  | { readonly kind: 'foreign'; readonly schedule: Schedule };

/** Where all three are there as well, the tick is the one too many. */
export function scheduleMode(schedules: readonly Schedule[]): ScheduleMode {
  const isThere = (id: string) => schedules.some((schedule) => schedule.id === id);
  return isThere(TICK_SCHEDULE.id) && !EXPECTED_SCHEDULES.every(({ id }) => isThere(id)) ? 'one-tick' : 'three';
}

export function neededSchedules(schedules: readonly Schedule[]): readonly NeededSchedule[] {
  return scheduleMode(schedules) === 'one-tick' ? [TICK_SCHEDULE] : EXPECTED_SCHEDULES;
}

/** Those that are needed first, in their order; then the others as QStash lists them. */
export function scheduleStandings(schedules: readonly Schedule[]): readonly ScheduleStanding[] {
  const needed = neededSchedules(schedules);
  const isNeeded = ({ id }: Schedule) => needed.some((each) => each.id === id);
  const covered = new Set(schedules.filter(isNeeded).flatMap(workersFor));
  const others = schedules
    .filter((schedule) => !isNeeded(schedule))
    .map((schedule) => otherStanding(schedule, covered));
  const stoodIn = new Set(others.flatMap((standing) => (standing.kind === 'instead' ? standing.workers : [])));
  const first = needed.flatMap((each): readonly ScheduleStanding[] => {
    const schedule = schedules.find(({ id }) => id === each.id);
    if (schedule !== undefined) return [{ kind: 'expected', schedule, differs: differences(schedule, each) }];
    return workersFor({ id: each.id, destination: each.path }).every((worker) => stoodIn.has(worker))
      ? []
      : [{ kind: 'missing', needed: each }];
  });
  return [...first, ...others];
}

/** Schedules that are not paused and call this worker, itself or by the tick. */
export function schedulesCalling(worker: WorkerName, schedules: readonly Schedule[]): readonly Schedule[] {
  return schedules.filter((schedule) => !schedule.isPaused && workersFor(schedule).includes(worker));
}

/** How often QStash calls this worker, at least; null where it does not, or at times of its own. */
export function callIntervalMs(worker: WorkerName, schedules: readonly Schedule[]): number | null {
  const own = EXPECTED_SCHEDULES.find((expected) => expected.worker === worker)?.intervalMs ?? 0;
  const intervals = schedulesCalling(worker, schedules).map((schedule) => {
    const interval = cronIntervalMs(schedule.cron);
    // A tick runs only what is due by the worker's own times.
    const isTick = workersFor(schedule).length > 1;
    return interval === null ? null : isTick ? Math.max(interval, own) : interval;
  });
  const known = intervals.filter((interval) => interval !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function otherStanding(schedule: Schedule, covered: ReadonlySet<WorkerName>): ScheduleStanding {
  const workers = workersFor(schedule);
  if (workers.length === 0) return { kind: 'foreign', schedule };
  const isNew = workers.some((worker) => !covered.has(worker));
  return { kind: isNew ? 'instead' : 'twice', schedule, workers };
}

function differences({ cron, destination, method }: Schedule, needed: NeededSchedule): readonly string[] {
  const path = URL.parse(destination)?.pathname ?? destination;
  return [
    ...(cron === needed.cron ? [] : [`runs at ${cron}, expected ${needed.cron}`]),
    ...(path.endsWith(needed.path) ? [] : [`calls ${path}, expected ${needed.path}`]),
    ...(method === undefined || method === 'POST' ? [] : [`calls by ${method}, expected POST`]),
  ];
}
