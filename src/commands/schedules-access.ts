/** What the schedules commands need of the systems, or the error that says what is missing. */
import type { ScheduleChanges } from '../data/schedule-changes.ts';
import { CommandError, EXIT } from './command.ts';
import type { Systems } from './connect.ts';

/** The reader of schedules, or an error that says which variable it takes. */
export function needSchedules({ schedules: reader }: Systems): NonNullable<Systems['schedules']> {
  if (reader !== null) return reader;
  throw new CommandError('QStash is not configured. Set QSTASH_TOKEN in the environment or in .env', {
    exitCode: EXIT.unreachable,
  });
}

export async function openChanges(systems: Systems): Promise<ScheduleChanges> {
  needSchedules(systems);
  const { createScheduleChanges } = await import('../data/schedule-changes.ts');
  return createScheduleChanges(systems.config.qstash ?? { token: '' });
}
