/**
 * The worker that is deployed today, as the customer's document describes it: a plain SET NX EX lock, chunks of ten, one
 * write after the other for each email. Ours have to live beside it. It is not an example to follow.
 */
import { randomUUID } from 'node:crypto';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Receiver } from '@upstash/qstash';
import type { Redis } from '@upstash/redis';
import { nextUtcMidnightEpochMs, utcDay } from '../../src/domain/time.ts';

const BATCH_SIZE = 100;
const CONCURRENCY = 10;
const LOCK_TTL_S = 300;
const CACHE_TTL_S = 300;
const ALERTS_KEPT = 100;
const METRICS_KEPT_MS = 86_400_000;

export interface LegacySystems {
  readonly redis: Redis;
  readonly supabase: SupabaseClient;
  readonly receiver: Receiver;
  /** Base URL of the workers, e.g. `http://127.0.0.1:4000`. */
  readonly baseUrl: string;
  readonly callFunction: (body: Record<string, unknown>) => Promise<{ status: number; answer: FunctionAnswer }>;
  readonly log: (line: string) => void;
}

interface FunctionAnswer {
  readonly success?: boolean;
  readonly message?: string;
  readonly messageId?: string;
  readonly responseTime?: number;
  readonly alerts?: readonly string[];
  readonly summary?: {
    readonly healthyProviders: number;
    readonly totalProviders: number;
    readonly bestProvider: string | null;
    readonly daily: { readonly percentUsed: number };
    readonly monthly: { readonly percentUsed: number };
  };
  readonly recommendation?: { readonly provider: string | null; readonly alternates?: readonly string[] };
}

interface QueueRow {
  readonly id: string;
  readonly recipient_id: string | null;
  readonly recipient_email: string;
  readonly email_type: string;
  readonly template_data: { readonly subject?: string; readonly html?: string; readonly text?: string };
}

/** Handles `POST /api/email/worker/queue-processor` and `…/health-monitor`, signed by QStash; 401 without a valid signature. */
export function createLegacyWorker(systems: LegacySystems): (request: Request) => Promise<Response> {
  const jobs: Record<string, () => Promise<Record<string, unknown>>> = {
    '/api/email/worker/queue-processor': () => processLegacyQueue(systems),
    '/api/email/worker/health-monitor': () => monitorHealth(systems),
  };
  return async (request) => {
    const path = new URL(request.url).pathname;
    const job = jobs[path];
    if (job === undefined) return Response.json({ error: 'Not found' }, { status: 404 });
    const body = await request.text();
    const signature = request.headers.get('upstash-signature');
    if (signature === null || !(await isSigned(systems, { signature, body, url: systems.baseUrl + path }))) {
      return Response.json({ error: 'Invalid signature' }, { status: 401 });
    }
    try {
      return Response.json(await job());
    } catch (error) {
      systems.log(`${path} failed: ${error instanceof Error ? error.message : String(error)}`);
      return Response.json({ success: false, message: 'Internal error' }, { status: 500 });
    }
  };
}

async function isSigned(
  systems: LegacySystems,
  delivery: { signature: string; body: string; url: string },
): Promise<boolean> {
  try {
    return await systems.receiver.verify(delivery);
  } catch {
    return false;
  }
}

/** One run over at most a hundred emails. */
export async function processLegacyQueue(
  systems: Pick<LegacySystems, 'redis' | 'supabase' | 'callFunction' | 'log'>,
): Promise<Record<string, unknown>> {
  const startedAtMs = Date.now();
  const lock = await systems.redis.set('email:queue:lock', randomUUID(), { nx: true, ex: LOCK_TTL_S });
  if (lock !== 'OK') return { success: true, skipped: true, message: 'Queue is locked' };
  try {
    const { data, error } = await systems.supabase.rpc('get_ready_emails', { p_limit: BATCH_SIZE });
    if (error !== null) throw new Error(`get_ready_emails: ${error.message}`);
    const rows = data as readonly QueueRow[];
    if (rows.length > 0) systems.log(`[email-worker] Processing ${rows.length} emails...`);
    let successful = 0;
    for (let start = 0; start < rows.length; start += CONCURRENCY) {
      const chunk = rows.slice(start, start + CONCURRENCY);
      const results = await Promise.allSettled(chunk.map((row) => sendOne(systems, row)));
      successful += results.filter((result) => result.status === 'fulfilled' && result.value).length;
    }
    await countDay(systems.redis, rows.length, successful);
    const duration = Date.now() - startedAtMs;
    return {
      success: true,
      message: 'Queue processed',
      processed: rows.length,
      successful,
      failed: rows.length - successful,
      duration,
    };
  } finally {
    await systems.redis.del('email:queue:lock');
  }
}

async function sendOne(systems: Pick<LegacySystems, 'supabase' | 'callFunction'>, row: QueueRow): Promise<boolean> {
  const { supabase } = systems;
  const route = await systems.callFunction({ action: 'route', emailType: row.email_type });
  const provider = route.answer.recommendation?.provider ?? null;
  if (provider === null) {
    await supabase.rpc('retry_queued_email', { p_queue_id: row.id, p_error_message: 'No provider available' });
    return false;
  }
  const { subject, html, text } = row.template_data;
  const sent = await systems.callFunction({ action: 'send', to: row.recipient_email, subject, html, text, provider });
  const isSent = sent.answer.success === true;
  if (isSent) {
    await supabase.from('email_queue').update({ status: 'completed' }).eq('id', row.id);
    await supabase.rpc('increment_provider_quota', { p_provider: provider, p_date: utcDay(Date.now()) });
  } else {
    await supabase.rpc('retry_queued_email', { p_queue_id: row.id, p_error_message: sent.answer.message ?? 'Unknown' });
  }
  await supabase.from('email_logs').insert({
    recipient_id: row.recipient_id,
    recipient_email: row.recipient_email,
    email_type: row.email_type,
    subject: subject ?? null,
    provider,
    provider_message_id: sent.answer.messageId ?? null,
    status: isSent ? 'sent' : 'failed',
    error_message: isSent ? null : (sent.answer.message ?? null),
    latency_ms: sent.answer.responseTime ?? null,
    sent_at: isSent ? new Date().toISOString() : null,
  });
  return isSent;
}

async function countDay(redis: Redis, processed: number, successful: number): Promise<void> {
  await redis
    .pipeline()
    .hincrby('email:stats:daily', 'processed', processed)
    .hincrby('email:stats:daily', 'successful', successful)
    .hincrby('email:stats:daily', 'failed', processed - successful)
    .expireat('email:stats:daily', Math.floor(nextUtcMidnightEpochMs(Date.now()) / 1000))
    .exec();
}

async function monitorHealth(systems: LegacySystems): Promise<Record<string, unknown>> {
  const { redis } = systems;
  const { answer } = await systems.callFunction({ action: 'health', mode: 'full' });
  const { summary } = answer;
  if (answer.success !== true || summary === undefined) {
    const failure = { error: answer.message ?? 'Health check failed', timestamp: new Date().toISOString() };
    await redis.set('email:health:error', JSON.stringify(failure), { ex: 60 });
    throw new Error(failure.error);
  }
  const critical = (answer.alerts ?? []).filter((alert) => /^(ERROR|CRITICAL):/.test(alert));
  const nowEpochMs = Date.now();
  const metric = {
    timestamp: nowEpochMs,
    healthy_providers: summary.healthyProviders,
    total_providers: summary.totalProviders,
    daily_quota_used: summary.daily.percentUsed,
    monthly_quota_used: summary.monthly.percentUsed,
    best_provider: summary.bestProvider,
  };
  const pipeline = redis.pipeline();
  pipeline.set('email:health:latest', JSON.stringify(answer), { ex: CACHE_TTL_S });
  if (critical.length > 0) {
    pipeline.lpush('email:alerts:critical', ...critical);
    pipeline.ltrim('email:alerts:critical', 0, ALERTS_KEPT - 1);
    systems.log(`[health-monitor] Critical alerts: ${critical.length}`);
  }
  pipeline.zadd('email:metrics:timeseries', { score: nowEpochMs, member: JSON.stringify(metric) });
  pipeline.zremrangebyscore('email:metrics:timeseries', 0, nowEpochMs - METRICS_KEPT_MS);
  await pipeline.exec();
  return { success: true, message: 'Health checked', alerts: critical.length };
}
