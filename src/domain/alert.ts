/** Critical alerts as they stand in `email:alerts:critical` (WIRE.md, Redis keys). */

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
