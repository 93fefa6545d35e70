/** QStash's schedules and the messages it gave up on. */
import { z } from 'zod';
import type { DeliveryState, Schedule, ScheduleOverview } from '../domain/schedule.ts';
import { FaultError, SYSTEM, unreadable } from './fault.ts';
import { epochMs, lenient, parseEach } from './parse.ts';
import { connectQStash, type QStashTarget } from './qstash.ts';

export type { QStashTarget };

export interface Schedules {
  /** Two requests, in parallel. Throws `FaultError`. */
  read(signal?: AbortSignal): Promise<ScheduleOverview>;
  usage(): { readonly requests: number };
  /** Cancels what is in flight. Idempotent. */
  close(): Promise<void>;
}

/** Nothing is sent until the first read. Without the SDK: it would be half of what `status` loads. */
export function createSchedules(target: QStashTarget): Schedules {
  const connection = connectQStash(target);
  return {
    usage: connection.usage,
    close: connection.close,
    read: async (signal) => {
      const [schedules, deadLetters] = await Promise.all([
        connection.get(['v2', 'schedules'], {}, signal),
        connection.get(['v2', 'dlq'], { count: String(DLQ_PAGE) }, signal),
      ]);
      return overviewOf(schedules, deadLetters);
    },
  };
}

const DLQ_PAGE = 100;

function overviewOf(schedules: unknown, deadLetters: unknown): ScheduleOverview {
  const list = z.array(z.unknown()).safeParse(schedules);
  const letters = DlqAnswer.safeParse(deadLetters);
  if (!list.success || !letters.success) throw new FaultError(unreadable(SYSTEM.qstash, 'no list of schedules'));
  const { values, skipped } = parseEach(ScheduleAnswer, list.data);
  return {
    schedules: values,
    deadLetters: letters.data.messages.length,
    deadLettersTruncated: Boolean(letters.data.cursor),
    skipped,
  };
}

const DlqAnswer = z.object({ messages: z.array(z.unknown()), cursor: z.string().nullish() });

const ScheduleAnswer: z.ZodType<Schedule> = z
  .object({
    scheduleId: z.string(),
    cron: z.string(),
    destination: z.string(),
    isPaused: z.boolean().catch(false),
    method: lenient(z.string()),
    retries: lenient(z.number()),
    lastScheduleTime: lenient(epochMs),
    nextScheduleTime: lenient(epochMs),
    lastScheduleStates: lenient(z.record(z.string(), z.string())),
  })
  .transform((answer) => ({
    id: answer.scheduleId,
    cron: answer.cron,
    destination: answer.destination,
    isPaused: answer.isPaused,
    ...(answer.method === null ? {} : { method: answer.method }),
    ...(answer.retries === null ? {} : { retries: answer.retries }),
    lastRunAtEpochMs: answer.lastScheduleTime,
    nextRunAtEpochMs: answer.nextScheduleTime,
    lastState: worstOf(Object.values(answer.lastScheduleStates ?? {})),
  }));

/** A schedule on a URL group has one state per endpoint. */
function worstOf(states: readonly string[]): DeliveryState {
  if (states.includes('FAIL')) return 'fail';
  if (states.includes('IN_PROGRESS')) return 'in-progress';
  return states.includes('SUCCESS') ? 'success' : 'unknown';
}
