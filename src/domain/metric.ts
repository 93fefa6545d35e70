/** Points of `email:metrics:timeseries`. Fields that legacy monitors do not write are null, never zero. */

export interface MetricPoint {
  readonly atEpochMs: number;
  readonly healthyProviders: number;
  readonly totalProviders: number;
  /** 0–100. */
  readonly dailyQuotaUsedPercent: number;
  /** 0–100. */
  readonly monthlyQuotaUsedPercent: number;
  readonly bestProvider: string | null;
  readonly queueDepth: number | null;
  readonly oldestQueuedSeconds: number | null;
  readonly sent: number | null;
  readonly failed: number | null;
  readonly p95Ms: number | null;
}

/** Points in ascending order of time, at most 24 h, with the count of entries that could not be read. */
export interface MetricSeries {
  readonly points: readonly MetricPoint[];
  readonly skipped: number;
}
