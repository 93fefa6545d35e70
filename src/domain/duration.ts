/** Lengths of time as people type them. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, min: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** `45s`, `30m`, `2h`, `1h30m`, `1 h 30 min` → milliseconds; a bare number counts minutes. Null for anything else. */
export function parseDuration(text: string): number | null {
  const compact = text.trim().toLowerCase().replaceAll(/\s+/g, '');
  if (/^\d{1,7}$/.test(compact)) return Number(compact) * MINUTE_MS;
  if (!/^(?:\d{1,7}(?:min|[smhd]))+$/.test(compact)) return null;
  return [...compact.matchAll(/(\d+)(min|[smhd])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  );
}
