/** Changing what QStash has: schedules created or overwritten by their id, removed, paused, resumed; dead letters sent again or deleted. */
import type { WantedSchedule } from '../domain/schedule-plan.ts';
import { connectQStash, type QStashTarget } from './qstash.ts';

/** One request each; all but `redeliver` are idempotent. They throw `FaultError`. */
export interface ScheduleChanges {
  put(schedule: WantedSchedule): Promise<void>;
  remove(id: string): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Dead letters become new messages with all their retries before them. Resolves to how many. */
  redeliver(deadLetterIds: readonly string[]): Promise<number>;
  /** Resolves to how many there were. */
  deleteDead(deadLetterIds: readonly string[]): Promise<number>;
}

export function createScheduleChanges(target: QStashTarget): ScheduleChanges {
  const connection = connectQStash(target);
  const schedules = async () => (await connection.client()).schedules;
  const deadLetters = async () => (await connection.client()).dlq;
  return {
    put: async ({ id, cron, destination, method, retries }) => {
      await (await schedules()).create({ scheduleId: id, cron, destination, method, retries });
    },
    remove: async (id) => (await schedules()).delete(id),
    pause: async (id) => (await schedules()).pause({ schedule: id }),
    resume: async (id) => (await schedules()).resume({ schedule: id }),
    redeliver: async (ids) => (await (await deadLetters()).retry([...ids])).responses.length,
    deleteDead: async (ids) => (await (await deadLetters()).delete([...ids])).deleted,
  };
}
