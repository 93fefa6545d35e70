import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createScheduler, type Scheduler } from '../../src/workers/scheduler.ts';
import type { RunRequest, RunResult, Worker } from '../../src/workers/worker.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');
const OK: RunResult = { outcome: 'ok', processed: 1, successful: 1, failed: 0, message: 'done', durationMs: 1 };
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A worker whose runs end when the test says so; aborted ones end by themselves. */
function heldWorker() {
  const runs: { request: RunRequest; atEpochMs: number; finish: () => void }[] = [];
  const worker: Worker = {
    run: (request) => {
      const { promise, resolve } = Promise.withResolvers<RunResult>();
      request.signal.addEventListener('abort', () => resolve({ ...OK, outcome: 'aborted' }));
      runs.push({ request, atEpochMs: Date.now(), finish: () => resolve(OK) });
      return promise;
    },
  };
  return { worker, runs };
}

const minutesOf = (runs: readonly { atEpochMs: number }[]) => runs.map(({ atEpochMs }) => (atEpochMs - NOON) / 60_000);

describe('the scheduler', () => {
  let scheduler: Scheduler | null = null;
  const start = (worker: Worker, cron = '*/2 * * * *') => {
    scheduler = createScheduler([{ name: 'queue-processor', cron, worker }], log);
    scheduler.start();
    return scheduler;
  };

  beforeEach(() => {
    vi.useFakeTimers({ now: NOON + 1_000 });
  });
  afterEach(async () => {
    await scheduler?.stop();
    vi.useRealTimers();
  });

  it('runs a worker at its times, in UTC and without jitter', async () => {
    const { worker, runs } = heldWorker();
    start(worker);
    for (let tick = 0; tick < 3; tick += 1) {
      await vi.advanceTimersByTimeAsync(2 * 60_000);
      runs.at(-1)?.finish();
    }
    expect(minutesOf(runs)).toEqual([2, 4, 6]);
    expect(runs.every(({ request }) => request.trigger === 'schedule')).toBe(true);
  });

  it('looks again when it is known whether another worker lives', async () => {
    const atSeconds: number[] = [];
    const triggers: string[] = [];
    const worker: Worker = {
      run: async ({ trigger, onBusy }) => {
        atSeconds.push(Math.round((Date.now() - NOON) / 1_000));
        triggers.push(trigger);
        // The other one lives for two looks more, then it is dead.
        if (atSeconds.length < 4) onBusy?.(30_000);
        return { ...OK, outcome: atSeconds.length < 4 ? 'skipped' : 'ok' };
      },
    };
    start(worker);
    await vi.advanceTimersByTimeAsync(2 * 60_000 + 100_000);
    expect(atSeconds).toEqual([120, 150, 180, 210]);
    expect(triggers).toEqual(['schedule', 'follow-up', 'follow-up', 'follow-up']);
  });

  it('leaves a look that would come after the next tick to that tick, and looks no more once it is stopped', async () => {
    let looks = 0;
    const worker: Worker = {
      run: async ({ onBusy }) => {
        looks += 1;
        onBusy?.(looks === 1 ? 300_000 : 30_000);
        return { ...OK, outcome: 'skipped' };
      },
    };
    const scheduler = start(worker);
    await vi.advanceTimersByTimeAsync(4 * 60_000);
    expect(looks).toBe(2);
    await scheduler.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(looks).toBe(2);
  });

  it('runs at once what is to run at the start, again when it takes it over from somebody else', async () => {
    const { worker, runs } = heldWorker();
    scheduler = createScheduler([{ name: 'queue-processor', cron: '*/2 * * * *', worker }], log, {
      runAtStart: ['queue-processor'],
    });
    scheduler.keep([]);
    scheduler.start();
    expect(runs).toHaveLength(0);
    scheduler.keep(['queue-processor']);
    expect(runs).toHaveLength(1);
    runs[0]?.finish();
    scheduler.keep(['queue-processor']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runs).toHaveLength(1);
  });

  it('leaves out ticks while the same worker still runs', async () => {
    const { worker, runs } = heldWorker();
    start(worker);
    await vi.advanceTimersByTimeAsync(7 * 60_000);
    expect(minutesOf(runs)).toEqual([2]);
    runs[0]?.finish();
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    expect(minutesOf(runs)).toEqual([2, 8]);
  });

  it('says under the worker’s own prefix why a run was skipped or left out', async () => {
    const lines: string[] = [];
    const { worker, runs } = heldWorker();
    const skips: Worker = { run: async () => ({ ...OK, outcome: 'skipped', message: 'Paused by anna@desk.' }) };
    scheduler = createScheduler(
      [
        { name: 'queue-processor', cron: '*/2 * * * *', worker: skips },
        { name: 'health-monitor', cron: '*/2 * * * *', worker },
      ],
      { ...log, info: (line) => lines.push(line) },
    );
    scheduler.start();
    await vi.advanceTimersByTimeAsync(4 * 60_000);
    runs[0]?.finish();
    const skipped = '[email-worker] Skipped: Paused by anna@desk.';
    const leftOut = '[health-monitor] The previous run still works: this one is left out.';
    expect(lines.toSorted()).toEqual([skipped, skipped, leftOut]);
    await scheduler.runNow('queue-processor', 'console');
    expect(lines).toHaveLength(3);
  });

  it('runs once after a sleep in which many times were missed', async () => {
    const { worker, runs } = heldWorker();
    start(worker);
    // The machine sleeps: the clock goes on, timers do not.
    vi.setSystemTime(NOON + 61 * 60_000);
    await vi.advanceTimersByTimeAsync(45_000);
    runs.at(-1)?.finish();
    expect(runs).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    expect(runs).toHaveLength(2);
  });

  it('lets a run give back its work when it is stopped, and waits for it', async () => {
    const { worker, runs } = heldWorker();
    const { stop } = start(worker);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    await stop();
    expect(runs[0]?.request.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(runs).toHaveLength(1);
  });

  it('waits no longer than it is told for a run that hangs', async () => {
    const hanging: Worker = { run: () => new Promise(() => undefined) };
    const { stop } = start(hanging);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    const abandon = new AbortController();
    const stopped = stop(abandon.signal);
    abandon.abort();
    await expect(stopped).resolves.toBeUndefined();
    scheduler = null;
  });

  it('starts a run at once when asked, unless one is under way', async () => {
    const { worker, runs } = heldWorker();
    const running = start(worker);
    const result = running.runNow('queue-processor', 'console');
    expect(running.runNow('queue-processor', 'console')).toBeNull();
    runs[0]?.finish();
    await expect(result).resolves.toMatchObject({ outcome: 'ok' });
    expect(running.runNow('health-monitor', 'console')).toBeNull();
  });

  it('keeps no times of workers that belong to somebody else', async () => {
    const { worker, runs } = heldWorker();
    const running = start(worker);
    running.keep([]);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(runs).toHaveLength(0);
    expect(running.states()[0]?.nextRunAtEpochMs).toBeNull();
    running.keep(['queue-processor']);
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    expect(runs).toHaveLength(1);
  });

  it('survives a worker that throws, and tells it as a failed run', async () => {
    start({ run: () => Promise.reject(new Error('a mistake of ours')) });
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    expect(scheduler?.states()[0]?.lastResult).toMatchObject({
      outcome: 'failed',
      message: 'Unexpected failure: a mistake of ours',
    });
    expect(scheduler?.states()[0]?.nextRunAtEpochMs).toBe(NOON + 4 * 60_000);
  });

  it('tells what runs, how far it is, and when the next run comes', async () => {
    const { worker, runs } = heldWorker();
    const seen: (number | undefined)[] = [];
    scheduler = createScheduler([{ name: 'queue-processor', cron: '*/2 * * * *', worker }], log, {
      onChange: ([state]) => seen.push(state?.progress?.processed),
    });
    scheduler.start();
    await vi.advanceTimersByTimeAsync(2 * 60_000);
    runs[0]?.request.onProgress?.({ processed: 7, successful: 7, failed: 0 });
    expect(scheduler.states()[0]).toMatchObject({
      runningSinceEpochMs: NOON + 120_000,
      progress: { processed: 7 },
      nextRunAtEpochMs: NOON + 4 * 60_000,
    });
    expect(seen).toEqual([undefined, 7]);
    runs[0]?.finish();
  });
});
