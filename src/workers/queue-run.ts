/**
 * What a queue processor does while it holds the lock. A run ends because the queue is empty, or early, because of one stop:
 * its time is up, it was told to, an operator pauses, the lock or the leases are lost, or no provider takes anything. After a
 * stop nothing is started; what is in flight is waited for, its results are written, and the rest is given back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Claimed, Finished } from '../data/queue.ts';
import type { QueuedEmail } from '../domain/email.ts';
import { formatInstant, formatLatency, plural } from '../domain/format.ts';
import { createQuotaLedger } from '../domain/quota-ledger.ts';
import { SECOND_MS, utcDay } from '../domain/time.ts';
import { type AttemptEnd, attemptEmail } from './email-attempt.ts';
import { createEmailSource } from './email-source.ts';
import { createGiveBack } from './give-back.ts';
import { createLeases } from './leases.ts';
import { createLockKeeper } from './lock-keeper.ts';
import { createProviderChoice } from './provider-choice.ts';
import {
  describe,
  LOG_PREFIX,
  NOTHING_DONE,
  type QueueProcessorOptions,
  type QueueProcessorPorts,
  type UntimedResult,
} from './queue-processor-ports.ts';
import { counted, NO_MIGRATION, returnAfter, type Stop, summarize } from './queue-run-summary.ts';
import { createResultBatcher } from './result-batcher.ts';
import type { RunProgress, RunRequest } from './worker.ts';

export const DEFAULT_LEASE_SECONDS = 60;
const DEFAULT_SEND_TIMEOUT_MS = 15 * SECOND_MS;
/** How long writing the last results is tried, and when somebody waits for us to end. */
const DRAIN_MS = 60 * SECOND_MS;
const DRAIN_TOLD_MS = 20 * SECOND_MS;
/** An answer of the database about what is ready is believed for so long. */
const READY_IS_TRUE_FOR_MS = 2 * SECOND_MS;
/** How old what we know of other workers' sends may become. */
const QUOTAS_ARE_GOOD_FOR_MS = 10 * SECOND_MS;
/** So many emails in a row that did not get through to the email function, and the run ends. */
const UNAVAILABLE_ENDS_AFTER = 3;

export async function processQueue(
  ports: QueueProcessorPorts,
  options: QueueProcessorOptions,
  { request, holder, slot }: { request: RunRequest; holder: string; slot: number },
): Promise<UntimedResult> {
  const { clock, logger, queue } = ports;
  const startedAtMs = performance.now();
  const deadlineEpochMs = clock.nowEpochMs() + options.runBudgetMs;
  const { overview } = await ports.overview.read(request.signal);
  let quotasReadAtEpochMs = clock.nowEpochMs();
  if (overview.schemaVersion === null) return { ...NOTHING_DONE, outcome: 'failed', message: NO_MIGRATION };
  if (overview.oldestReadyAtEpochMs === null && overview.expiredLeases === 0) {
    return { ...NOTHING_DONE, outcome: 'ok', message: 'Nothing to do: no email is due.' };
  }
  const ledger = createQuotaLedger(overview.quotas);
  if (!ledger.isAnythingLeft()) {
    const resets = formatInstant(ledger.resetsAtEpochMs(clock.nowEpochMs()));
    return {
      ...NOTHING_DONE,
      outcome: 'ok',
      message: `Every provider's quota is used up until ${resets}; emails wait.`,
    };
  }

  const stopping = new AbortController();
  const run: { stop: Stop | null } = { stop: null };
  const stop = (reason: Stop) => {
    if (run.stop !== null) return;
    run.stop = reason;
    stopping.abort();
  };
  const onTold = () => stop({ kind: 'told' });
  if (request.signal.aborted) onTold();
  request.signal.addEventListener('abort', onTold, { once: true });
  const budget = setTimeout(() => stop({ kind: 'time' }), options.runBudgetMs);

  const leaseSeconds = options.leaseSeconds ?? DEFAULT_LEASE_SECONDS;
  const sendNeedsMs = Math.min(options.sendTimeoutMs ?? DEFAULT_SEND_TIMEOUT_MS, (leaseSeconds * SECOND_MS) / 2);
  const warnOnce = createWarnOnce((line) => logger.warn(`${LOG_PREFIX} ${line}`));

  const keeper = createLockKeeper({
    lock: ports.lock,
    holder,
    slot,
    ttlMs: options.lockTtlSeconds * SECOND_MS,
    clock,
    ...(options.listenEveryMs === undefined ? {} : { listenEveryMs: options.listenEveryMs }),
    onPause: (pause) => stop({ kind: 'pause', pause }),
    onLost: (lock) => stop({ kind: 'lock-lost', lock }),
    onFailed: (error) => warnOnce(`The lock could not be renewed: ${describe(error)}`),
  });
  const leases = createLeases({
    queue,
    worker: holder,
    leaseSeconds,
    clock,
    onFailed: (error) => warnOnce(`Leases could not be renewed: ${describe(error)}`),
    onLost: (ids) => logger.warn(`${LOG_PREFIX} ${plural(ids.length, 'email')} went to somebody else meanwhile.`),
  });
  const choice = createProviderChoice({
    ledger,
    quotas: overview.quotas,
    route: ports.mail.route,
    clock,
    onRouteFailed: (emailType, error) =>
      warnOnce(`No advice for ${emailType}, the usual order is used: ${describe(error)}`),
  });
  const batcher = createResultBatcher({
    write: (results) => queue.finish(holder, results),
    onWritten: (results, answer) => {
      leases.drop(results.map(({ id }) => id));
      for (const { outcome, provider } of results) {
        if (outcome === 'sent' && provider !== undefined) ledger.confirm(provider);
      }
      reportWritten(answer, (line) => logger.warn(`${LOG_PREFIX} ${line}`));
    },
    onFailed: (error, waiting) =>
      logger.warn(`${LOG_PREFIX} ${plural(waiting, 'result')} could not be written yet: ${describe(error)}`),
  });
  const giveBack = createGiveBack({ queue, worker: holder });

  const refreshQuotas = async () => {
    const apply = ledger.beginReading();
    quotasReadAtEpochMs = clock.nowEpochMs();
    try {
      apply((await ports.overview.read()).overview.quotas);
    } catch (error) {
      warnOnce(`Quotas could not be read again: ${describe(error)}`);
    }
  };
  const claim = async (limit: number): Promise<Claimed> => {
    const claimedAt = clock.nowEpochMs();
    const isOld = claimedAt - quotasReadAtEpochMs > QUOTAS_ARE_GOOD_FOR_MS;
    const [claimed] = await Promise.all([
      queue.claim({ worker: holder, limit, leaseSeconds }),
      isOld || utcDay(claimedAt) !== utcDay(quotasReadAtEpochMs) ? refreshQuotas() : undefined,
    ]);
    leases.add(claimed.emails, claimedAt);
    return claimed;
  };
  const source = createEmailSource({
    batchSize: options.batchSize,
    refillAt: options.concurrency,
    claim,
    mayClaimMore: (claimedSoFar) => {
      const isKnownEmpty = claimedSoFar >= overview.ready + overview.expiredLeases;
      return !(isKnownEmpty && performance.now() - startedAtMs < READY_IS_TRUE_FOR_MS);
    },
    isStopped: () => stopping.signal.aborted,
    onClaimed: ({ emails, unreadable }) => {
      if (emails.length > 0) logger.info(`${LOG_PREFIX} Processing ${emails.length} emails...`);
      if (unreadable > 0) logger.error(`${LOG_PREFIX} ${plural(unreadable, 'row')} of the queue cannot be read.`);
    },
    onFailed: (error) => stop({ kind: 'error', message: `Emails could not be claimed: ${describe(error)}` }),
  });

  let progress: RunProgress = NOTHING_DONE;
  let unavailableInRow = 0;
  const settle = (email: QueuedEmail, end: AttemptEnd) => {
    if (end.kind === 'result') {
      unavailableInRow = 0;
      batcher.add(end.result);
      progress = counted(progress, end.result);
      request.onProgress?.(progress);
      return;
    }
    giveBack.add(email, end);
    if (end.obstacle === null) return;
    if (end.obstacle.kind === 'unavailable') {
      unavailableInRow += 1;
      if (unavailableInRow < UNAVAILABLE_ENDS_AFTER) return;
    }
    stop({ kind: 'obstacle', obstacle: end.obstacle });
  };

  const mayStart = (id: string) => !stopping.signal.aborted && leases.hold(id, sendNeedsMs);
  const lane = async (): Promise<void> => {
    for (;;) {
      await batcher.ready(stopping.signal).catch(() => {});
      const email = await source.next();
      if (email === null) return;
      // Renewing has failed for most of the lease: what we hold could soon be somebody else's.
      if (!mayStart(email.id)) {
        giveBack.add(email, { retryAtEpochMs: null, note: null });
        if (!leases.held().some((id) => leases.hold(id, sendNeedsMs))) stop({ kind: 'leases' });
        continue;
      }
      const end = await attemptEmail(email, {
        choice,
        clock,
        mayStart,
        send: (outgoing) => ports.mail.send(outgoing),
        wait: (ms) => waitUnlessStopped(Math.min(ms, deadlineEpochMs - clock.nowEpochMs()), stopping.signal),
      });
      settle(email, end);
    }
  };

  try {
    const lanes = await Promise.allSettled(Array.from({ length: options.concurrency }, lane));
    const broken = lanes.find((each) => each.status === 'rejected');
    if (broken !== undefined) stop({ kind: 'error', message: describe(broken.reason) });
  } finally {
    clearTimeout(budget);
    request.signal.removeEventListener('abort', onTold);
  }

  // Leases and lock are kept until everything is written: until then nobody else should look at these rows.
  const notStarted = await source.close();
  const unwritten = await batcher.drain(request.signal.aborted ? DRAIN_TOLD_MS : DRAIN_MS);
  for (const email of notStarted) giveBack.add(email, returnAfter(run.stop));
  await giveBack.flush((error) =>
    logger.warn(`${LOG_PREFIX} Emails were not given back, their leases end by themselves: ${describe(error)}`),
  );
  await leases.stop();
  await keeper.stop();

  const result = summarize(progress, { stop: run.stop, givenBack: giveBack.count(), unwritten });
  const took = formatLatency(performance.now() - startedAtMs);
  logger.info(`${LOG_PREFIX} ${result.message} Took ${took}.`);
  return result;
}

/** Waits so long; false when the run stops meanwhile, or there is no time to wait. */
async function waitUnlessStopped(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms <= 0) return false;
  try {
    await delay(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}

/** Says the same trouble once a run: a Redis that is away would fill the log. */
function createWarnOnce(warn: (line: string) => void): (line: string) => void {
  const said = new Set<string>();
  return (line) => {
    if (said.has(line)) return;
    said.add(line);
    warn(line);
  };
}

function reportWritten({ notOurs, deadLettered, rejected }: Finished, warn: (line: string) => void): void {
  if (notOurs.length > 0) warn(`${plural(notOurs.length, 'result')} came too late: somebody else has the email now.`);
  if (deadLettered.length > 0) warn(`${plural(deadLettered.length, 'email')} moved to the dead letters.`);
  for (const { reason } of rejected) warn(`The database cannot use a result: ${reason}.`);
}
