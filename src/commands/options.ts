/** Options that several commands share, and how their values are read. */
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/time.ts';
import { type OptionSpec, UsageError } from './command.ts';

export const JSON_OPTION: OptionSpec = {
  flags: '--json',
  description: 'print JSON for another program (docs/json.md)',
};

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS };

/** `500ms`, `5s`, `1m`, `1.5h`, or plain seconds → milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text.trim());
  const unit = UNITS[match?.[2] ?? 's'];
  if (match === null || unit === undefined) throw new UsageError(`'${text}' is not a duration such as 5s, 1m or 30m`);
  return Math.round(Number(match[1]) * unit);
}

/** A parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new UsageError(`'${text}' is not a whole number from ${min} to ${max}`);
  };
}
