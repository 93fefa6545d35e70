/**
 * The queue processor (DESIGN §6), wherever it runs: takes the lock, claims emails, sends them with a pool, writes what became of them, and gives
 * back what it did not start. This file is the life of a run; how one email fares is `email-attempt.ts`, what happens between
 * taking and giving back the lock is `queue-run.ts`.
 *
 * The worse failure is sending an email twice; the next worse is losing one. Neither hangs on the lock: rows are leased in
 * Postgres, and results are only taken from who holds the lease.
 */
import { SILENT_MS } from '../data/queue-lock.ts';
import { formatClock } from '../domain/format.ts';
import { formatWorkerLock, type Lock } from '../domain/lock.ts';
import { safeReason } from '../domain/send-failure.ts';
import { SECOND_MS } from '../domain/time.ts';
import {
  describe,
  LOG_PREFIX,
  NOTHING_DONE,
  type QueueProcessorOptions,
  type QueueProcessorPorts,
  type UntimedResult,
} from './queue-processor-ports.ts';
import { processQueue } from './queue-run.ts';
import { FOLLOW_UP, type Logger, type RunRequest, type RunResult, type Worker } from './worker.ts';

/** Who processes, as the lock and the run record name it. */
export interface Host {
  readonly name: string;
  readonly pid: number;
}

export function createQueueWorker(ports: QueueProcessorPorts, options: QueueProcessorOptions, host: Host): Worker {
  return {
    run: async (request) => {
      const startedAtEpochMs = ports.clock.nowEpochMs();
      const startedAtMs = performance.now();
      const result = await runLocked(ports, options, request, host);
      const timed = { ...result, durationMs: Math.round(performance.now() - startedAtMs) };
      const isInVain = request.trigger === FOLLOW_UP && timed.outcome === 'skipped';
      if (!isInVain) await record(ports, request, { ...timed, startedAtEpochMs, host: host.name });
      return timed;
    },
  };
}

async function runLocked(
  ports: QueueProcessorPorts,
  options: QueueProcessorOptions,
  request: RunRequest,
  host: Host,
): Promise<UntimedResult> {
  const { lock, logger } = ports;
  const holder = formatWorkerLock({ host: host.name, pid: host.pid, token: crypto.randomUUID() });
  try {
    const acquired = await lock.acquire(holder, options.lockTtlSeconds * 1_000);
    if (acquired.kind === 'busy') {
      if (acquired.askAgainInMs !== null) request.onBusy?.(acquired.askAgainInMs);
      return { ...NOTHING_DONE, outcome: 'skipped', message: whyBusy(acquired.lock) };
    }
    if (acquired.takenOver?.kind === 'worker') {
      const { host: deadHost, pid } = acquired.takenOver;
      logger.warn(
        `${LOG_PREFIX} Took the lock over from ${deadHost}, process ${pid}: it was not renewed for ${SILENT_MS / SECOND_MS} s.`,
      );
    }
    try {
      return await processQueue(ports, options, { ...request, holder, slot: acquired.slot });
    } finally {
      await release(lock, holder, logger);
    }
  } catch (error) {
    if (request.signal.aborted) return { ...NOTHING_DONE, outcome: 'aborted', message: 'Stopped before it began.' };
    const message = describe(error);
    logger.error(`${LOG_PREFIX} ${message}`);
    // A lock that was taken while its answer was lost would block everybody for its whole TTL.
    await release(lock, holder, logger, message);
    return { ...NOTHING_DONE, outcome: 'failed', message };
  }
}

function whyBusy(lock: Exclude<Lock, { kind: 'free' }>): string {
  const until = lock.expiresAtEpochMs === null ? '' : `, until ${formatClock(lock.expiresAtEpochMs)} UTC at the latest`;
  switch (lock.kind) {
    case 'paused': {
      const reason = lock.reason === '' ? '' : ` (${safeReason(lock.reason)})`;
      return `Paused by ${lock.operator}@${lock.host}${reason}${until}.`;
    }
    case 'worker':
      return `Another worker is at it: ${lock.host}, process ${lock.pid}${until}.`;
    case 'unknown-holder':
      return `The queue is locked by an unknown worker${until}.`;
  }
}

/**
 * Not giving it back costs everybody its TTL, so it is tried more than once. `told`: what the log says already, of a lock that may
 * never have been taken. Never rejects.
 */
async function release(
  lock: QueueProcessorPorts['lock'],
  holder: string,
  logger: Logger,
  told: string | null = null,
): Promise<void> {
  for (let tries = 1; tries <= 3; tries += 1) {
    try {
      await lock.release(holder);
      return;
    } catch (error) {
      if (tries < 3) continue;
      const what =
        told === null ? 'The lock was not given back, it' : 'Should the lock have been taken all the same, it';
      const why = describe(error);
      logger.warn(`${LOG_PREFIX} ${what} ends by itself${why === told ? '.' : `: ${why}`}`);
    }
  }
}

/** A run that was not recorded is still a run. Never rejects. */
async function record(
  { recorder, logger }: QueueProcessorPorts,
  { trigger }: RunRequest,
  { message, ...result }: RunResult & { readonly startedAtEpochMs: number; readonly host: string },
): Promise<void> {
  const error = result.outcome === 'failed' || result.outcome === 'aborted' ? message : null;
  const run = { id: crypto.randomUUID(), worker: 'queue-processor', trigger, ...result, error };
  try {
    await recorder.record(run);
  } catch (cause) {
    logger.warn(`${LOG_PREFIX} The run was not recorded: ${describe(cause)}`);
  }
}
