/** What `schedules sync` would change, what the schedules cost, and which workers QStash calls already. Pure. */
import type { WorkerName } from './run.ts';
import { EXPECTED_SCHEDULES, type Schedule, TICK_SCHEDULE } from './schedule.ts';
import { DAY_MS } from './time.ts';

/** QStash messages a day in its free tier (FACTS §3). */
export const FREE_MESSAGES_PER_DAY = 1_000;

/** The next tick comes anyway: retries of a frequent schedule would run beside later ticks. */
export const SCHEDULE_RETRIES = 1;

export interface WantedSchedule {
  readonly id: string;
  readonly cron: string;
  readonly destination: string;
  readonly method: 'POST';
  readonly retries: number;
  readonly messagesPerDay: number;
}

export type ScheduleChange =
  /** Paused at once where all of ours that go are paused: somebody stopped them on purpose. */
  | { readonly kind: 'create'; readonly schedule: WantedSchedule; readonly isPaused: boolean }
  /** `changes` say what differs: `retries 3 → 1`. A schedule that was paused stays so. */
  | {
      readonly kind: 'update';
      readonly schedule: WantedSchedule;
      readonly changes: readonly string[];
      readonly isPaused: boolean;
    }
  /** Ours by its id, but of the other mode: it would run workers a second time. */
  | { readonly kind: 'remove'; readonly id: string }
  | { readonly kind: 'keep'; readonly id: string; readonly isPaused: boolean };

export interface SyncPlan {
  readonly changes: readonly ScheduleChange[];
  readonly messagesPerDay: number;
  readonly fitsFreeTier: boolean;
  /** Paused ones that go, whose workers a new schedule calls again because others that go are active. */
  readonly woken: readonly string[];
  /** Schedules under other ids that call our endpoints; they are left alone and named. */
  readonly strangers: readonly Schedule[];
}

/** `baseUrl` without a slash at its end. With `oneTick` a single schedule stands for all three. */
export function wantedSchedules(baseUrl: string, oneTick: boolean): readonly WantedSchedule[] {
  const wanted = oneTick ? [TICK_SCHEDULE] : EXPECTED_SCHEDULES;
  return wanted.map(({ id, cron, path, intervalMs }) => ({
    id,
    cron,
    destination: `${baseUrl}${path}`,
    method: 'POST',
    retries: SCHEDULE_RETRIES,
    messagesPerDay: DAY_MS / intervalMs,
  }));
}

export function planSync(current: readonly Schedule[], baseUrl: string, oneTick: boolean): SyncPlan {
  const wanted = wantedSchedules(baseUrl, oneTick);
  const unwanted = OUR_IDS.filter((id) => !wanted.some((schedule) => schedule.id === id));
  const removed = unwanted.flatMap((id) => current.find((schedule) => schedule.id === id) ?? []);
  const paused = removed.filter(({ isPaused }) => isPaused).map(({ id }) => id);
  const areAllPaused = paused.length > 0 && paused.length === removed.length;
  const changes = wanted.map((schedule) => changeTo(schedule, current, areAllPaused));
  const messagesPerDay = wanted.reduce((sum, schedule) => sum + schedule.messagesPerDay, 0);
  return {
    changes: [...changes, ...removed.map(({ id }) => ({ kind: 'remove', id }) as const)],
    messagesPerDay,
    fitsFreeTier: messagesPerDay <= FREE_MESSAGES_PER_DAY,
    woken: !areAllPaused && changes.some(({ kind }) => kind === 'create') ? paused : [],
    strangers: current.filter(({ id, destination }) => !OUR_IDS.includes(id) && workersOf(destination).length > 0),
  };
}

/** True when carrying the plan out would change nothing. */
export function isUpToDate({ changes }: SyncPlan): boolean {
  return changes.every(({ kind }) => kind === 'keep');
}

/** Workers that an active schedule of QStash calls, with the id of that schedule. */
export function workersCalledBy(schedules: readonly Schedule[]): ReadonlyMap<WorkerName, string> {
  const called = new Map<WorkerName, string>();
  for (const { id, destination, isPaused } of schedules) {
    if (isPaused) continue;
    for (const worker of workersOf(destination)) if (!called.has(worker)) called.set(worker, id);
  }
  return called;
}

const OUR_IDS: readonly string[] = [...EXPECTED_SCHEDULES.map(({ id }) => id), TICK_SCHEDULE.id];

/** The workers that a schedule is for: by what it calls, or by its id where it calls through an address of its own. */
export function workersFor({ id, destination }: Pick<Schedule, 'id' | 'destination'>): readonly WorkerName[] {
  const called = workersOf(destination);
  if (called.length > 0) return called;
  const ours = [...EXPECTED_SCHEDULES, TICK_SCHEDULE].find((each) => each.id === id);
  return ours === undefined ? [] : workersOf(ours.path);
}

/** The workers that a call to this URL or path runs. By the path: the host may have changed. */
function workersOf(destination: string): readonly WorkerName[] {
  const path = URL.parse(destination)?.pathname ?? destination;
  if (path.endsWith(TICK_SCHEDULE.path)) return EXPECTED_SCHEDULES.map(({ worker }) => worker);
  return EXPECTED_SCHEDULES.filter((schedule) => path.endsWith(schedule.path)).map(({ worker }) => worker);
}

function changeTo(wanted: WantedSchedule, current: readonly Schedule[], startsPaused: boolean): ScheduleChange {
  const found = current.find(({ id }) => id === wanted.id);
  if (found === undefined) return { kind: 'create', schedule: wanted, isPaused: startsPaused };
  const changes = (['cron', 'destination', 'method', 'retries'] as const)
    .filter((field) => found[field] !== undefined && found[field] !== wanted[field])
    .map((field) => `${field} ${found[field]} → ${wanted[field]}`);
  const { isPaused } = found;
  return changes.length === 0
    ? { kind: 'keep', id: wanted.id, isPaused }
    : { kind: 'update', schedule: wanted, changes, isPaused };
}
