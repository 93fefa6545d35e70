import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drainForecast, quotaForecast, quotaReturnsAtEpochMs, ratesOf } from '../../src/domain/drain.ts';
import { completeQuotas } from '../../src/domain/quota.ts';
import { anOverview, aThroughput, NOON, quotasWithLeft } from '../support/snapshot.ts';

const MIN = 60_000;
const MIDNIGHT = Date.parse('2026-11-24T00:00:00Z');
const queued = (count: number) => ({ queued: count, processing: 0, failed: 0, completed: 0 });

describe('drainForecast', () => {
  test('nothing waits', () => {
    expect(drainForecast(anOverview(), NOON)).toEqual({ kind: 'empty' });
  });

  test('only retries that are not due yet', () => {
    const overview = anOverview({ counts: queued(3), waitingRetry: 3, nextRetryAtEpochMs: NOON + 9 * MIN });
    expect(drainForecast(overview, NOON)).toEqual({ kind: 'waiting', untilEpochMs: NOON + 9 * MIN });
  });

  test('due for longer than two runs and none sent is stalled', () => {
    const overview = anOverview({ counts: queued(3), ready: 3, oldestReadyAtEpochMs: NOON - 5 * MIN });
    expect(drainForecast(overview, NOON)).toEqual({ kind: 'stalled' });
  });

  test('what the next run will take is neither stalled nor growth', () => {
    const fresh = { counts: queued(80), ready: 80, oldestReadyAtEpochMs: NOON - MIN };
    expect(drainForecast(anOverview(fresh), NOON)).toEqual({ kind: 'steady' });
    expect(drainForecast(anOverview({ ...fresh, throughput: aThroughput(10, 50) }), NOON)).toEqual({ kind: 'steady' });
  });

  test('goes by what leaves less what comes', () => {
    // Five whole buckets in the window: 250 sent and 50 enqueued in 25 minutes, 8 a minute net.
    const overview = anOverview({ counts: queued(80), ready: 80, throughput: aThroughput(50, 10).map(zeroAtNoon) });
    expect(drainForecast(overview, NOON)).toEqual({ kind: 'clearing', etaMinutes: 10 });
  });

  test('more comes than leaves', () => {
    const oldestReadyAtEpochMs = NOON - 5 * MIN;
    const throughput = aThroughput(10, 50).map(zeroAtNoon);
    const overview = anOverview({ counts: queued(80), ready: 80, oldestReadyAtEpochMs, throughput });
    expect(drainForecast(overview, NOON)).toEqual({ kind: 'growing', perMinute: 8 });
  });

  test('a burst that was enqueued at once is worked off, not growth', () => {
    const buckets = aThroughput(50, 10).map(zeroAtNoon);
    const throughput = buckets.map((bucket, index) =>
      index === buckets.length - 3 ? { ...bucket, enqueued: 100_000 } : bucket,
    );
    const overview = anOverview({ counts: queued(80), ready: 80, throughput });
    expect(drainForecast(overview, NOON)).toEqual({ kind: 'clearing', etaMinutes: 10 });
  });

  test('what has kept coming for two buckets is growth, before the half hour has seen it', () => {
    const oldestReadyAtEpochMs = NOON - 5 * MIN;
    const quiet = aThroughput(10, 10).map(zeroAtNoon);
    const throughput = quiet.map((bucket, index) =>
      index >= quiet.length - 3 ? { ...bucket, enqueued: 500 } : bucket,
    );
    const overview = anOverview({ counts: queued(900), ready: 900, oldestReadyAtEpochMs, throughput });
    expect(drainForecast(overview, NOON + 2 * MIN)).toMatchObject({ kind: 'growing' });
  });

  test('what has stopped coming is no growth any more', () => {
    const oldestReadyAtEpochMs = NOON - 5 * MIN;
    const busy = aThroughput(50, 100).map(zeroAtNoon);
    const throughput = busy.map((bucket, index) => (index >= busy.length - 3 ? { ...bucket, enqueued: 0 } : bucket));
    const overview = anOverview({ counts: queued(80), ready: 80, oldestReadyAtEpochMs, throughput });
    expect(drainForecast(overview, NOON)).toEqual({ kind: 'clearing', etaMinutes: 8 });
  });

  test('the quota ends before the queue does', () => {
    const overview = anOverview({
      counts: queued(400),
      ready: 400,
      quotas: quotasWithLeft(88),
      throughput: aThroughput(50, 0),
    });
    expect(drainForecast(overview, NOON)).toEqual({ kind: 'quota-limited', endsAtEpochMs: MIDNIGHT, left: 312 });
  });

  test('a used-up quota explains a queue that stands still', () => {
    const overview = anOverview({ counts: queued(4), ready: 4, quotas: quotasWithLeft(0) });
    expect(drainForecast(overview, NOON)).toEqual({ kind: 'quota-limited', endsAtEpochMs: MIDNIGHT, left: 4 });
  });

  test('numbers are finite and not negative, whatever the overview says', () => {
    const nat = fc.nat(10_000);
    fc.assert(
      fc.property(nat, nat, nat, nat, nat, (count, ready, sent, enqueued, left) => {
        const forecast = drainForecast(
          anOverview({
            counts: queued(count),
            ready,
            throughput: aThroughput(sent, enqueued),
            quotas: quotasWithLeft(left),
          }),
          NOON,
        );
        for (const value of Object.values(forecast)) {
          if (typeof value === 'number') expect(value >= 0 && Number.isFinite(value)).toBe(true);
        }
      }),
    );
  });
});

test('what comes and what leaves are told over the same ten minutes: their difference is what the depth does', () => {
  const quiet = aThroughput(50, 10).map(zeroAtNoon);
  const throughput = quiet.map((bucket, index) =>
    index === quiet.length - 2 ? { ...bucket, enqueued: 1_000 } : bucket,
  );
  expect(ratesOf(anOverview({ throughput }), NOON)).toEqual({ sentPerMinute: 10, enqueuedPerMinute: 200 });
});

describe('quotaForecast', () => {
  test('says when a provider runs out at its share of what is sent now', () => {
    const overview = anOverview({
      deliveries24h: [
        { provider: 'brevo', sent: 200, failed: 0, p95Ms: 1 },
        { provider: 'resend', sent: 200, failed: 0, p95Ms: 1 },
      ],
      // 4 a minute in all, 2 each.
      throughput: aThroughput(20, 0).map(zeroAtNoon),
      quotas: completeQuotas([
        { provider: 'brevo', day: { sent: 240, limit: 300 }, month: { sent: 240, limit: 9_000 } },
      ]),
    });
    const byProvider = Object.fromEntries(quotaForecast(overview, NOON).map((each) => [each.provider, each]));
    expect(byProvider.brevo).toEqual({ provider: 'brevo', perHour: 120, runsOutAtEpochMs: NOON + 30 * MIN });
    expect(byProvider.resend?.runsOutAtEpochMs).toBe(NOON + 50 * MIN);
    expect(byProvider.mailersend).toEqual({ provider: 'mailersend', perHour: 0, runsOutAtEpochMs: null });
  });

  test('a quota that lasts until midnight does not run out', () => {
    const overview = anOverview({
      deliveries24h: [{ provider: 'aws_ses', sent: 1, failed: 0, p95Ms: null }],
      throughput: aThroughput(1, 0).map(zeroAtNoon),
    });
    expect(quotaForecast(overview, NOON).every(({ runsOutAtEpochMs }) => runsOutAtEpochMs === null)).toBe(true);
  });
});

test('a month that is used up comes back with the next month', () => {
  const gone = completeQuotas([]).map((quota) => ({ ...quota, month: { sent: 5, limit: 5 } }));
  expect(quotaReturnsAtEpochMs(gone, NOON)).toBe(Date.parse('2026-12-01T00:00:00Z'));
  expect(quotaReturnsAtEpochMs(completeQuotas([]), NOON)).toBe(MIDNIGHT);
});

/** The bucket that has just begun holds nothing yet. */
function zeroAtNoon<T extends { atEpochMs: number }>(bucket: T): T {
  return bucket.atEpochMs === NOON ? { ...bucket, sent: 0, enqueued: 0 } : bucket;
}
