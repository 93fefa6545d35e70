import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatInstant } from '../../src/domain/format.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { completeQuotas } from '../../src/domain/quota.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { EXIT_CODE_BY_LEVEL, verdictOf } from '../../src/domain/verdict.ts';
import {
  aBlindSnapshot,
  aMetricPoint,
  anOverview,
  aRun,
  aSnapshot,
  aThroughput,
  NOON,
  quotasWithLeft,
} from '../support/snapshot.ts';

const MIN = 60_000;
const timeout = {
  code: 'timeout',
  message: 'Redis did not answer within 2000 ms.',
  remedy: 'Check the network.',
} as const;
const refused = {
  code: 'unauthorized',
  message: 'Redis does not accept our credentials: WRONGPASS invalid or missing auth token',
} as const;
const unset = { code: 'not-configured', message: 'QStash is not configured.' } as const;
const queue = (changes: Parameters<typeof anOverview>[0]) => ({ queue: loaded(anOverview(changes), NOON) });
const queued = (count: number, processing = 0) => ({ queued: count, processing, failed: 0, completed: 0 });
const brevoGone = ({ sent, countedAtEpochMs }: { sent: number; countedAtEpochMs: number }) =>
  completeQuotas([{ provider: 'brevo', day: { sent, limit: 300 }, month: { sent, limit: 9_000 }, countedAtEpochMs }]);
const pause = {
  operator: 'anna',
  host: 'web-1',
  startedAtEpochMs: NOON - 18 * MIN,
  reason: 'resend outage',
  expiresAtEpochMs: NOON + 12 * MIN,
};
const lock = (value: object) =>
  ({ lock: loaded({ lock: value, announcedPause: null }, NOON) }) as unknown as Partial<Snapshot>;
const health = (changes: object) => ({
  health: loaded(
    {
      report: {
        checkedAtEpochMs: NOON,
        providers: [],
        metrics: [],
        healthyProviders: 4,
        totalProviders: 4,
        bestProvider: null,
        alerts: [],
        ...changes,
      },
      lastError: null,
      skipped: 0,
    },
    NOON,
  ),
});
const alert = (changes: object) => ({
  severity: 'critical' as const,
  text: 'brevo fails',
  atEpochMs: NOON - MIN,
  fingerprint: 'f',
  repeats: 1,
  acknowledged: null,
  ...changes,
});

test('a healthy system is ok, without a word', () => {
  expect(verdictOf(aSnapshot())).toEqual({ level: 'ok', reasons: [] });
});

describe('one thing wrong', () => {
  const cases: readonly [string, Partial<Snapshot>, string, string][] = [
    [
      'a silent processor',
      {
        runs: loaded({ runs: [aRun({ startedAtEpochMs: NOON - 9 * MIN - 4_000 })], skipped: 0 }, NOON),
        ...queue({ lastCompletedAtEpochMs: null }),
      },
      'warning',
      'no processor run for 9 min (every 2 min expected)',
    ],
    [
      'a processor silent for long with emails due',
      {
        runs: loaded({ runs: [aRun({ startedAtEpochMs: NOON - 40 * MIN - 4_000 })], skipped: 0 }, NOON),
        ...queue({ lastCompletedAtEpochMs: null, counts: queued(1), ready: 1, oldestReadyAtEpochMs: NOON }),
      },
      'critical',
      'no processor run for 40 min (every 2 min expected)',
    ],
    [
      'a failed run',
      {
        runs: loaded(
          { runs: [aRun({ outcome: 'failed', error: 'timeout for maria@example.org\n' })], skipped: 0 },
          NOON,
        ),
      },
      'warning',
      'last processor run failed: timeout for m***@example.org',
    ],
    [
      'an old ready email',
      queue({ counts: queued(1), ready: 1, oldestReadyAtEpochMs: NOON - 18 * MIN }),
      'warning',
      'oldest ready email has waited 18 min',
    ],
    [
      'a very old ready email',
      queue({ counts: queued(1), ready: 1, oldestReadyAtEpochMs: NOON - 125 * MIN }),
      'critical',
      'oldest ready email has waited 2 h 5 min',
    ],
    [
      'one quota gone',
      queue({
        counts: queued(312),
        quotas: completeQuotas([
          { provider: 'brevo', day: { sent: 300, limit: 300 }, month: { sent: 300, limit: 9_000 } },
        ]),
      }),
      'warning',
      'brevo quota gone (300/300 today), 312 waiting',
    ],
    [
      'one quota gone, and when its last email was counted',
      queue({ counts: queued(312), quotas: brevoGone({ sent: 300, countedAtEpochMs: NOON - 140 * MIN }) }),
      'warning',
      'brevo quota gone at 09:40 (300/300 today), 312 waiting',
    ],
    [
      'one quota overdrawn, the last count of which is not when it was gone',
      queue({ counts: queued(312), quotas: brevoGone({ sent: 304, countedAtEpochMs: NOON - 140 * MIN }) }),
      'warning',
      'brevo quota gone (304/300 today), 312 waiting',
    ],
    [
      'the month of a provider gone since another day',
      queue({
        counts: queued(312),
        quotas: completeQuotas([
          {
            provider: 'brevo',
            day: { sent: 0, limit: 300 },
            month: { sent: 9_000, limit: 9_000 },
            countedAtEpochMs: NOON - 26 * 60 * MIN,
          },
        ]),
      }),
      'warning',
      `brevo quota gone at ${formatInstant(NOON - 26 * 60 * MIN)} (9,000/9,000 this month), 312 waiting`,
    ],
    [
      'every quota gone',
      queue({ counts: queued(312), quotas: quotasWithLeft(0) }),
      'critical',
      'quota of all providers gone, 312 waiting until 00:00 UTC',
    ],
    [
      'less quota than emails',
      queue({ counts: queued(1_312) }),
      'warning',
      'quota too small: 312 of 1,312 waiting stay until 00:00 UTC, 1,000 left',
    ],
    ['all providers down', health({ healthyProviders: 0 }), 'critical', 'all 4 providers down'],
    [
      'one provider down',
      health({
        healthyProviders: 3,
        providers: [
          {
            provider: 'resend',
            status: 'error',
            healthScore: 0,
            latencyMs: null,
            message: 'HTTP 500',
            configured: true,
          },
        ],
      }),
      'warning',
      'resend is down: HTTP 500',
    ],
    [
      'a pause',
      lock({ kind: 'paused', ...pause }),
      'warning',
      'queue paused by anna@web-1: "resend outage", 12 min left',
    ],
    [
      'an announced pause',
      { lock: loaded({ lock: { kind: 'free' }, announcedPause: { ...pause, reason: '' } }, NOON) },
      'warning',
      'queue is being paused by anna@web-1, 12 min left',
    ],
    [
      'a lock without end',
      lock({ kind: 'unknown-holder', value: 'x', expiresAtEpochMs: null }),
      'critical',
      'the queue lock never expires: no worker can run',
    ],
    [
      'a slot of several without end',
      {
        lock: loaded(
          {
            lock: { kind: 'unknown-holder', value: 'x', expiresAtEpochMs: null },
            otherSlotsHeld: 0,
            freeSlots: 2,
            announcedPause: null,
          },
          NOON,
        ),
      },
      'critical',
      'a slot of the queue lock never expires: one worker fewer can run',
    ],
    [
      'an open alert',
      {
        alerts: loaded(
          { alerts: [alert({ text: 'brevo \u001b[31mfails' }), alert({ severity: 'warning' })], skipped: 0 },
          NOON,
        ),
      },
      'critical',
      'brevo fails (unacknowledged alert)',
    ],
    [
      'an open alert that is only an error',
      { alerts: loaded({ alerts: [alert({ severity: 'error' })], skipped: 0 }, NOON) },
      'warning',
      'brevo fails (unacknowledged alert)',
    ],
    [
      'an open alert without a time',
      { alerts: loaded({ alerts: [alert({ atEpochMs: null })], skipped: 0 }, NOON) },
      'warning',
      'brevo fails (unacknowledged alert)',
    ],
    [
      'an urgent alert below newer errors',
      {
        alerts: loaded(
          {
            alerts: [
              alert({ severity: 'error', text: 'The queue grew.', fingerprint: 'g' }),
              alert({ text: 'resend is down: 503.', fingerprint: 'h' }),
              alert({ fingerprint: 'i' }),
            ],
            skipped: 0,
          },
          NOON,
        ),
      },
      'critical',
      'resend is down: 503 (1 of 3 unacknowledged alerts)',
    ],
    ['dead letters', queue({ unreviewedDeadLetters: 2 }), 'warning', '2 dead letters not reviewed'],
    ['expired leases', queue({ expiredLeases: 1 }), 'warning', '1 expired lease: a worker stopped in the middle'],
    [
      'nothing completed',
      queue({
        counts: queued(0, 5),
        oldestProcessingAtEpochMs: NOON - 9 * MIN,
        lastCompletedAtEpochMs: NOON - 4 * MIN,
      }),
      'warning',
      '5 emails in processing but none completed for 4 min',
    ],
    [
      'failing deliveries',
      queue({ throughput: aThroughput(4, 0, 6) }),
      'critical',
      '60 % of the deliveries of the last 30 min failed (36 of 60)',
    ],
    [
      'a growing queue',
      queue({
        counts: queued(100),
        ready: 100,
        oldestReadyAtEpochMs: NOON - 5 * MIN,
        throughput: aThroughput(10, 70),
      }),
      'warning',
      'queue grows by 24 a minute',
    ],
    [
      'no health check',
      { metrics: loaded({ points: [aMetricPoint({ atEpochMs: NOON - 40 * MIN })], skipped: 0 }, NOON) },
      'warning',
      'no health check for 40 min (every 5 min expected)',
    ],
    [
      'a failing health check',
      { health: loaded({ report: null, lastError: { message: 'HTTP 502', atEpochMs: NOON }, skipped: 0 }, NOON) },
      'warning',
      'health check fails: HTTP 502',
    ],
    [
      'a paused schedule',
      {
        schedules: loaded(
          {
            schedules: [
              {
                id: 'email-queue-processor',
                cron: '*/2 * * * *',
                destination: 'https://example.org',
                isPaused: true,
                lastRunAtEpochMs: null,
                nextRunAtEpochMs: null,
                lastState: 'unknown',
              },
            ],
            deadLetters: 0,
            deadLettersTruncated: false,
            skipped: 0,
          },
          NOON,
        ),
      },
      'warning',
      'schedule email-queue-processor is paused',
    ],
    [
      'QStash dead letters',
      { schedules: loaded({ schedules: [], deadLetters: 100, deadLettersTruncated: true, skipped: 0 }, NOON) },
      'warning',
      'QStash gave up on 100 deliveries or more',
    ],
    [
      'a missing migration',
      queue({ schemaVersion: null }),
      'warning',
      'the database lacks the email-ops migration: workers refuse to process, leases are unknown',
    ],
    [
      'malformed entries',
      { alerts: loaded({ alerts: [], skipped: 3 }, NOON) },
      'ok',
      '3 malformed entries in alerts skipped',
    ],
    ['no QStash', { schedules: { state: 'failed', error: unset } }, 'ok', 'QStash is not configured'],
    [
      'an alert list that is no list',
      { alerts: { state: 'failed', error: { code: 'protocol', message: 'Redis refused a command: WRONGTYPE' } } },
      'warning',
      'alerts could not be read: Redis refused a command: WRONGTYPE',
    ],
    [
      'a Postgres that is gone',
      {
        queue: {
          state: 'failed',
          error: { code: 'unreachable', message: 'Postgres is not reachable (ECONNREFUSED).' },
        },
      },
      'critical',
      'Postgres unreachable (ECONNREFUSED)',
    ],
    [
      'a Redis that does not know our token',
      {
        lock: { state: 'failed', error: refused },
        health: { state: 'failed', error: refused },
        alerts: { state: 'failed', error: refused },
        metrics: { state: 'failed', error: refused },
        stats: { state: 'failed', error: refused },
        runs: { state: 'failed', error: refused },
      },
      'critical',
      'Redis refuses our credentials: WRONGPASS invalid or missing auth token',
    ],
    [
      'one missed refresh',
      {
        queue: {
          state: 'stale',
          atEpochMs: NOON - 10_000,
          value: anOverview(),
          error: { code: 'timeout', message: 'Postgres did not answer within 5 s.' },
        },
      },
      'warning',
      'Postgres unreachable: did not answer within 5 s, showing values from 10 s ago',
    ],
  ];
  test.each(cases)('%s', (_name, changes, level, text) => {
    const verdict = verdictOf(aSnapshot(changes));
    expect(verdict.reasons.map((reason) => reason.text)).toEqual([text]);
    expect([verdict.level, verdict.reasons[0]?.level]).toEqual([level, level]);
  });
});

describe('what is no reason', () => {
  test.each<[string, Partial<Snapshot>]>([
    ['a deployment whose workers leave no run records', { runs: loaded({ runs: [], skipped: 0 }, NOON) }],
    [
      'silence while a legacy worker completes emails',
      { runs: loaded({ runs: [aRun({ startedAtEpochMs: NOON - 600 * MIN })], skipped: 0 }, NOON) },
    ],
    [
      'a long run that still holds its lock',
      {
        ...lock({ kind: 'worker', host: 'h', pid: 1, token: 't', expiresAtEpochMs: NOON + MIN }),
        runs: loaded({ runs: [aRun({ startedAtEpochMs: NOON - 20 * MIN })], skipped: 0 }, NOON),
        ...queue({ lastCompletedAtEpochMs: null }),
      },
    ],
    [
      'a batch that has just been claimed after a quiet night',
      queue({
        counts: queued(0, 5),
        oldestProcessingAtEpochMs: NOON - 1_000,
        lastCompletedAtEpochMs: NOON - 500 * MIN,
      }),
    ],
    [
      'an acknowledged alert',
      { alerts: loaded({ alerts: [alert({ acknowledged: { by: 'anna', atEpochMs: null } })], skipped: 0 }, NOON) },
    ],
    ['an unconfigured provider', health({ providers: [{ provider: 'aws_ses', status: 'error', configured: false }] })],
  ])('%s', (_name, changes) => {
    expect(verdictOf(aSnapshot(changes))).toEqual({ level: 'ok', reasons: [] });
  });
});

test('Redis as a whole is one reason, not six', () => {
  const part = { state: 'failed', error: timeout } as const;
  const blind = { lock: part, health: part, alerts: part, metrics: part, stats: part, runs: part };
  expect(verdictOf(aSnapshot(blind))).toEqual({
    level: 'critical',
    reasons: [
      {
        level: 'critical',
        code: 'redis-timeout',
        text: 'Redis unreachable: did not answer within 2000 ms',
        action: 'Check the network.',
      },
    ],
  });
});

test('rows age by the clock of the database, not by ours', () => {
  const oldest = { counts: queued(1), ready: 1, oldestReadyAtEpochMs: NOON - 20 * MIN };
  const verdict = verdictOf(aSnapshot(queue({ ...oldest, databaseAtEpochMs: NOON - 20 * MIN })));
  expect(verdict.level).toBe('ok');
});

test('when nothing can be read, nothing is said about the system', () => {
  const verdict = verdictOf(aBlindSnapshot(timeout));
  expect([verdict.level, verdict.reasons[0]?.code]).toEqual(['unreachable', 'nothing-reachable']);
  expect(EXIT_CODE_BY_LEVEL[verdict.level]).toBe(3);
});

test('when nothing is configured, that is what is wrong', () => {
  const verdict = verdictOf(aBlindSnapshot(unset));
  expect([verdict.level, verdict.reasons[0]?.code]).toEqual(['unreachable', 'nothing-configured']);
});

test('of the same level, what stops email is the headline, before what slows it and before what was only reported', () => {
  const slow = {
    ...health({
      healthyProviders: 3,
      providers: [{ provider: 'resend', status: 'error', configured: true, message: 'HTTP 503' }],
    }),
    ...queue({ unreviewedDeadLetters: 2, counts: queued(9), oldestReadyAtEpochMs: NOON - 20 * MIN }),
    alerts: loaded({ alerts: [alert({ severity: 'error' })], skipped: 0 }, NOON),
  };
  const inOrder = ['provider-down', 'oldest-ready', 'unacknowledged-alerts', 'dead-letters'];
  expect(verdictOf(aSnapshot(slow)).reasons.map(({ code }) => code)).toEqual(inOrder);
  const stopped = verdictOf(aSnapshot({ ...slow, ...lock({ kind: 'paused', ...pause }) }));
  expect(stopped.reasons.map(({ code }) => code)).toEqual(['paused', ...inOrder]);
  const locked = {
    ...lock({ kind: 'unknown-holder', value: 'x', expiresAtEpochMs: null }),
    ...health({ healthyProviders: 0 }),
  };
  const critical = verdictOf(aSnapshot({ ...locked, alerts: loaded({ alerts: [alert({})], skipped: 0 }, NOON) }));
  expect(critical.reasons.map(({ code }) => code)).toEqual([
    'lock-without-end',
    'all-providers-down',
    'unacknowledged-alerts',
  ]);
});

test('reasons stand worst first, and the verdict is as bad as its worst', () => {
  const part = fc.constantFrom<Partial<Snapshot>>(
    queue({ unreviewedDeadLetters: 2 }),
    queue({ counts: queued(312), quotas: quotasWithLeft(0), oldestReadyAtEpochMs: NOON - 500 * MIN }),
    health({ healthyProviders: 0 }),
    lock({ kind: 'paused', ...pause }),
    { schedules: { state: 'failed', error: unset } },
    { alerts: loaded({ alerts: [alert({})], skipped: 1 }, NOON) },
    { queue: { state: 'failed', error: timeout } },
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const verdict = verdictOf(aSnapshot(Object.assign({}, ...parts)));
      const codes = verdict.reasons.map(({ level }) => EXIT_CODE_BY_LEVEL[level]);
      expect(codes).toEqual(codes.toSorted((a, b) => b - a));
      expect(EXIT_CODE_BY_LEVEL[verdict.level]).toBe(codes[0] ?? 0);
    }),
  );
});
