/**
 * The day before a new sandbox began: made up once, in every system at the same time, so that its charts have something to
 * show and outbox, queue, logs, quotas, statistics and metrics still agree with each other.
 */
import { PROVIDERS, type Provider } from '../domain/email.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, utcDay, utcMidnightEpochMs } from '../domain/time.ts';
import type { SendAttempt } from './email-function/outbox.ts';
import { drawCount, makeEmail, type SandboxEmail } from './mail.ts';
import type { Random } from './random.ts';
import type { Limits } from './scenario-engine.ts';

export interface PastEmail extends SandboxEmail {
  readonly id: string;
  readonly provider: Provider;
  readonly messageId: string;
  readonly createdAtEpochMs: number;
  readonly sentAtEpochMs: number;
  readonly latencyMs: number;
}

/** A member of `email:metrics:timeseries` with its score (WIRE.md). */
export interface PastMetric {
  readonly atEpochMs: number;
  readonly json: string;
}

export interface History {
  /** Oldest first. */
  readonly emails: readonly PastEmail[];
  readonly metrics: readonly PastMetric[];
  /** Emails since the last UTC midnight. */
  readonly sentToday: number;
}

const METRIC_EVERY_MS = 5 * MINUTE_MS;
const RUN_EVERY_MS = 2 * MINUTE_MS;
const SHARES: readonly (readonly [Provider, number])[] = [
  ['resend', 0.35],
  ['brevo', 0.3],
  ['mailersend', 0.25],
  ['aws_ses', 0.1],
];

/** Makes up the 24 h before `nowEpochMs`: busy in the evening, quiet at night, every email delivered within a run. */
export function makeHistory(options: {
  nowEpochMs: number;
  random: Random;
  limits: Readonly<Record<Provider, Limits>>;
}): History {
  const { nowEpochMs, random, limits } = options;
  const emails: PastEmail[] = [];
  const metrics: PastMetric[] = [];
  const sent = new Map<string, number>();
  const from = nowEpochMs - DAY_MS + METRIC_EVERY_MS;
  for (let at = from; at < nowEpochMs; at += METRIC_EVERY_MS) {
    const arrivals = drawCount(arrivalsPerMinute(at) * (METRIC_EVERY_MS / MINUTE_MS), random.next);
    const batch = Array.from({ length: arrivals }, () => pastEmail(at, random))
      .filter(({ sentAtEpochMs }) => sentAtEpochMs < nowEpochMs)
      .sort((a, b) => a.createdAtEpochMs - b.createdAtEpochMs);
    for (const email of batch) {
      const key = `${email.provider}/${utcDay(email.sentAtEpochMs)}`;
      sent.set(key, (sent.get(key) ?? 0) + 1);
    }
    emails.push(...batch);
    if (at + METRIC_EVERY_MS <= nowEpochMs) metrics.push(metricAt(at + METRIC_EVERY_MS, batch, sent, limits));
  }
  const midnight = utcMidnightEpochMs(nowEpochMs);
  return { emails, metrics, sentToday: emails.filter((email) => email.sentAtEpochMs >= midnight).length };
}

/** The delivery as the email function's outbox would have recorded it. */
export function attemptOf(email: PastEmail): SendAttempt {
  return {
    atEpochMs: email.sentAtEpochMs,
    provider: email.provider,
    idempotencyKey: email.id,
    to: email.recipientEmail,
    subject: email.templateData.subject,
    outcome: 'delivered',
    failure: null,
    message: null,
    messageId: email.messageId,
    latencyMs: email.latencyMs,
    repeat: false,
    draw: null,
  };
}

/** Between 2 and 6 a minute, with the peak at 18:00 UTC. */
function arrivalsPerMinute(atEpochMs: number): number {
  const hour = (atEpochMs % DAY_MS) / HOUR_MS;
  return 4 + 2 * Math.cos(((hour - 18) / 24) * 2 * Math.PI);
}

function pastEmail(bucketEpochMs: number, random: Random): PastEmail {
  const email = makeEmail(random.next);
  const createdAtEpochMs = Math.floor(bucketEpochMs + random.next() * METRIC_EVERY_MS);
  const latencyMs = Math.round(random.logNormal(220, 1_200));
  // The next run takes it.
  const sentAtEpochMs = Math.ceil(createdAtEpochMs / RUN_EVERY_MS) * RUN_EVERY_MS + SECOND_MS + latencyMs;
  const id = uuid(random);
  return {
    ...email,
    // Every past email was delivered, so none went to an address that bounces.
    recipientEmail: email.recipientEmail.replace(/^bounce@/, 'bea@'),
    id,
    provider: pickProvider(random.next()),
    messageId: `past-${id}`,
    createdAtEpochMs,
    sentAtEpochMs,
    latencyMs,
  };
}

function metricAt(
  atEpochMs: number,
  batch: readonly PastEmail[],
  sent: ReadonlyMap<string, number>,
  limits: Readonly<Record<Provider, Limits>>,
): PastMetric {
  const day = utcDay(atEpochMs);
  const sumSent = (prefix: string) =>
    [...sent].filter(([key]) => key.includes(`/${prefix}`)).reduce((sum, [, count]) => sum + count, 0);
  const sumLimit = (kind: keyof Limits) => PROVIDERS.reduce((sum, provider) => sum + limits[provider][kind], 0);
  const latencies = batch.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  const json = JSON.stringify({
    timestamp: atEpochMs,
    healthy_providers: PROVIDERS.length,
    total_providers: PROVIDERS.length,
    daily_quota_used: round((sumSent(day) / sumLimit('daily')) * 100),
    monthly_quota_used: round((sumSent(day.slice(0, 7)) / sumLimit('monthly')) * 100),
    best_provider: 'resend',
    queue_depth: batch.filter(({ sentAtEpochMs }) => sentAtEpochMs > atEpochMs).length,
    oldest_queued_s: 0,
    sent: batch.length,
    failed: 0,
    ...(latencies.length > 0 ? { p95_ms: latencies[Math.floor(latencies.length * 0.95)] } : {}),
  });
  return { atEpochMs, json };
}

function pickProvider(draw: number): Provider {
  let rest = draw;
  for (const [provider, share] of SHARES) {
    rest -= share;
    if (rest < 0) return provider;
  }
  return 'aws_ses';
}

function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random.next() * 16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function round(percent: number): number {
  return Math.round(percent * 100) / 100;
}
