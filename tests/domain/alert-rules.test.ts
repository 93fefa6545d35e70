import { describe, expect, it } from 'vitest';
import {
  type AlertFacts,
  criticalReports,
  DEFAULT_ALERT_THRESHOLDS,
  raisedAlerts,
} from '../../src/domain/alert-rules.ts';
import type { Lock } from '../../src/domain/lock.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { anOverview, aThroughput, NOON, quotasWithLeft } from '../support/snapshot.ts';

function facts(changes: Partial<AlertFacts> = {}): AlertFacts {
  return {
    nowEpochMs: NOON,
    queue: anOverview(),
    locks: [{ lock: { kind: 'free' }, sinceEpochMs: NOON }],
    points: [],
    lastProcessorRunAtEpochMs: NOON - MINUTE_MS,
    previousDeadLetters: 0,
    healthFailures: 0,
    healthError: null,
    ...changes,
  };
}

function textsOf(changes: Partial<AlertFacts>, thresholds = {}): readonly string[] {
  const raised = raisedAlerts(facts(changes), { ...DEFAULT_ALERT_THRESHOLDS, ...thresholds });
  return raised.map(({ severity, text }) => `${severity}: ${text}`);
}

const pausedFor = (startedAgoMs: number, lengthMs: number): Lock => ({
  kind: 'paused',
  operator: 'anna',
  host: 'ops-1',
  reason: 'resend outage',
  startedAtEpochMs: NOON - startedAgoMs,
  expiresAtEpochMs: NOON - startedAgoMs + lengthMs,
});
const worker = (leftMs: number | null): Lock => ({
  kind: 'worker',
  host: 'web-1',
  pid: 7,
  token: 't',
  expiresAtEpochMs: leftMs === null ? null : NOON + leftMs,
});
const points = (...depths: readonly [agoMin: number, depth: number][]) =>
  depths.map(([agoMin, queueDepth]) => ({ atEpochMs: NOON - agoMin * MINUTE_MS, queueDepth }));
const depth = (queued: number) => ({ counts: { queued, processing: 0, failed: 0, completed: 0 } });

describe('own alerts', () => {
  it('are silent about a healthy system', () => {
    expect(textsOf({})).toEqual([]);
  });

  it('are silent about what could not be read', () => {
    expect(textsOf({ queue: null, locks: [], lastProcessorRunAtEpochMs: null, previousDeadLetters: null })).toEqual([]);
  });

  it('tell when the oldest ready email has waited 15 minutes', () => {
    const waiting = (minutes: number) => ({
      queue: anOverview({ oldestReadyAtEpochMs: NOON - minutes * MINUTE_MS, ready: 1 }),
    });
    expect(textsOf(waiting(14))).toEqual([]);
    expect(textsOf(waiting(18))).toEqual(['critical: The oldest ready email has waited 18 min.']);
    expect(textsOf(waiting(18), { queueAgeMs: HOUR_MS })).toEqual([]);
  });

  it('do not blame a pause for old emails', () => {
    const queue = anOverview({ oldestReadyAtEpochMs: NOON - HOUR_MS, ready: 1 });
    expect(textsOf({ queue, locks: [{ lock: pausedFor(MINUTE_MS, HOUR_MS), sinceEpochMs: NOON }] })).toEqual([]);
  });

  it('tell when no processor ran for three intervals', () => {
    const silent = {
      lastProcessorRunAtEpochMs: NOON - 7 * MINUTE_MS,
      queue: anOverview({ lastCompletedAtEpochMs: null }),
    };
    expect(textsOf(silent)).toEqual(['critical: The queue processor has not run for 7 min.']);
    expect(textsOf({ ...silent, lastProcessorRunAtEpochMs: NOON - 5 * MINUTE_MS })).toEqual([]);
  });

  it('take a held lock or a completed email for a sign of life of a legacy processor', () => {
    const silent = { lastProcessorRunAtEpochMs: NOON - HOUR_MS, queue: anOverview({ lastCompletedAtEpochMs: null }) };
    const locks = [{ lock: worker(MINUTE_MS), sinceEpochMs: NOON }];
    expect(textsOf({ ...silent, locks })).toEqual([]);
    expect(textsOf({ ...silent, queue: anOverview({ lastCompletedAtEpochMs: NOON - MINUTE_MS }) })).toEqual([]);
  });

  it('miss a processor that was never seen only when emails wait', () => {
    const never = { lastProcessorRunAtEpochMs: null };
    const idle = anOverview({ lastCompletedAtEpochMs: null });
    const waiting = anOverview({ lastCompletedAtEpochMs: null, oldestReadyAtEpochMs: NOON - 10 * MINUTE_MS, ready: 3 });
    expect(textsOf({ ...never, queue: idle })).toEqual([]);
    expect(textsOf({ ...never, queue: waiting })).toEqual([
      'critical: No run of the queue processor was ever seen, and emails are waiting.',
    ]);
  });

  it('tell when the queue grew for an hour, not after a burst that is being worked off', () => {
    const queue = anOverview(depth(1_500));
    expect(textsOf({ queue, points: points([60, 100], [30, 700]) })).toEqual([
      'error: The queue grew by 1,400 emails in an hour, to 1,500.',
    ]);
    expect(textsOf({ queue, points: points([60, 100], [30, 2_000]) })).toEqual([]);
    expect(textsOf({ queue: anOverview(depth(150)), points: points([60, 100], [30, 120]) })).toEqual([]);
  });

  it('make no growth out of missing points', () => {
    expect(textsOf({ queue: anOverview(depth(5_000)), points: points([95, 0], [30, 100]) })).toEqual([]);
  });

  it('count the dead letters that arrived since the last check', () => {
    const queue = anOverview({ deadLetters: 5, unreviewedDeadLetters: 4 });
    expect(textsOf({ queue, previousDeadLetters: 2 })).toEqual(['error: 2 new dead letters; not reviewed: 4.']);
    expect(textsOf({ queue, previousDeadLetters: 4 })).toEqual([]);
    expect(textsOf({ queue, previousDeadLetters: null })).toEqual([]);
  });

  it('forecast a quota that will not last until midnight UTC', () => {
    const queue = anOverview({
      quotas: quotasWithLeft(300),
      deliveries24h: [{ provider: 'resend', sent: 1_000, failed: 0, p95Ms: null }],
      throughput: aThroughput(50, 50),
    });
    expect(textsOf({ queue })).toEqual([
      expect.stringMatching(/^error: The quota of resend will be used up at about \d\d:\d\d UTC at this rate\.$/),
    ]);
  });

  it('tell when a lock has no end, ends too late, or is renewed without end', () => {
    const seen = (lock: Lock, agoMs = 0) => ({ locks: [{ lock, sinceEpochMs: NOON - agoMs }] });
    expect(textsOf(seen(worker(4 * MINUTE_MS)))).toEqual([]);
    expect(textsOf(seen(worker(null)))[0]).toMatch(/^critical: The queue lock, held by worker web-1\/7, never expires/);
    expect(textsOf(seen(worker(HOUR_MS)))).toEqual([
      'error: The queue lock, held by worker web-1/7, ends only in 60 min.',
    ]);
    expect(textsOf(seen(worker(4 * MINUTE_MS), 20 * MINUTE_MS))).toEqual([
      'error: The queue lock has been held by worker web-1/7 for 20 min.',
    ]);
    const legacy: Lock = { kind: 'unknown-holder', value: 'b5f1', expiresAtEpochMs: null };
    expect(textsOf(seen(legacy))[0]).toMatch(/held by an unknown worker, never expires/);
  });

  it('remind of a pause that is over its half, once for all slots', () => {
    const slots = (lock: Lock) => ({ locks: [lock, lock].map((each) => ({ lock: each, sinceEpochMs: NOON })) });
    expect(textsOf(slots(pausedFor(14 * MINUTE_MS, 30 * MINUTE_MS)))).toEqual([]);
    expect(textsOf(slots(pausedFor(16 * MINUTE_MS, 30 * MINUTE_MS)))).toEqual([
      'error: The pause by anna@ops-1 ("resend outage") ends in 14 min.',
    ]);
  });

  it('tell of a failing health check from the third time on', () => {
    expect(textsOf({ healthFailures: 2, healthError: 'It did not answer.' })).toEqual([]);
    expect(textsOf({ healthFailures: 3, healthError: 'It did not answer.' })).toEqual([
      'error: The health check has failed 3 times in a row: It did not answer.',
    ]);
  });

  it('neutralise what operators and hosts are called', () => {
    const lock = { ...pausedFor(20 * MINUTE_MS, 30 * MINUTE_MS), reason: '\x1b[31mred' } as Lock;
    expect(textsOf({ locks: [{ lock, sinceEpochMs: NOON }] })[0]).not.toContain('\x1b');
  });
});

describe('reports of the email function', () => {
  it('are alerts when they begin ERROR: or CRITICAL:', () => {
    const reports = [
      'CRITICAL: all providers down',
      'ERROR: brevo fails',
      'WARNING: slow',
      'ALERT: hello',
      'noise',
      '',
    ];
    expect(criticalReports(reports).map(({ severity, text }) => [severity, text])).toEqual([
      ['critical', 'all providers down'],
      ['error', 'brevo fails'],
    ]);
  });

  it('have the same key when only numbers differ', () => {
    const [one, other] = criticalReports(['ERROR: quota at 91 %', 'ERROR: quota at 95 %']);
    expect(one?.key).toBe(other?.key);
  });
});
