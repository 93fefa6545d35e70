/**
 * The time series, read incrementally: the first read takes 24 h, later ones only what is newer than the newest point known,
 * so each point crosses the wire once. One instance remembers; it belongs to one reader.
 */
import type { Redis } from '@upstash/redis';
import { z } from 'zod';
import {
  METRIC_AHEAD_MS,
  METRIC_WINDOW_MS,
  type MetricPoint,
  type MetricSeries,
  mergePoints,
} from '../domain/metric.ts';
import type { Clock } from '../domain/time.ts';
import { KEY } from './keys.ts';
import { count, jsonOrUndefined, lenient } from './parse.ts';
import { listOf, type RedisRead, readOne } from './redis-read.ts';

export interface Metrics {
  /** Each successful parse extends what this instance knows. */
  readonly series: RedisRead<MetricSeries>;
  /** Throws `RedisError`. */
  read(signal?: AbortSignal): Promise<MetricSeries>;
}

export function createMetrics(client: Redis, clock: Clock): Metrics {
  let known: MetricSeries = { points: [], skipped: 0 };
  let skippedAt: readonly number[] = [];
  let lastScore: number | null = null;

  const series: RedisRead<MetricSeries> = {
    keys: [],
    count: 1,
    commands: (pipeline) => {
      const from = lastScore === null ? clock.nowEpochMs() - METRIC_WINDOW_MS : (`(${lastScore}` as const);
      pipeline.zrange(KEY.metrics, from, '+inf', { byScore: true, withScores: true });
    },
    parse: (_strings, [reply]) => {
      const now = clock.nowEpochMs();
      const { points, malformed, scores } = parseMembers(listOf(reply));
      // A score from the far future must not keep us from reading what comes until then.
      for (const score of scores) if (score <= now + METRIC_AHEAD_MS && score > (lastScore ?? 0)) lastScore = score;
      skippedAt = [...new Set([...skippedAt, ...malformed])].filter((score) => score > now - METRIC_WINDOW_MS);
      const merged = mergePoints(known.points, points, now);
      if (merged !== known.points || skippedAt.length !== known.skipped) {
        known = { points: merged, skipped: skippedAt.length };
      }
      return known;
    },
  };
  return { series, read: (signal) => readOne(client, series, signal) };
}

/** From `[member, score, …]`. The score is the time: it is what the set is ordered and trimmed by. */
function parseMembers(flat: readonly unknown[]): { points: MetricPoint[]; malformed: number[]; scores: number[] } {
  const points: MetricPoint[] = [];
  const malformed: number[] = [];
  const scores: number[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const score = Number(flat[index + 1]);
    const member = Member.safeParse(jsonOrUndefined(flat[index]));
    scores.push(score);
    if (member.success) points.push({ atEpochMs: score, ...member.data });
    else malformed.push(score);
  }
  return { points, malformed, scores };
}

const Member = z
  .object({
    healthy_providers: count,
    total_providers: count,
    daily_quota_used: count,
    monthly_quota_used: count,
    best_provider: lenient(z.string()),
    queue_depth: lenient(count),
    oldest_queued_s: lenient(count),
    sent: lenient(count),
    failed: lenient(count),
    p95_ms: lenient(count),
  })
  .transform((member) => ({
    healthyProviders: member.healthy_providers,
    totalProviders: member.total_providers,
    dailyQuotaUsedPercent: member.daily_quota_used,
    monthlyQuotaUsedPercent: member.monthly_quota_used,
    bestProvider: member.best_provider,
    queueDepth: member.queue_depth,
    oldestQueuedSeconds: member.oldest_queued_s,
    sent: member.sent,
    failed: member.failed,
    p95Ms: member.p95_ms,
  }));
