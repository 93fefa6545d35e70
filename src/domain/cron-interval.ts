/** How often a cron expression comes round, for the regular ones that schedules of workers have. Pure. */
import { HOUR_MS, MINUTE_MS } from './time.ts';

/**
 * Milliseconds between two due times where all of them fall on multiples of that length in UTC: every two minutes, hourly,
 * every six hours. Null for every other expression: nothing is said of those.
 */
export function cronIntervalMs(cron: string): number | null {
  const [minute = '', hour = '', ...rest] = cron.trim().split(/\s+/);
  if (rest.length !== 3 || rest.some((field) => field !== '*')) return null;
  const everyMinutes = stepOf(minute, 60);
  if (everyMinutes !== null && hour === '*') return everyMinutes * MINUTE_MS;
  const everyHours = stepOf(hour, 24);
  return minute === '0' && everyHours !== null ? everyHours * HOUR_MS : null;
}

/** Of `*` and of a step that divides the whole. */
function stepOf(field: string, whole: number): number | null {
  if (field === '*') return 1;
  const step = Number(/^\*\/(\d{1,2})$/.exec(field)?.[1]);
  return step > 0 && whole % step === 0 ? step : null;
}
