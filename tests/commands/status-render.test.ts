import { describe, expect, it } from 'vitest';
import { compactLines } from '../../src/commands/render/compact.ts';
import { type Look, shown } from '../../src/commands/render/look.ts';
import { snapshotJson } from '../../src/commands/render/snapshot-json.ts';
import { statusLines } from '../../src/commands/render/status.ts';
import { failedAfter, loaded } from '../../src/domain/loaded.ts';
import type { LockState } from '../../src/domain/lock.ts';
import { completeQuotas } from '../../src/domain/quota.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { lockWords } from '../../src/domain/state-words.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { type Verdict, verdictOf } from '../../src/domain/verdict.ts';
import { levelWord } from '../../src/domain/verdict-words.ts';
import { displayWidth } from '../../src/domain/width.ts';
import { anOverview, aRun, aSnapshot, aThroughput, NOON } from '../support/snapshot.ts';

const PLAIN: Look = { columns: 80, colour: false, unicode: true };

function page(snapshot: Snapshot, look = PLAIN): string {
  return shown(statusLines(snapshot, verdictOf(snapshot), look), look);
}

function grid(name: string): string {
  return `./grids/${name}.txt`;
}

/** A bad hour: mail piles up, a provider is down and another used up, an operator has paused the queue. */
function anIncident(): Snapshot {
  return aSnapshot({
    lock: loaded(
      {
        lock: {
          kind: 'paused',
          operator: 'maria',
          host: 'ops-1',
          startedAtEpochMs: NOON - 12 * MINUTE_MS,
          reason: 'resend outage, ticket 4711',
          expiresAtEpochMs: NOON + 18 * MINUTE_MS,
        },
        announcedPause: null,
      },
      NOON,
    ),
    health: loaded(
      {
        report: {
          checkedAtEpochMs: NOON - 2 * MINUTE_MS,
          providers: [
            {
              provider: 'resend',
              status: 'error',
              healthScore: 3,
              latencyMs: null,
              message: 'HTTP 503',
              configured: true,
            },
            { provider: 'brevo', status: 'ok', healthScore: 97, latencyMs: 212, message: null, configured: true },
            {
              provider: 'mailersend',
              status: 'degraded',
              healthScore: 61,
              latencyMs: 2_840,
              message: 'slow answers for maria@example.org and many others on the free plan',
              configured: true,
            },
            {
              provider: 'aws_ses',
              status: 'unconfigured',
              healthScore: 0,
              latencyMs: null,
              message: null,
              configured: false,
            },
          ],
          metrics: [],
          healthyProviders: 2,
          totalProviders: 4,
          bestProvider: 'brevo',
          alerts: [],
        },
        lastError: null,
        skipped: 0,
      },
      NOON,
    ),
    alerts: loaded(
      {
        alerts: [
          {
            severity: 'critical',
            text: 'resend: 12 consecutive failures \u001b[31mred\u001b[0m',
            atEpochMs: NOON - 9 * MINUTE_MS,
            fingerprint: 'a',
            repeats: 7,
            acknowledged: null,
          },
          {
            severity: 'error',
            text: 'brevo quota at 92 %',
            atEpochMs: null,
            fingerprint: 'b',
            repeats: 1,
            acknowledged: null,
          },
          {
            severity: 'error',
            text: 'old',
            atEpochMs: NOON - 8 * HOUR_MS,
            fingerprint: 'c',
            repeats: 1,
            acknowledged: { by: 'maria', atEpochMs: NOON },
          },
        ],
        skipped: 2,
      },
      NOON,
    ),
    runs: loaded(
      {
        runs: [
          aRun({
            startedAtEpochMs: NOON - 14 * MINUTE_MS,
            processed: 50,
            successful: 31,
            failed: 19,
            durationMs: 48_200,
          }),
          aRun({
            startedAtEpochMs: NOON - 16 * MINUTE_MS,
            outcome: 'failed',
            error: 'The email function did not answer within 15 s.',
          }),
          aRun({
            worker: 'health-monitor',
            startedAtEpochMs: NOON - 2 * MINUTE_MS,
            processed: 0,
            durationMs: 2_900,
            trigger: 'qstash',
            host: 'iad1-very-long-host-name.vercel.internal',
          }),
        ],
        skipped: 0,
      },
      NOON,
    ),
    queue: loaded(
      anOverview({
        counts: { queued: 1_204, processing: 10, failed: 7, completed: 88_123 },
        ready: 980,
        oldestReadyAtEpochMs: NOON - 26 * MINUTE_MS,
        waitingRetry: 224,
        nextRetryAtEpochMs: NOON + 4 * MINUTE_MS,
        expiredLeases: 3,
        deadLetters: 12,
        unreviewedDeadLetters: 4,
        quotas: completeQuotas([]).map((quota) => ({
          ...quota,
          day: { ...quota.day, sent: { resend: 62, brevo: 276, mailersend: 0, aws_ses: 200 }[quota.provider] },
          month: {
            ...quota.month,
            sent: { resend: 2_150, brevo: 4_410, mailersend: 1, aws_ses: 5_210 }[quota.provider],
          },
        })),
        throughput: aThroughput(20, 42, 6).map((bucket, index) => ({ ...bucket, sent: Math.max(0, 30 - index * 2) })),
      }),
      NOON,
    ),
    schedules: loaded(
      {
        schedules: [
          {
            id: 'email-queue-processor',
            cron: '*/2 * * * *',
            destination: 'https://foodshare.club/x',
            isPaused: true,
            lastRunAtEpochMs: NOON,
            nextRunAtEpochMs: null,
            lastState: 'success',
          },
          {
            id: 'email-health-monitor',
            cron: '*/5 * * * *',
            destination: 'https://foodshare.club/y',
            isPaused: false,
            lastRunAtEpochMs: NOON,
            nextRunAtEpochMs: NOON + 3 * MINUTE_MS,
            lastState: 'fail',
          },
        ],
        deadLetters: 100,
        deadLettersTruncated: true,
        skipped: 0,
      },
      NOON,
    ),
  });
}

/** Redis is gone since five minutes, QStash was never configured. */
function anOutage(): Snapshot {
  const snapshot = aSnapshot({});
  const unreachable = {
    code: 'unreachable',
    message: 'Redis is not reachable (ECONNREFUSED).',
    remedy: 'Check KV_REST_API_URL or REDIS_URL, and that this machine can reach the server.',
  } as const;
  const absent = { code: 'not-configured', message: 'QStash is not configured.', remedy: 'Set QSTASH_TOKEN.' } as const;
  return {
    ...snapshot,
    lock: failedAfter(loaded({ lock: { kind: 'free' }, announcedPause: null }, NOON - 5 * MINUTE_MS), unreachable),
    health: { state: 'failed', error: unreachable },
    alerts: { state: 'failed', error: unreachable },
    metrics: { state: 'failed', error: unreachable },
    stats: { state: 'failed', error: unreachable },
    runs: { state: 'failed', error: unreachable },
    schedules: { state: 'failed', error: absent },
  };
}

describe('the status page', () => {
  it('does not say paused as long as a worker in another slot works', () => {
    const pause = {
      operator: 'maria',
      host: 'ops-1',
      startedAtEpochMs: NOON,
      reason: '',
      expiresAtEpochMs: NOON + HOUR_MS,
    };
    const half = { lock: { kind: 'paused' as const, ...pause }, announcedPause: pause };
    const shownPage = page(aSnapshot({ lock: loaded(half, NOON) }));
    expect(shownPage).toContain('queue is being paused by maria@ops-1');
    expect(shownPage).toContain('held for a pause, 1 h left; pausing for maria');
    expect(shownPage).not.toContain('PAUSED');
    expect(lockWords(half, 7, NOON).text).toBe('PAUSING for maria: waits for the lock, 7 in flight');
  });

  it('says how many workers hold other slots as well', () => {
    const lock = { kind: 'worker' as const, host: 'web-1', pid: 4_711, token: 't', expiresAtEpochMs: NOON + 211_000 };
    const pause = { operator: 'maria', host: 'ops-1', startedAtEpochMs: NOON, reason: '', expiresAtEpochMs: NOON };
    const held = (otherSlotsHeld: number) => ({ lock, otherSlotsHeld, freeSlots: 0, announcedPause: null });
    expect(lockWords(held(0), 7, NOON).text).toBe('lock held by worker web-1/4711, 3:31 left');
    expect(lockWords(held(1), 7, NOON).text).toBe('lock held by worker web-1/4711, 3:31 left, 1 more slot');
    expect(lockWords(held(2), 7, NOON).text).toBe('lock held by worker web-1/4711, 3:31 left, 2 more slots');
    const pausing = { ...held(1), announcedPause: pause };
    expect(lockWords(pausing, 7, NOON).text).toBe(
      'PAUSING for maria: held by worker web-1/4711, 3:31 left, 1 more slot, 7 in flight',
    );
    const snapshot = (value: LockState) => aSnapshot({ lock: loaded(value, NOON) });
    expect(page(snapshot(held(2)))).toContain('held by a worker on web-1 (pid 4711), 4 min left, 2 more slots');
    expect(page(snapshot(pausing))).toContain('waiting for the workers to give way');
    const block = compactLines(snapshot(held(1)), { level: 'ok', reasons: [] }, { ...PLAIN, columns: 200 });
    expect(block.join('\n')).toContain('lock held by a worker on web-1 (pid 4711), 4 min left, 1 more slot ·');
  });

  it('shows a healthy system', async () => {
    await expect(page(aSnapshot({}))).toMatchFileSnapshot(grid('status-healthy'));
  });

  it('shows an incident with the reasons first', async () => {
    await expect(page(anIncident())).toMatchFileSnapshot(grid('status-incident'));
  });

  it('shows what is missing, why and what to do, and keeps the rest', async () => {
    await expect(page(anOutage())).toMatchFileSnapshot(grid('status-outage'));
  });

  it('calls the verdict as the dashboard does', () => {
    const verdict: Verdict = { level: 'warning', reasons: [] };
    const page = statusLines(aSnapshot({}), verdict, PLAIN);
    const block = compactLines(aSnapshot({}), verdict, PLAIN);
    for (const lines of [page, block]) expect(lines.join('\n')).toContain(levelWord('warning'));
  });

  it('uses a wide terminal', async () => {
    await expect(page(anIncident(), { ...PLAIN, columns: 120 })).toMatchFileSnapshot(grid('status-incident-120'));
  });

  it('keeps to ASCII where nothing else can be shown', async () => {
    const text = page(anIncident(), { ...PLAIN, unicode: false });
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    await expect(text).toMatchFileSnapshot(grid('status-incident-ascii'));
  });

  it.each([40, 60, 80, 100, 120])('never writes a line wider than %i columns', (columns) => {
    for (const snapshot of [aSnapshot({}), anIncident(), anOutage()]) {
      const lines = page(snapshot, { ...PLAIN, columns }).split('\n');
      if (columns >= 80) expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(columns);
      const block = compactLines(snapshot, verdictOf(snapshot), { ...PLAIN, columns });
      expect(Math.max(...block.map(displayWidth))).toBeLessThanOrEqual(columns);
    }
  });

  it('lets no escape sequence and no whole address through', () => {
    const text = page(anIncident());
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('maria@example.org');
  });

  it('paints with colours only when there are colours', () => {
    expect(page(anIncident(), { ...PLAIN, colour: true })).toContain('\u001b[1;31mCRITICAL\u001b[0m');
  });
});

it('masks in the JSON of a snapshot the addresses that others wrote into it', () => {
  const text = snapshotJson(anIncident(), verdictOf(anIncident()));
  expect(text).toContain('slow answers for m***@example.org');
  expect(text).not.toContain('maria@example.org');
});

describe('the compact block', () => {
  it('says in a few lines what matters', async () => {
    const text = [aSnapshot({}), anIncident(), anOutage()]
      .map((snapshot) => shown(compactLines(snapshot, verdictOf(snapshot), PLAIN), PLAIN))
      .join('\n');
    await expect(text).toMatchFileSnapshot(grid('watch'));
  });
});
