/** Changing QStash schedules: created or overwritten by their id, removed, paused, resumed. */
import type { WantedSchedule } from '../domain/schedule-plan.ts';
import { FaultError } from './fault.ts';
import { faultOfQstash, openClient, type QStashTarget, within } from './schedules.ts';

/** All verbs are idempotent and throw `FaultError`. */
export interface ScheduleChanges {
  put(schedule: WantedSchedule): Promise<void>;
  remove(id: string): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
}

type Client = Awaited<ReturnType<typeof openClient>>;

export function createScheduleChanges(target: QStashTarget): ScheduleChanges {
  const timeoutMs = target.timeoutMs ?? 5_000;
  let opened: Promise<Client> | undefined;
  const ask = async (question: (client: Client) => Promise<unknown>): Promise<void> => {
    try {
      opened ??= openClient(target);
      await within(question(await opened), timeoutMs, undefined);
    } catch (error) {
      throw new FaultError(faultOfQstash(error, timeoutMs), { cause: error });
    }
  };
  return {
    put: ({ id, cron, destination, method, retries }) =>
      ask(({ schedules }) => schedules.create({ scheduleId: id, cron, destination, method, retries })),
    remove: (id) => ask(({ schedules }) => schedules.delete(id)),
    pause: (id) => ask(({ schedules }) => schedules.pause({ schedule: id })),
    resume: (id) => ask(({ schedules }) => schedules.resume({ schedule: id })),
  };
}
