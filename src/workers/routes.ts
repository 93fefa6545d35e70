/**
 * The worker endpoints as web-standard handlers (WIRE.md, Worker endpoints): usable in Next.js, on Vercel, Deno, or behind any
 * Node server. They check who calls, run a worker at most once for each message, and answer what QStash should make of it.
 */
import { type Deliveries, RUNNING_TTL_SECONDS } from '../data/deliveries.ts';
import type { WorkerName } from '../domain/run.ts';
import { EXPECTED_SCHEDULES, TICK_SCHEDULE } from '../domain/schedule.ts';
import { createDeliveryCheck, type DeliveryCheck, type DeliveryCheckOptions } from './delivery-check.ts';
import { json } from './http.ts';
import type { Tick } from './tick.ts';
import { LOG_PREFIX, type Logger, type RunResult, type Worker } from './worker.ts';

export type RouteName = WorkerName | 'tick';
export type RouteHandler = (request: Request) => Promise<Response>;

export interface WorkerRoutesOptions extends DeliveryCheckOptions {
  readonly workers: Readonly<Record<WorkerName, Worker>>;
  readonly tick: Tick;
  readonly deliveries: Deliveries;
  readonly log: Logger;
  /** Aborts when the server stops: runs give back what they have not started. */
  readonly signal: AbortSignal;
}

/** One handler a route, for every method. They never throw. */
export function createWorkerRoutes(options: WorkerRoutesOptions): Readonly<Record<RouteName, RouteHandler>> {
  const { workers, tick, signal } = options;
  const check = createDeliveryCheck(options);
  const handler = (name: RouteName, run: (trigger: string) => Promise<RunResult>) =>
    handlerOf({ ...options, check, path: pathOf(name), prefix: PREFIX[name], run });
  const worker = (name: WorkerName) => handler(name, (trigger) => workers[name].run({ trigger, signal }));
  return {
    'queue-processor': worker('queue-processor'),
    'health-monitor': worker('health-monitor'),
    'quota-sync': worker('quota-sync'),
    tick: handler('tick', (trigger) => tick.run({ trigger, signal })),
  };
}

/** Paths of all routes, in the order of the schedules. */
export function pathOf(name: RouteName): string {
  const schedule = EXPECTED_SCHEDULES.find(({ worker }) => worker === name);
  return schedule?.path ?? TICK_SCHEDULE.path;
}

const PREFIX: Readonly<Record<RouteName, string>> = { ...LOG_PREFIX, tick: '[tick]' };

interface Endpoint {
  readonly signal: AbortSignal;
  readonly check: DeliveryCheck;
  readonly path: string;
  readonly prefix: string;
  readonly deliveries: Deliveries;
  readonly log: Logger;
  run(trigger: string): Promise<RunResult>;
}

function handlerOf(endpoint: Endpoint): RouteHandler {
  const { check, path, prefix, deliveries, log } = endpoint;
  const run = async (trigger: string) => settled(await endpoint.run(trigger), endpoint.signal);
  return async (request) => {
    try {
      const checked = await check(request, path);
      if (checked.kind === 'refused') {
        log.warn(`${prefix} Refused a call (${checked.status}): ${checked.reason}`);
        const headers = checked.status === 405 ? { allow: 'GET, POST' } : undefined;
        return json(checked.status, { success: false, error: checked.reason }, headers);
      }
      const { messageId, trigger } = checked;
      if (messageId === null) return answerOf(await run(trigger));
      return await once({ deliveries, log, prefix, messageId }, () => run(trigger));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.error(`${prefix} ${message}`);
      return json(500, { success: false, error: message });
    }
  };
}

/** Claimed before the run, so that two deliveries at once run once; given free after a failure, so that the retry runs. */
async function once(
  message: { deliveries: Deliveries; log: Logger; prefix: string; messageId: string },
  run: () => Promise<RunResult>,
): Promise<Response> {
  const { deliveries, log, prefix, messageId } = message;
  const claim = await deliveries.claim(messageId);
  if (claim === 'done') return skipped('This message was done already.');
  if (claim === 'running') {
    // Not 200: should the other delivery have died, this message must come again, when its claim has ended.
    const retryAfter = String(RUNNING_TTL_SECONDS + 30);
    return json(409, { success: false, error: 'This message runs already.' }, { 'retry-after': retryAfter });
  }
  let isDone = false;
  try {
    const result = await run();
    isDone = isSuccess(result);
    return answerOf(result);
  } finally {
    const mark = isDone ? deliveries.done(messageId) : deliveries.giveFree(messageId);
    await mark.catch((error: Error) => log.warn(`${prefix} The message could not be marked: ${error.message}`));
  }
}

/**
 * A run that an operator's pause ended, or another worker that has the lock now, did what it could: coming again would only be
 * skipped. One that ended because this server stops has to come again, elsewhere.
 */
function settled(result: RunResult, stopping: AbortSignal): RunResult {
  return result.outcome === 'aborted' && !stopping.aborted ? { ...result, outcome: 'ok' } : result;
}

/** Skipped is a success: an error code would make QStash retry what needs no retry. */
function isSuccess({ outcome }: RunResult): boolean {
  return outcome === 'ok' || outcome === 'skipped';
}

function answerOf(result: RunResult): Response {
  const { outcome, message, processed, successful, failed, durationMs } = result;
  if (outcome === 'skipped') return skipped(message);
  const counts = { processed, successful, failed, duration: durationMs };
  if (outcome === 'ok') return json(200, { success: true, message, ...counts });
  return json(500, { success: false, message, error: message, ...counts });
}

function skipped(message: string): Response {
  return json(200, { success: true, skipped: true, message });
}
