/**
 * The one-tick mode: a single schedule calls often, and each call runs what is due. It costs 720 QStash messages a day, where
 * three schedules cost 1,032 and the free tier has 1,000.
 */
import { Cron } from 'croner';
import type { DueTimes } from '../data/due-times.ts';
import type { WorkerName } from '../domain/run.ts';
import { EXPECTED_SCHEDULES } from '../domain/schedule.ts';
import { type Clock, MINUTE_MS, SECOND_MS } from '../domain/time.ts';
import type { RunRequest, RunResult, Worker } from './worker.ts';

export interface Tick {
  /** Runs all workers that are due, side by side. Throws only when Redis cannot say what is due. */
  run(request: RunRequest): Promise<RunResult>;
}

/** A tick comes up to a minute after its time or, by clocks that differ, a little before; it still is that tick. */
const EARLY_MS = 15 * SECOND_MS;
/** A run whose process died without a word is due again after this, even where its next time is an hour away. */
const LOST_AFTER_MS = 10 * MINUTE_MS;

const DUE_AT_ONCE = 0;

export function createTick(
  workers: Readonly<Record<WorkerName, Worker>>,
  { dueTimes, clock }: { readonly dueTimes: DueTimes; readonly clock: Clock },
): Tick {
  const crons = EXPECTED_SCHEDULES.map(({ worker, cron }) => ({
    name: worker,
    cron: new Cron(cron, { timezone: 'UTC' }),
  }));
  return {
    run: async (request) => {
      const startedAtEpochMs = clock.nowEpochMs();
      const untilEpochMs = startedAtEpochMs + EARLY_MS;
      const next = new Map(crons.map(({ name, cron }) => [name, nextAfter(cron, untilEpochMs)]));
      const lostAtEpochMs = untilEpochMs + LOST_AFTER_MS;
      const leases = [...next].map(([name, atEpochMs]) => ({ name, nextEpochMs: Math.min(atEpochMs, lostAtEpochMs) }));
      const due = await dueTimes.take(untilEpochMs, leases);
      if (due.length === 0) return nothingDue(clock.nowEpochMs() - startedAtEpochMs);
      const results = await Promise.all(due.map((name) => runWorker(workers[name], request)));
      const settled = due.flatMap((name, index) => {
        const atEpochMs = next.get(name) ?? 0;
        if (!isFine(results[index])) return [[name, DUE_AT_ONCE]];
        return atEpochMs > lostAtEpochMs ? [[name, atEpochMs]] : [];
      });
      await dueTimes.set(Object.fromEntries(settled));
      return sumUp(due, results, clock.nowEpochMs() - startedAtEpochMs);
    },
  };
}

function nextAfter(cron: Cron, atEpochMs: number): number {
  return cron.nextRun(new Date(atEpochMs))?.getTime() ?? atEpochMs;
}

/** One worker's mistake must not take the others' times along. */
async function runWorker(worker: Worker, request: RunRequest): Promise<RunResult> {
  try {
    return await worker.run(request);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { outcome: 'failed', processed: 0, successful: 0, failed: 0, message, durationMs: 0 };
  }
}

function isFine(result: RunResult | undefined): boolean {
  return result?.outcome === 'ok' || result?.outcome === 'skipped';
}

/** Counts are the processor's: providers checked and quotas synced are no emails. */
function sumUp(names: readonly WorkerName[], results: readonly RunResult[], durationMs: number): RunResult {
  const emails = results[names.indexOf('queue-processor')];
  // What failed wants a retry, whatever became of the others.
  const broken = results.find(({ outcome }) => outcome === 'failed') ?? results.find((result) => !isFine(result));
  const message = names.map((name, index) => `${name}: ${results[index]?.message ?? ''}`).join(' ');
  return {
    outcome: broken?.outcome ?? (results.every(({ outcome }) => outcome === 'skipped') ? 'skipped' : 'ok'),
    processed: emails?.processed ?? 0,
    successful: emails?.successful ?? 0,
    failed: emails?.failed ?? 0,
    message,
    durationMs,
  };
}

function nothingDue(durationMs: number): RunResult {
  return { outcome: 'ok', processed: 0, successful: 0, failed: 0, message: 'Nothing is due.', durationMs };
}
