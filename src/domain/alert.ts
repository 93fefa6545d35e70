/** Critical alerts as they stand in `email:alerts:critical` (WIRE.md, Redis keys): how they are read, merged and written. */
import { DAY_MS } from './time.ts';

export type AlertSeverity = 'critical' | 'error' | 'warning' | 'notice';

export interface Alert {
  readonly severity: AlertSeverity;
  /** Without severity prefix and trailing time. From outside: clean it before it reaches a terminal. */
  readonly text: string;
  /** The newest occurrence; null for legacy entries, which carry no time. */
  readonly atEpochMs: number | null;
  /** Same for every repetition of the same alert; key of `email:alerts:acked`. */
  readonly fingerprint: string;
  readonly repeats: number;
  readonly acknowledged: { readonly by: string; readonly atEpochMs: number | null } | null;
}

export interface AlertFeed {
  /** Newest first, repetitions merged. */
  readonly alerts: readonly Alert[];
  readonly skipped: number;
}

/** An acknowledgement covers repetitions for a day: longer, and it would hide the next incident of the same kind. */
export const ACKNOWLEDGEMENT_HOLDS_MS = DAY_MS;

const SEVERITY_BY_PREFIX: Readonly<Record<string, AlertSeverity>> = {
  CRITICAL: 'critical',
  ERROR: 'error',
  WARNING: 'warning',
  ALERT: 'notice',
};
const PREFIX_BY_SEVERITY: Readonly<Record<AlertSeverity, string>> = {
  critical: 'CRITICAL',
  error: 'ERROR',
  warning: 'WARNING',
  notice: 'ALERT',
};

/** `ERROR:` and `CRITICAL:` are what the critical list is for (WIRE.md, Email function). */
export function isCriticalAlert(severity: AlertSeverity): boolean {
  return severity === 'critical' || severity === 'error';
}

/**
 * Reads the list, newest first as it is pushed, and merges repetitions into their newest place. `acked` is the hash
 * `email:alerts:acked`. What is no alert is skipped and counted. Times that lie ahead of `nowEpochMs` count as now.
 */
export function parseAlerts(
  entries: readonly unknown[],
  acked: Readonly<Record<string, string>>,
  nowEpochMs: number,
): AlertFeed {
  const merged = new Map<string, Alert>();
  let skipped = 0;
  for (const entry of entries) {
    const alert = parseAlert(entry, nowEpochMs);
    if (alert === null) {
      skipped += 1;
      continue;
    }
    const newer = merged.get(alert.fingerprint);
    merged.set(alert.fingerprint, newer === undefined ? alert : repeated(newer, alert));
  }
  const alerts = [...merged.values()].map((alert) => ({ ...alert, acknowledged: acknowledgementOf(alert, acked) }));
  return { alerts, skipped };
}

/**
 * The fingerprints of acknowledgements that nobody will miss: their alert has left the list, and would be new again if it came
 * back. So the hash holds no more than the list and a day's acknowledgements.
 */
export function outlivedAcknowledgements(
  entries: readonly unknown[],
  acked: Readonly<Record<string, string>>,
  nowEpochMs: number,
): readonly string[] {
  const listed = new Set(entries.map((entry) => parseAlert(entry, nowEpochMs)?.fingerprint));
  const isOver = (value: string) => {
    const { atEpochMs } = parseAcknowledgement(value);
    return atEpochMs === null || atEpochMs < nowEpochMs - ACKNOWLEDGEMENT_HOLDS_MS;
  };
  return Object.entries(acked).flatMap(([fingerprint, value]) =>
    !listed.has(fingerprint) && isOver(value) ? [fingerprint] : [],
  );
}

/** The entry as it is pushed: `ERROR: <text> [<ISO time>]`; without a time for null. */
export function formatAlert(alert: Pick<Alert, 'severity' | 'text' | 'atEpochMs'>): string {
  const time = alert.atEpochMs === null ? '' : ` [${new Date(alert.atEpochMs).toISOString()}]`;
  return `${PREFIX_BY_SEVERITY[alert.severity]}: ${alert.text.trim()}${time}`;
}

/**
 * Short and stable: equal for texts that differ only in numbers, percentages, times and ids, so that 'quota at 91 %' and
 * 'quota at 92 %' are one alert. Severities stay apart: an alert that gets worse is a new one.
 */
export function fingerprintOf(severity: AlertSeverity, text: string): string {
  const shape = text
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '#')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?/g, '#')
    .replace(/\d+(?:[.,:]\d+)*(?:\s?%)?/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
  return hash(`${severity}:${shape}`);
}

function parseAlert(entry: unknown, nowEpochMs: number): Alert | null {
  if (typeof entry !== 'string') return null;
  const match = /^\s*(CRITICAL|ERROR|WARNING|ALERT):\s*(.*)$/s.exec(entry);
  const severity = SEVERITY_BY_PREFIX[match?.[1] ?? ''];
  const body = match?.[2]?.trim() ?? '';
  if (severity === undefined) return null;
  const { text, atEpochMs } = splitTime(body, nowEpochMs);
  if (text === '') return null;
  return { severity, text, atEpochMs, fingerprint: fingerprintOf(severity, text), repeats: 1, acknowledged: null };
}

function splitTime(body: string, nowEpochMs: number): { text: string; atEpochMs: number | null } {
  const match = /\[(\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d))\]$/.exec(body);
  const atEpochMs = Date.parse(match?.[1] ?? '');
  if (match === null || Number.isNaN(atEpochMs)) return { text: body, atEpochMs: null };
  return { text: body.slice(0, match.index).trim(), atEpochMs: Math.min(atEpochMs, nowEpochMs) };
}

/** The text stays that of the newest push; the time is the latest known of all occurrences. */
function repeated(newer: Alert, older: Alert): Alert {
  const times = [newer.atEpochMs, older.atEpochMs].filter((time) => time !== null);
  return { ...newer, repeats: newer.repeats + 1, atEpochMs: times.length === 0 ? null : Math.max(...times) };
}

function acknowledgementOf(alert: Alert, acked: Readonly<Record<string, string>>): Alert['acknowledged'] {
  const value = Object.hasOwn(acked, alert.fingerprint) ? acked[alert.fingerprint] : undefined;
  if (value === undefined) return null;
  const acknowledged = parseAcknowledgement(value);
  const { atEpochMs } = acknowledged;
  const isOutlived =
    atEpochMs !== null && alert.atEpochMs !== null && alert.atEpochMs > atEpochMs + ACKNOWLEDGEMENT_HOLDS_MS;
  return isOutlived ? null : acknowledged;
}

/** Whoever wrote it meant to acknowledge: what cannot be read still counts, by somebody unknown. */
function parseAcknowledgement(value: string): NonNullable<Alert['acknowledged']> {
  try {
    const { by, at } = JSON.parse(value) as { by?: unknown; at?: unknown };
    const atEpochMs = typeof at === 'number' ? at : Date.parse(String(at));
    return { by: typeof by === 'string' ? by : 'unknown', atEpochMs: Number.isFinite(atEpochMs) ? atEpochMs : null };
  } catch {
    return { by: 'unknown', atEpochMs: null };
  }
}

/** FNV-1a over UTF-16 units, twice with different bases: 64 bits as 16 hex digits. */
function hash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x01000193) ^ (high >>> 15);
  }
  return [low, high].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
