/**
 * What a queue processor does while it holds the lock. A run ends because the queue is empty, or early, because of one stop:
 * its time is up, it was told to, an operator pauses, the lock or the leases are lost, or no provider takes anything. After a
 * stop nothing is started; what is in flight is waited for, its results are written, and the rest is given back.
 */
import type { Claimed, Finished } from '../data/queue.ts';
import type { QueuedEmail } from '../domain/email.ts';
import { formatInstant, formatLatency, plural } from '../domain/format.ts';
import type { QueueOverview } from '../domain/queue.ts';
import { createQuotaLedger, type QuotaLedger } from '../domain/quota-ledger.ts';
import { SECOND_MS } from '../domain/time.ts';
import { claimBatch } from './claiming.ts';
import { createDisabledProviders } from './disabled-providers.ts';
import { type AttemptEnd, attemptEmail } from './email-attempt.ts';
import { runPool } from './email-pool.ts';
import { createEmailSource } from './email-source.ts';
import { createFreshQuotas } from './fresh-quotas.ts';
import { createGiveBack, type GiveBack } from './give-back.ts';
import { createLeases } from './leases.ts';
import { createLockKeeper } from './lock-keeper.ts';
import { createLoneEmail, type LoneEmail } from './lone-email.ts';
import { createProviderChoice } from './provider-choice.ts';
import {
  describe,
  LOG_PREFIX,
  NOTHING_DONE,
  type QueueProcessorOptions,
  type QueueProcessorPorts,
  type UntimedResult,
} from './queue-processor-ports.ts';
import { counted, NO_MIGRATION, returnAfter, summarize } from './queue-run-summary.ts';
import { createResultBatcher, type ResultBatcher } from './result-batcher.ts';
import { createRunStop, type RunStop } from './run-stop.ts';
import { createSteadyClock } from './steady-clock.ts';
import type { Logger, RunProgress, RunRequest } from './worker.ts';

/** Short, so that what a killed worker had is soon sent by the next; the lock's is a little longer, so that both are over then. */
export const DEFAULT_LEASE_SECONDS = 25;
const DEFAULT_SEND_TIMEOUT_MS = 15 * SECOND_MS;
const MOST_OF_A_LEASE = 0.6;
/** How long writing the last results is tried, and how long when somebody waits for us to end. */
const DRAIN_MS = 60 * SECOND_MS;
const DRAIN_TOLD_MS = 20 * SECOND_MS;
/** An answer of the database about what is ready is believed for so long. */
const READY_IS_TRUE_FOR_MS = 2 * SECOND_MS;
/** So many emails in a row that did not get through to the email function, and the run ends. */
const UNAVAILABLE_ENDS_AFTER = 3;

/** The lock that this run holds. */
export interface HeldLock {
  readonly holder: string;
  readonly slot: number;
}

export async function processQueue(
  ports: QueueProcessorPorts,
  options: QueueProcessorOptions,
  run: RunRequest & HeldLock,
): Promise<UntimedResult> {
  const readAtEpochMs = ports.clock.nowEpochMs();
  const { overview } = await ports.overview.read(run.signal);
  if (overview.schemaVersion === null) return { ...NOTHING_DONE, outcome: 'failed', message: NO_MIGRATION };
  if (overview.oldestReadyAtEpochMs === null && overview.expiredLeases === 0) {
    return { ...NOTHING_DONE, outcome: 'ok', message: 'Nothing to do: no email is due.' };
  }
  const ledger = createQuotaLedger(overview.quotas);
  if (!ledger.isAnythingLeft()) {
    const resets = formatInstant(ledger.resetsAtEpochMs(readAtEpochMs));
    const message = `Every provider's quota is used up until ${resets}; emails wait.`;
    return { ...NOTHING_DONE, outcome: 'ok', message };
  }
  return sendAll(ports, options, { ...run, overview, ledger, readAtEpochMs });
}

interface Beginning extends RunRequest, HeldLock {
  readonly overview: QueueOverview;
  readonly ledger: QuotaLedger;
  readonly readAtEpochMs: number;
}

/** Puts the parts of a run together and lives through it. */
async function sendAll(
  ports: QueueProcessorPorts,
  options: QueueProcessorOptions,
  begin: Beginning,
): Promise<UntimedResult> {
  const { queue, clock } = ports;
  const { holder, slot, overview, ledger } = begin;
  const startedAtMs = performance.now();
  const flight: Flight = { claimed: 0, inFlight: 0 };
  const leaseSeconds = options.leaseSeconds ?? DEFAULT_LEASE_SECONDS;
  const log = createRunLog(ports.logger);
  const stop = createRunStop(begin.signal, options.runBudgetMs);
  // What is ours for how long must not hang on a clock that somebody sets.
  const steady = createSteadyClock(clock);
  const keeper = createLockKeeper({
    lock: ports.lock,
    holder,
    slot,
    ttlMs: options.lockTtlSeconds * SECOND_MS,
    clock: steady,
    ...(options.listenEveryMs === undefined ? {} : { listenEveryMs: options.listenEveryMs }),
    onPause: (pause) => stop.stop({ kind: 'pause', pause }),
    onLost: (lock) => stop.stop({ kind: 'lock-lost', lock }),
    onFailed: (error) => log.warnOnce(`The lock could not be renewed: ${describe(error)}`),
  });
  const leases = createLeases({
    queue,
    worker: holder,
    leaseSeconds,
    clock: steady,
    onFailed: (error) => log.warnOnce(`Leases could not be renewed: ${describe(error)}`),
    onLost: (ids) => log.warn(`${plural(ids.length, 'email')} went to somebody else meanwhile.`),
  });
  const quotas = createFreshQuotas({
    ledger,
    overview: ports.overview,
    clock,
    readAtEpochMs: begin.readAtEpochMs,
    onFailed: (error) => log.warnOnce(`Quotas could not be read again: ${describe(error)}`),
  });
  const disabled = createDisabledProviders({
    gateway: ports.providers,
    clock,
    onFailed: (error) => log.warnOnce(`Which providers are disabled could not be read: ${describe(error)}`),
  });
  const choice = createProviderChoice({
    ledger,
    quotas: overview.quotas,
    disabledUntil: disabled.until,
    route: ports.mail.route,
    clock,
    ...(options.ratesPerSecond === undefined ? {} : { ratesPerSecond: options.ratesPerSecond }),
    onRouteFailed: (emailType, error) =>
      log.warnOnce(`No advice for ${emailType}, the usual order is used: ${describe(error)}`),
  });
  const lone = createLoneEmail(stop.signal);
  const batcher = createResultBatcher({
    write: (results) => queue.finish(holder, results),
    onWritten: (results, answer) => {
      leases.drop(results.map(({ id }) => id));
      for (const { id, outcome, provider } of results) {
        lone.over(id, true);
        if (outcome === 'sent' && provider !== undefined) ledger.confirm(provider);
      }
      log.written(answer);
    },
    onFailed: (error, waiting) => log.warn(`${plural(waiting, 'result')} could not be written yet: ${describe(error)}`),
  });
  const claim = async (limit: number) => {
    const claimedAt = steady.nowEpochMs();
    const onLost = (error: unknown) => log.warnOnce(`A claim took too long, now a smaller one: ${describe(error)}`);
    const [claimed] = await Promise.all([
      claimBatch(limit, { queue, worker: holder, leaseSeconds, known: leases.held, onLost }),
      quotas.refresh(),
      disabled.refresh(),
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
    isStopped: () => stop.signal.aborted,
    onClaimed: (claimed) => {
      flight.claimed += claimed.emails.length;
      log.claimed(claimed);
    },
    untilOver: lone.untilOver,
    onFailed: (error) => stop.stop({ kind: 'error', message: `Emails could not be claimed: ${describe(error)}` }),
  });
  const giveBack = createGiveBack({ queue, worker: holder });
  const ending = createEnding(begin, { batcher, giveBack, stop, flight, lone });

  // No email is started whose lease ends before a send could: somebody else might send it at the same time.
  const sendNeedsMs = Math.min(
    options.sendTimeoutMs ?? DEFAULT_SEND_TIMEOUT_MS,
    leaseSeconds * SECOND_MS * MOST_OF_A_LEASE,
  );
  const mayStart = (id: string) => {
    if (stop.signal.aborted || leases.hold(id, sendNeedsMs)) return !stop.signal.aborted;
    if (!leases.held().some((each) => leases.hold(each, sendNeedsMs))) stop.stop({ kind: 'leases' });
    return false;
  };
  try {
    await runPool({
      lanes: options.concurrency,
      ready: () => batcher.ready(stop.signal),
      next: source.next,
      attempt: (email) => {
        flight.inFlight += 1;
        return attemptEmail(email, {
          choice,
          clock,
          mayStart,
          wait: stop.wait,
          send: (outgoing) => ports.mail.send(outgoing),
        });
      },
      settle: ending.settle,
    });
  } catch (error) {
    stop.stop({ kind: 'error', message: describe(error) });
  }
  stop.close();

  // Leases and lock are kept until everything is written: until then nobody else should look at these rows.
  const notTaken = await source.close();
  for (const email of [...ending.notStarted(), ...notTaken]) giveBack.add(email, returnAfter(stop.reason()));
  const unwritten = await batcher.drain(begin.signal.aborted ? DRAIN_TOLD_MS : DRAIN_MS);
  await giveBack.flush((error) =>
    log.warn(`Emails were not given back, their leases end by themselves: ${describe(error)}`),
  );
  await Promise.all([leases.stop(), keeper.stop()]);

  const result = summarize(ending.progress(), { stop: stop.reason(), givenBack: giveBack.count(), unwritten });
  log.info(`${result.message} Took ${formatLatency(performance.now() - startedAtMs)}.`);
  return result;
}

/** How far the run is, for whoever watches. */
interface Flight {
  claimed: number;
  inFlight: number;
}

interface EndingParts {
  readonly batcher: ResultBatcher;
  readonly giveBack: GiveBack;
  readonly stop: RunStop;
  readonly flight: Flight;
  readonly lone: LoneEmail;
}

/** Takes what became of each email, counts it, and ends the run when no other would fare better. */
function createEnding({ onProgress }: RunRequest, { batcher, giveBack, stop, flight, lone }: EndingParts) {
  let progress: RunProgress = NOTHING_DONE;
  let unavailableInRow = 0;
  const notStarted: QueuedEmail[] = [];
  return {
    progress: () => progress,
    notStarted: (): readonly QueuedEmail[] => notStarted,
    settle: (email: QueuedEmail, end: AttemptEnd) => {
      flight.inFlight -= 1;
      if (end.kind === 'result') {
        unavailableInRow = 0;
        batcher.add(end.result);
        progress = counted(progress, end.result);
        onProgress?.({ ...progress, ...flight });
        return;
      }
      lone.over(email.id, false);
      if (end.kind === 'not-started') {
        notStarted.push(email);
        return;
      }
      giveBack.add(email, end);
      if (end.obstacle === null) return;
      unavailableInRow += end.obstacle.kind === 'unavailable' ? 1 : UNAVAILABLE_ENDS_AFTER;
      if (unavailableInRow >= UNAVAILABLE_ENDS_AFTER) stop.stop({ kind: 'obstacle', obstacle: end.obstacle });
    },
  };
}

/** The run's lines. The same trouble is told once: a Redis that is away would fill the log. */
function createRunLog(logger: Logger) {
  const said = new Set<string>();
  const warn = (line: string) => logger.warn(`${LOG_PREFIX} ${line}`);
  return {
    info: (line: string) => logger.info(`${LOG_PREFIX} ${line}`),
    warn,
    warnOnce: (line: string) => {
      if (!said.has(line)) warn(line);
      said.add(line);
    },
    claimed: ({ emails, unreadable }: Claimed) => {
      if (emails.length > 0) logger.info(`${LOG_PREFIX} Processing ${emails.length} emails...`);
      if (unreadable > 0) logger.error(`${LOG_PREFIX} ${plural(unreadable, 'row')} of the queue cannot be read.`);
    },
    written: ({ notOurs, deadLettered, rejected }: Finished) => {
      if (notOurs.length > 0)
        warn(`${plural(notOurs.length, 'result')} came too late: somebody else has the email now.`);
      if (deadLettered.length > 0) warn(`${plural(deadLettered.length, 'email')} moved to the dead letters.`);
      for (const { reason } of rejected) warn(`The database cannot use a result: ${reason}.`);
    },
  };
}
