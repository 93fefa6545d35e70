/**
 * Numbers and times as people read them, the same on every screen. All functions are total: null, NaN, negative and huge
 * values have a look of their own, and nothing ever throws.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';

/** What stands where a value is not known. */
export const UNKNOWN = '–';

type Maybe = number | null | undefined;

/** A length of time in its two largest units: `0 s`, `45 s`, `18 min`, `2 h 5 min`, `3 d 4 h`. Negative counts as none. */
export function formatAge(ms: Maybe): string {
  if (!isNumber(ms)) return UNKNOWN;
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / SECOND_MS))} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return pair(Math.floor(ms / HOUR_MS), 'h', Math.floor((ms % HOUR_MS) / MINUTE_MS), 'min');
  const days = Math.floor(ms / DAY_MS);
  if (days >= 1_000) return '>999 d';
  return pair(days, 'd', Math.floor((ms % DAY_MS) / HOUR_MS), 'h');
}

/** What is left of a time, rounded: of 30 minutes `30 min` are left a moment later, and not 29. */
export function formatLeft(ms: Maybe): string {
  if (!isNumber(ms)) return UNKNOWN;
  const unit = Math.round(ms / SECOND_MS) * SECOND_MS < MINUTE_MS ? SECOND_MS : MINUTE_MS;
  return formatAge(Math.round(ms / unit) * unit);
}

/** `12,345`; from ten million on shortened: `12.3 M`, `4.5 G`. Fractions are rounded. */
export function formatCount(count: Maybe): string {
  if (!isNumber(count)) return UNKNOWN;
  const size = Math.abs(count);
  const sign = count < 0 ? '-' : '';
  if (size >= 1e15) return `${sign}>999 T`;
  for (const [unit, worth] of [
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
  ] as const) {
    if (size >= Math.max(worth, 1e7)) return `${sign}${(Math.floor((size / worth) * 10) / 10).toFixed(1)} ${unit}`;
  }
  const rounded = String(Math.round(size));
  return `${rounded === '0' ? '' : sign}${rounded.replace(/\B(?=(\d{3})+$)/g, ',')}`;
}

/** A percentage (0–100) without decimals. Only what is nothing reads `0 %`, only what is full reads `100 %`. */
export function formatPercent(percent: Maybe): string {
  if (!isNumber(percent)) return UNKNOWN;
  if (percent <= 0) return '0 %';
  if (percent < 1) return '<1 %';
  if (percent > 100) return percent > 999 ? '>999 %' : `${Math.ceil(percent)} %`;
  return percent === 100 ? '100 %' : `${Math.min(99, Math.round(percent))} %`;
}

/** Time of day in UTC, `HH:MM`. The caller says once that times are UTC. */
export function formatClock(atEpochMs: Maybe): string {
  const date = dateOf(atEpochMs);
  return date === null ? '--:--' : date.toISOString().slice(-13, -8);
}

/** Day and time in UTC, `2026-11-23 12:00 UTC`. */
export function formatInstant(atEpochMs: Maybe): string {
  const date = dateOf(atEpochMs);
  return date === null ? UNKNOWN : `${date.toISOString().slice(0, -8).replace('T', ' ')} UTC`;
}

/** A latency: `85 ms`, `1.2 s`, from a minute on as an age. */
export function formatLatency(ms: Maybe): string {
  if (!isNumber(ms)) return UNKNOWN;
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  return ms < MINUTE_MS ? `${(Math.floor(ms / 100) / 10).toFixed(1)} s` : formatAge(ms);
}

/** `1 email`, `2 emails`, `1,234 emails`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

function isNumber(value: Maybe): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function dateOf(atEpochMs: Maybe): Date | null {
  if (!isNumber(atEpochMs)) return null;
  const date = new Date(atEpochMs);
  return Number.isNaN(date.getTime()) ? null : date;
}
