/** What the admin API can do: pause, resume, run. Each answers with a status for HTTP and a sentence for a person. */
import type { QueueLock, StandingPause } from '../data/queue-lock.ts';
import { type Pause, prolongedReason } from '../domain/lock.ts';
import type { WorkerName } from '../domain/run.ts';
import type { Clock } from '../domain/time.ts';
import type { Worker } from './worker.ts';

export interface ActionResult {
  readonly status: 200 | 202 | 404 | 409 | 500 | 503;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AdminActions {
  /** `extend` prolongs the pause that stands, whoever's it is. */
  pause(request: {
    readonly operator: string;
    readonly forMs: number;
    readonly reason: string;
    readonly extend: boolean;
  }): Promise<ActionResult>;
  /** Somebody else's pause is lifted only with `isSure`. */
  resume(request: { readonly operator: string; readonly isSure: boolean }): Promise<ActionResult>;
  run(request: { readonly worker: WorkerName; readonly wait: boolean }): Promise<ActionResult>;
}

export interface AdminActionsOptions {
  /** Null: Redis is not configured. */
  readonly lock: QueueLock | null;
  /** Null: Redis or Postgres is not configured. */
  readonly workers: Readonly<Record<WorkerName, Worker>> | null;
  readonly clock: Clock;
  readonly host: string;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}

export function createAdminActions(options: AdminActionsOptions): AdminActions {
  const { lock, workers, clock, host, signal } = options;
  return {
    pause: async ({ operator, forMs, reason, extend }) => {
      if (lock === null) return notConfigured('Redis');
      if (extend) return extendPause(lock, { operator, forMs, reason });
      const startedAtEpochMs = clock.nowEpochMs();
      const pause: Pause = { operator, host, startedAtEpochMs, reason };
      const step = await lock.pause(pause, { forMs });
      const details = { pause: { ...pause, expiresAtEpochMs: startedAtEpochMs + forMs } };
      switch (step.kind) {
        case 'paused':
          return { status: 200, message: 'Paused.', details: { state: 'paused', ...details } };
        case 'waiting':
          return { status: 202, message: 'Pausing: a worker still drains.', details: { state: 'pausing', ...details } };
        case 'exists':
          return {
            status: 409,
            message: `Paused already by ${nameOf(step.pause)}; extend it with "extend": true.`,
            details: { state: await standingOf(lock), pause: withoutValue(step.pause) },
          };
        case 'gone':
          return { status: 409, message: 'The pause was lifted at the same moment.', details: { state: 'running' } };
      }
    },
    resume: async ({ operator, isSure }) => {
      if (lock === null) return notConfigured('Redis');
      const pause = (await lock.state()).pause;
      if (pause === null) return { status: 200, message: 'Nothing is paused.', details: { state: 'running' } };
      if (pause.operator !== operator && !isSure) {
        const message = `The pause is by ${nameOf(pause)}; lift it with "yes": true.`;
        return { status: 409, message, details: { state: await standingOf(lock), pause: withoutValue(pause) } };
      }
      await lock.resume(pause.value);
      return { status: 200, message: `Resumed; it was paused by ${nameOf(pause)}.`, details: { state: 'running' } };
    },
    run: async ({ worker, wait }) => {
      if (workers === null) return notConfigured('Redis and Postgres');
      const run = workers[worker].run({ trigger: 'admin', signal });
      // Workers answer with results; should one throw, it must not take the process along.
      run.catch(() => undefined);
      if (!wait) return { status: 202, message: `${worker} has begun.`, details: { worker } };
      const { message, ...details } = await run;
      // What a pause ended did what it could; what this server's own stop ended has to be asked for again.
      const isFine = details.outcome === 'aborted' ? !signal.aborted : details.outcome !== 'failed';
      return { status: isFine ? 200 : 500, message, details: { worker, ...details } };
    },
  };
}

async function extendPause(
  lock: QueueLock,
  { operator, forMs, reason }: { operator: string; forMs: number; reason: string },
): Promise<ActionResult> {
  const pause = (await lock.state()).pause;
  const why = pause === null || reason === '' ? {} : { reason: prolongedReason(pause, operator, reason) };
  const extended = pause === null ? null : await lock.extend(pause, { forMs, ...why });
  if (extended === null) return { status: 404, message: 'There is no pause to extend.', details: { state: 'running' } };
  const state = await standingOf(lock);
  const details = { state, pause: withoutValue(extended) };
  if (state === 'pausing') return { status: 202, message: 'Extended; a worker still drains.', details };
  return { status: 200, message: 'Extended.', details };
}

/** How far a pause is that is known to be there: an announcement still waits for a worker. */
async function standingOf(lock: QueueLock): Promise<'paused' | 'pausing'> {
  return (await lock.state()).announcedPause === null ? 'paused' : 'pausing';
}

function nameOf({ operator, host }: Pause): string {
  return `${operator}@${host}`;
}

function withoutValue({ value, ...pause }: StandingPause) {
  return pause;
}

function notConfigured(what: string): ActionResult {
  return { status: 503, message: `${what} is not configured here.`, details: {} };
}
