/** What a quota sync leaves in Redis, `email:quota:latest` above all: one read and one write pipeline. */
import type { Redis } from '@upstash/redis';
import type { Admission, SeenAlert } from '../domain/alert-cooldown.ts';
import { type ProviderQuota, percentUsed, type QuotaUse, quotaStatus, remaining } from '../domain/quota.ts';
import type { RunRecord } from '../domain/run.ts';
import { CORRECT_DAY, dayEndsAt } from './day-counts.ts';
import { KEY } from './keys.ts';
import { readOne } from './redis-read.ts';
import { formatRun, MAX_RUNS } from './runs.ts';
import { pushAlerts, seenAlerts } from './seen-alerts.ts';

/** Two intervals: the result of a sync outlives one that failed. */
const LATEST_TTL_SECONDS = 7_200;

export interface QuotaResult {
  readonly quotas: readonly ProviderQuota[];
  /** Providers that answered for themselves; the others' counts are ours. */
  readonly reportedBy: readonly string[];
  readonly warnings: readonly string[];
}

export interface QuotaStore {
  /** Throws `RedisError`. */
  seenAlerts(signal?: AbortSignal): Promise<Readonly<Record<string, SeenAlert>>>;
  /** `result` null: nothing new is known, the last result stays. */
  write(writing: {
    readonly atEpochMs: number;
    readonly result: QuotaResult | null;
    /** What the day's statistics are set to; null leaves them. */
    readonly sentToday: number | null;
    readonly alerts: Admission;
    readonly run: RunRecord;
  }): Promise<void>;
}

export function createQuotaStore(redis: Redis): QuotaStore {
  return {
    seenAlerts: (signal) => readOne(redis, seenAlerts, signal),
    write: async ({ atEpochMs, result, sentToday, alerts, run }) => {
      const pipeline = redis.pipeline();
      if (result !== null) pipeline.set(KEY.quota, formatResult(result, atEpochMs), { ex: LATEST_TTL_SECONDS });
      if (sentToday !== null) {
        pipeline.eval(CORRECT_DAY, [KEY.stats], [String(sentToday), dayEndsAt({ nowEpochMs: () => atEpochMs })]);
      }
      pushAlerts(pipeline, alerts, atEpochMs);
      if (alerts.pushed.length > 0) pipeline.set(KEY.alertsMark, run.id);
      pipeline.set(KEY.runsMark, run.id);
      pipeline.lpush(KEY.runs, formatRun(run));
      pipeline.ltrim(KEY.runs, 0, MAX_RUNS - 1);
      await pipeline.exec();
    },
  };
}

/** Shaped like the quotas of the email function's health answer, so that a reader of one reads the other. */
function formatResult({ quotas, reportedBy, warnings }: QuotaResult, atEpochMs: number): string {
  return JSON.stringify({
    timestamp: new Date(atEpochMs).toISOString(),
    quotas: quotas.map(({ provider, day, month }) => ({
      provider,
      status: quotaStatus(Math.max(percentUsed(day), percentUsed(month))),
      daily: formatUse(day),
      monthly: formatUse(month),
      source: reportedBy.includes(provider) ? 'api' : 'database',
    })),
    warnings,
  });
}

function formatUse(use: QuotaUse) {
  const percent = Math.round(percentUsed(use) * 10) / 10;
  return { sent: use.sent, limit: use.limit, remaining: remaining(use), percentUsed: percent };
}
