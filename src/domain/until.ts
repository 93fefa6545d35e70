/** Ends of a time as people type them: a length from now, or a time of day in UTC. */
import { parseDuration } from './duration.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, utcMidnightEpochMs } from './time.ts';

/** `2h`, `1d`, or `14:30`, which is the next half past two UTC → epoch ms. Null for anything else. */
export function parseUntil(text: string, nowEpochMs: number): number | null {
  const clock = /^(\d{1,2}):(\d\d)(?:\s*utc)?$/i.exec(text.trim());
  if (clock === null) {
    const ms = parseDuration(text);
    return ms === null ? null : nowEpochMs + ms;
  }
  const [hours, minutes] = [Number(clock[1]), Number(clock[2])];
  if (hours > 23 || minutes > 59) return null;
  const today = utcMidnightEpochMs(nowEpochMs) + hours * HOUR_MS + minutes * MINUTE_MS;
  return today > nowEpochMs ? today : today + DAY_MS;
}
