/** Time as plain numbers. Inside the program times are epoch milliseconds; days are UTC. Nothing here reads a clock. */

/** Where the present comes from. Programs pass {@link systemClock}; tests pass one they move by hand. */
export interface Clock {
  nowEpochMs(): number;
}

export const systemClock: Clock = { nowEpochMs: () => Date.now() };

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** The UTC day of an instant as `YYYY-MM-DD`. */
export function utcDay(atEpochMs: number): string {
  return new Date(atEpochMs).toISOString().slice(0, 10);
}

/** The first instant of the next UTC day, epoch ms. Daily quotas and daily statistics end there. */
export function nextUtcMidnightEpochMs(atEpochMs: number): number {
  return Math.floor(atEpochMs / DAY_MS) * DAY_MS + DAY_MS;
}

/** The first instant of the UTC day, epoch ms. */
export function utcMidnightEpochMs(atEpochMs: number): number {
  return Math.floor(atEpochMs / DAY_MS) * DAY_MS;
}

/** The first instant of the next UTC month, epoch ms. Monthly quotas end there. */
export function nextUtcMonthEpochMs(atEpochMs: number): number {
  const at = new Date(atEpochMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1);
}
