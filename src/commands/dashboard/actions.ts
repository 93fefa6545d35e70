/** What the dashboard's keys do outside, one handler a kind. Each answers with a sentence, and writes the audit list. */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { createAlerts } from '../../data/alerts.ts';
import { createAudit } from '../../data/audit.ts';
import { createQueueLock, type PauseStep, type QueueLock } from '../../data/queue-lock.ts';
import { formatAge, formatClock, formatLatency, plural } from '../../domain/format.ts';
import { formatPause, type Pause, prolongedReason } from '../../domain/lock.ts';
import { WORKERS, type WorkerName } from '../../domain/run.ts';
import { cleanText } from '../../domain/text.ts';
import { SECOND_MS } from '../../domain/time.ts';
import type { ActionContext, ActionOutcome, Actions } from '../../ui/actions.ts';
import type { Systems } from '../connect.ts';
import type { Operator } from '../operator.ts';
import type { EmbeddedWorkers } from './embedded-workers.ts';
import { providerActions } from './provider-actions.ts';
import { queueActions } from './queue-actions.ts';
import { saveReport } from './save-report.ts';
import { scheduleActions } from './schedule-actions.ts';

export interface ActionsOptions {
  readonly systems: Systems;
  readonly operator: Operator;
  readonly workers: EmbeddedWorkers | null;
  readonly isReadOnly: boolean;
  /** Schedules or dead letters at QStash are different now. */
  readonly onSchedulesChanged: () => void;
}

/** A read-only console has no handler that changes anything. */
export function dashboardActions(options: ActionsOptions): Actions {
  const { isReadOnly } = options;
  return {
    ...localActions(options),
    ...(isReadOnly
      ? {}
      : {
          ...lockActions(options),
          ...workerActions(options),
          ...alertActions(options),
          ...queueActions({ systems: options.systems, audit: auditOf(options) }),
          ...providerActions({ systems: options.systems, operator: options.operator, audit: auditOf(options) }),
          ...scheduleActions({
            systems: options.systems,
            audit: auditOf(options),
            onChanged: options.onSchedulesChanged,
          }),
        }),
  };
}

function done(text: string): ActionOutcome {
  return { level: 'ok', text };
}

function refused(text: string): ActionOutcome {
  return { level: 'warning', text };
}

/** The audit list says who did what; that it could not be written never undoes what was done. */
function auditOf({ systems, operator }: ActionsOptions) {
  return async (action: string, target: string, outcome = 'ok'): Promise<string> => {
    if (systems.redis === null) return '';
    const entry = {
      atEpochMs: systems.clock.nowEpochMs(),
      by: operator.name,
      host: operator.host,
      action,
      target,
      outcome,
    };
    return createAudit(systems.redis.client)
      .append(entry)
      .then(() => '')
      .catch(() => '; the audit list could not be written');
  };
}

/** Nothing outside changes but the audit list. */
function localActions(options: ActionsOptions): Actions {
  const audit = auditOf(options);
  return {
    report: async ({ markdown }) =>
      done(`report saved: ${await saveReport(markdown, options.systems.clock.nowEpochMs())}`),
    unmask: async ({ on }) => {
      const missing = options.isReadOnly ? '' : await audit(on ? 'unmask' : 'mask', 'addresses in the console');
      return done(`${on ? 'whole addresses are shown' : 'addresses are masked'}${missing}`);
    },
  };
}

function lockActions(options: ActionsOptions): Actions {
  const { systems, operator } = options;
  if (systems.redis === null) return {};
  const lock = createQueueLock(systems.redis.client, systems.clock, systems.config.worker.slots);
  const audit = auditOf(options);
  return {
    pause: async ({ forMs, reason }, context) => {
      const standing = (await lock.state()).pause;
      if (standing !== null) {
        const why = reason === '' ? {} : { reason: cleanText(prolongedReason(standing, operator.name, reason), 200) };
        const extended = await lock.extend(standing, { forMs, ...why });
        if (extended === null) return refused('the pause ended at this moment; press p to pause anew');
        return done(
          `the pause lasts until ${formatClock(extended.expiresAtEpochMs)} UTC now${await audit('extend pause', standing.value)}`,
        );
      }
      const startedAtEpochMs = systems.clock.nowEpochMs();
      const wanted: Pause = {
        operator: operator.name,
        host: operator.host,
        startedAtEpochMs,
        reason: cleanText(reason, 200),
      };
      const step = await lock.pause(wanted, { forMs });
      const missing = await audit('pause', formatPause(wanted));
      const outcome = await afterPause(lock, formatPause(wanted), step, context);
      return { ...outcome, text: `${outcome.text}${missing}` };
    },
    resume: async () => {
      const { pause } = await lock.state();
      if (pause === null) return done('nothing is paused any more');
      const isLifted = await lock.resume(pause.value);
      const since = formatAge(systems.clock.nowEpochMs() - pause.startedAtEpochMs);
      const missing = await audit('resume', pause.value, isLifted ? 'ok' : 'It had ended already.');
      return done(`resumed after ${since}; the workers go on at their next run${missing}`);
    },
  };
}

const LOOK_EVERY_MS = SECOND_MS;
/** A legacy worker never gives way; the announcement stands until its lock ends, whoever is watching. */
const WATCHED_MS = 60 * SECOND_MS;

async function afterPause(
  lock: QueueLock,
  value: string,
  first: PauseStep,
  context: ActionContext,
): Promise<ActionOutcome> {
  const until = performance.now() + WATCHED_MS;
  let step = first;
  while (step.kind === 'waiting' && performance.now() < until && !context.signal.aborted) {
    context.onProgress({ text: `waits for ${plural(step.holders, 'worker')} to give way` });
    await delay(LOOK_EVERY_MS, undefined, { signal: context.signal }).catch(() => undefined);
    step = await lock.advance(value);
  }
  switch (step.kind) {
    case 'paused':
      return done('paused: no worker claims emails until it is resumed (p)');
    case 'waiting':
      return refused(`pausing: ${plural(step.holders, 'worker')} still at it; it takes effect when they end`);
    case 'exists':
      return refused(`${cleanText(`${step.pause.operator}@${step.pause.host}`, 80)} paused at the same moment`);
    case 'gone':
      return refused('the pause was lifted by somebody else before it took effect');
    default:
      return step satisfies never;
  }
}

function workerActions({ workers, ...options }: ActionsOptions): Actions {
  if (workers === null) return {};
  const audit = auditOf({ workers, ...options });
  return {
    run: async ({ worker }, { onProgress }) => {
      const result = await workers.runNow(worker, (text) => onProgress({ text }));
      if (result === null) return refused(`${worker} runs here already`);
      const missing = await audit('run', `${worker} on ${hostname()}`, result.outcome);
      const level = result.outcome === 'ok' ? 'ok' : result.outcome === 'failed' ? 'critical' : 'warning';
      return {
        level,
        text: `${worker} ${result.outcome}: ${result.message} (${formatLatency(result.durationMs)})${missing}`,
      };
    },
    workers: async ({ on }, { onProgress }) => {
      if (on) await workers.switchOn();
      else {
        onProgress({ text: 'waits for what is in flight' });
        await workers.switchOff();
      }
      const missing = await audit('workers', on ? 'on' : 'off');
      if (on) onProgress({ text: 'asks QStash whom it calls' });
      const kept = on ? await workers.kept() : null;
      const { level, text } = kept === null ? done('the workers here are off') : keptWords(kept);
      return { level, text: `${text}${missing}` };
    },
  };
}

/** Where QStash calls them all, nothing runs here: nobody may take that for a processor that is at work. */
export function keptWords(kept: readonly WorkerName[]): ActionOutcome {
  if (kept.length === WORKERS.length) return done('all workers run here on their schedules');
  if (kept.length > 0) return done(`on their schedules here: ${kept.join(', ')}; QStash calls the others`);
  return refused('QStash calls every worker, so none has anything to do here until it stops; r, h and u run one now');
}

function alertActions(options: ActionsOptions): Actions {
  const { systems, operator } = options;
  if (systems.redis === null) return {};
  const alerts = createAlerts(systems.redis.client, systems.clock);
  const audit = auditOf(options);
  return {
    acknowledge: async ({ fingerprints }) => {
      await alerts.acknowledge(fingerprints, operator.name);
      const missing = await audit('acknowledge', fingerprints.join(' '));
      return done(`${plural(fingerprints.length, 'alert')} acknowledged${missing}`);
    },
  };
}
