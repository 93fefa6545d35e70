/** When cron expressions fire. At speed 60 an hour of the timetable passes in a real minute. */
import { Cron } from 'croner';
import type { Clock } from '../../domain/time.ts';

export class CronError extends Error {
  override name = 'CronError';
}

export interface Timetable {
  /** The next real time (epoch ms) after now at which `cron` fires; null: never. Throws {@link CronError}. */
  nextEpochMs(cron: string): number | null;
}

/** Timetable time and real time agree at the moment of this call; from there the former runs `speed` times as fast. */
export function createTimetable(clock: Clock, speed: number): Timetable {
  const anchorEpochMs = clock.nowEpochMs();
  return {
    nextEpochMs: (cron) => {
      const virtualNow = anchorEpochMs + (clock.nowEpochMs() - anchorEpochMs) * speed;
      const next = nextRun(cron, new Date(virtualNow));
      return next === null ? null : Math.ceil(anchorEpochMs + (next.getTime() - anchorEpochMs) / speed);
    },
  };
}

/** Five fields in UTC, or in the zone of a `CRON_TZ=` prefix. */
function nextRun(text: string, after: Date): Date | null {
  const [, timezone = 'UTC', pattern = ''] = /^(?:CRON_TZ=(\S+)\s+)?(.+)$/.exec(text.trim()) ?? [];
  try {
    return new Cron(pattern, { timezone, mode: '5-part', paused: true }).nextRun(after);
  } catch (cause) {
    throw new CronError(`invalid cron expression "${text}"`, { cause });
  }
}
