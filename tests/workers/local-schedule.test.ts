import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EXPECTED_SCHEDULES, type Schedule, TICK_SCHEDULE } from '../../src/domain/schedule.ts';
import { keepLocalSchedule } from '../../src/workers/local-schedule.ts';
import { createScheduler, type Scheduler } from '../../src/workers/scheduler.ts';
import type { RunResult } from '../../src/workers/worker.ts';

const OK: RunResult = { outcome: 'ok', processed: 0, successful: 0, failed: 0, message: 'done', durationMs: 1 };

function active({ id, cron, path }: { id: string; cron: string; path: string }): Schedule {
  return {
    id,
    cron,
    destination: `https://foodshare.example${path}`,
    isPaused: false,
    lastRunAtEpochMs: null,
    nextRunAtEpochMs: null,
    lastState: 'unknown',
  };
}

describe('who keeps the workers’ times', () => {
  let stop: AbortController;
  let scheduler: Scheduler;
  let lines: string[];
  const log = { info: (line: string) => lines.push(line), warn: () => undefined, error: () => undefined };

  beforeEach(() => {
    vi.useFakeTimers({ now: Date.parse('2026-11-23T12:00:01Z') });
    stop = new AbortController();
    lines = [];
    const worker = { run: async () => OK };
    scheduler = createScheduler(
      EXPECTED_SCHEDULES.map(({ worker: name, cron }) => ({ name, cron, worker })),
      log,
    );
  });
  afterEach(async () => {
    stop.abort();
    await scheduler.stop();
    vi.useRealTimers();
  });

  const local = () =>
    scheduler.states().flatMap(({ name, nextRunAtEpochMs }) => (nextRunAtEpochMs === null ? [] : [name]));
  const begin = async (read: () => Promise<readonly Schedule[]>, forceLocal = false) => {
    const schedules = {
      read: async () => ({ schedules: await read(), deadLetters: 0, deadLettersTruncated: false, skipped: 0 }),
    };
    void keepLocalSchedule(scheduler, { schedules, forceLocal, log, signal: stop.signal });
    await vi.advanceTimersByTimeAsync(0);
  };
  const [processor] = EXPECTED_SCHEDULES;
  if (processor === undefined) throw new Error('There is no schedule.');

  it('is nobody where it was told to stop before QStash answered', async () => {
    const answer = Promise.withResolvers<readonly Schedule[]>();
    await begin(() => answer.promise);
    stop.abort();
    await scheduler.stop();
    answer.resolve([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(local()).toEqual([]);
  });

  it('is told, so that nobody takes a worker that has nothing to do for one that is at work', async () => {
    const kept: unknown[] = [];
    const read = async () => ({
      schedules: [active(processor)],
      deadLetters: 0,
      deadLettersTruncated: false,
      skipped: 0,
    });
    const options = { schedules: { read }, forceLocal: false, log, signal: stop.signal };
    void keepLocalSchedule(scheduler, { ...options, onKept: (workers) => kept.push(workers) });
    await vi.advanceTimersByTimeAsync(0);
    expect(kept).toEqual([['health-monitor', 'quota-sync']]);
  });

  it('is this process where QStash calls nobody', async () => {
    await begin(async () => []);
    expect(local()).toEqual(['queue-processor', 'health-monitor', 'quota-sync']);
    expect(lines).toEqual(['[schedule] QStash calls none of the workers: all times are kept here.']);
  });

  it('is QStash for the workers that it calls, and the console says so', async () => {
    await begin(async () => [active(processor)]);
    expect(local()).toEqual(['health-monitor', 'quota-sync']);
    expect(lines[0]).toContain(
      'QStash calls queue-processor (email-queue-processor); kept here: health-monitor, quota-sync.',
    );
  });

  it('is QStash for all of them with one tick', async () => {
    await begin(async () => [active(TICK_SCHEDULE)]);
    expect(local()).toEqual([]);
    expect(lines[0]).toContain('nothing is left to do here');
  });

  it('is this process when told so', async () => {
    await begin(async () => [active(TICK_SCHEDULE)], true);
    expect(local()).toHaveLength(3);
    expect(lines).toEqual([]);
  });

  it('is this process while QStash cannot be asked', async () => {
    await begin(() => Promise.reject(new Error('QStash did not answer.')));
    expect(local()).toHaveLength(3);
    expect(lines[0]).toContain('QStash did not answer. All times are kept here');
  });

  it('is nobody here any more when it is stopped while QStash is asked', async () => {
    const { promise, reject } = Promise.withResolvers<readonly Schedule[]>();
    await begin(() => promise);
    stop.abort();
    await scheduler.stop();
    reject(new Error('Waiting for QStash was cancelled.'));
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(local()).toEqual([]);
  });

  it('changes within minutes when schedules are paused, and is said once', async () => {
    let isPaused = false;
    await begin(async () => [{ ...active(processor), isPaused }]);
    await vi.advanceTimersByTimeAsync(11 * 60_000);
    expect(lines).toHaveLength(1);
    isPaused = true;
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    expect(local()).toHaveLength(3);
    expect(lines).toHaveLength(2);
  });
});
