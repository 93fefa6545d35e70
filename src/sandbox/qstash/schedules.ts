/** The schedules and their clockwork: which of them are due, and a message for each firing. */
import type { Clock } from '../../domain/time.ts';
import type { Publish } from './publisher.ts';
import type { ScheduleRecord } from './records.ts';
import type { Store } from './store.ts';
import type { Timetable } from './timetable.ts';

export interface Schedules {
  /** Creates, or overwrites what has the same id. Throws CronError. */
  save(schedule: ScheduleRecord): void;
  delete(scheduleId: string): boolean;
  /** False when there is none of this id. */
  setPaused(scheduleId: string, isPaused: boolean): boolean;
  /** Epoch ms; null while paused, and for dates that never come. */
  nextFiring(scheduleId: string): number | null;
  earliestFiring(): number | null;
  /** Publishes for each schedule that is due. What was missed meanwhile (a machine that slept) fires once. */
  fireDue(): void;
  /** Notes what became of a message of the last firing. */
  noteOutcome(scheduleId: string, messageId: string, state: 'SUCCESS' | 'FAIL'): void;
}

export function createSchedules(parts: {
  readonly store: Store;
  readonly timetable: Timetable;
  readonly clock: Clock;
  readonly publish: Publish;
}): Schedules {
  const { store, timetable, clock, publish } = parts;
  // Only in memory: firings that fell into the time when nothing ran are not made up for.
  const next = new Map<string, number>();

  const wind = (schedule: ScheduleRecord) => {
    const nextEpochMs = timetable.nextEpochMs(schedule.cron);
    if (schedule.isPaused || nextEpochMs === null) next.delete(schedule.scheduleId);
    else next.set(schedule.scheduleId, nextEpochMs);
  };
  for (const schedule of store.schedules.all()) wind(schedule);

  const fire = (schedule: ScheduleRecord) => {
    const { scheduleId } = schedule;
    const { messageId } = publish(schedule.template, { scheduleId });
    const lastFiredAtEpochMs = clock.nowEpochMs();
    store.schedules.put({ ...schedule, lastFiredAtEpochMs, lastStates: { [messageId]: 'IN_PROGRESS' } });
  };

  return {
    save: (schedule) => {
      wind(schedule);
      store.schedules.put(schedule);
    },
    delete: (scheduleId) => {
      next.delete(scheduleId);
      return store.schedules.delete(scheduleId);
    },
    setPaused: (scheduleId, isPaused) => {
      const schedule = store.schedules.get(scheduleId);
      if (schedule === undefined) return false;
      store.schedules.put({ ...schedule, isPaused });
      wind({ ...schedule, isPaused });
      return true;
    },
    nextFiring: (scheduleId) => next.get(scheduleId) ?? null,
    earliestFiring: () => (next.size === 0 ? null : Math.min(...next.values())),
    fireDue: () => {
      const now = clock.nowEpochMs();
      for (const schedule of store.schedules.all()) {
        if ((next.get(schedule.scheduleId) ?? Number.POSITIVE_INFINITY) > now) continue;
        wind(schedule);
        fire(schedule);
      }
    },
    noteOutcome: (scheduleId, messageId, state) => {
      const schedule = store.schedules.get(scheduleId);
      if (schedule?.lastStates[messageId] === undefined) return;
      store.schedules.put({ ...schedule, lastStates: { ...schedule.lastStates, [messageId]: state } });
    },
  };
}
