/** Changing QStash schedules: created or overwritten by their id, removed, paused, resumed. */
import type { WantedSchedule } from '../domain/schedule-plan.ts';
import { connectQStash, type QStashTarget } from './qstash.ts';

/** All verbs are idempotent, one request each, and throw `FaultError`. */
export interface ScheduleChanges {
  put(schedule: WantedSchedule): Promise<void>;
  remove(id: string): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
}

export function createScheduleChanges(target: QStashTarget): ScheduleChanges {
  const schedules = async () => (await connectQStash(target).client()).schedules;
  return {
    put: async ({ id, cron, destination, method, retries }) => {
      await (await schedules()).create({ scheduleId: id, cron, destination, method, retries });
    },
    remove: async (id) => (await schedules()).delete(id),
    pause: async (id) => (await schedules()).pause({ schedule: id }),
    resume: async (id) => (await schedules()).resume({ schedule: id }),
  };
}
