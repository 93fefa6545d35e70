/** How many Redis commands looking may cost, and how often one may look for that (DESIGN §8). */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import { UsageError } from './command.ts';

export interface Budget {
  readonly commands: number;
  readonly periodMs: number;
}

const PERIODS: Readonly<Record<string, number>> = {
  minute: MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  month: 30 * DAY_MS,
};

/** `10000/day`, `500k/month`. Throws {@link UsageError}. */
export function parseBudget(text: string): Budget {
  const match = /^(\d{1,12})(k|M)?\/(minute|hour|day|month)$/.exec(text.trim());
  const commands = Number(match?.[1]) * (match?.[2] === 'k' ? 1e3 : match?.[2] === 'M' ? 1e6 : 1);
  const periodMs = PERIODS[match?.[3] ?? ''];
  if (match === null || periodMs === undefined || commands === 0)
    throw new UsageError(`'${text}' is not a budget such as 10000/day, 500k/month or 100/minute`);
  return { commands, periodMs };
}

/** The shortest interval, in ms and at least one second, that keeps within the budget. */
export function intervalWithin({ commands, periodMs }: Budget, commandsPerRefresh: number): number {
  return Math.max(1_000, Math.ceil((periodMs * Math.max(1, commandsPerRefresh)) / commands));
}
