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

/** The most that one look costs: everything read, and the lock once more because it changed in between. */
export const MOST_PER_LOOK = 10;
/** This many may be spent in advance, so that a look that costs more does not make a long pause. */
const CREDIT = 20;

export interface Pacer {
  /** A look that began at `atEpochMs`, and what was spent since the one before. */
  spent(commands: number, atEpochMs: number): void;
  /** When the next look may begin. */
  nextAtEpochMs(): number;
}

/**
 * Spreads a budget over its period: every command holds up the next look by its share. In no period are more spent than the
 * budget has, if a single look does not cost more already.
 */
export function createPacer({ commands, periodMs }: Budget): Pacer {
  const credit = Math.min(CREDIT, commands / 20);
  const msPerCommand = periodMs / Math.max(commands / 2, commands - credit - MOST_PER_LOOK);
  let paidUntilEpochMs = Number.NEGATIVE_INFINITY;
  return {
    spent: (count, atEpochMs) => {
      paidUntilEpochMs = Math.max(paidUntilEpochMs, atEpochMs - credit * msPerCommand) + count * msPerCommand;
    },
    nextAtEpochMs: () => paidUntilEpochMs,
  };
}
