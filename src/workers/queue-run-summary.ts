/** Why a queue processor's run ended, what that means for the emails it had not started, and how the run is told. Pure. */
import type { EmailResult } from '../domain/email.ts';
import { formatInstant, plural } from '../domain/format.ts';
import type { Lock, Pause } from '../domain/lock.ts';
import type { RunOutcome } from '../domain/run.ts';
import { safeReason } from '../domain/send-failure.ts';
import type { Obstacle } from './email-attempt.ts';
import type { Return } from './give-back.ts';
import type { UntimedResult } from './queue-processor-ports.ts';
import type { RunProgress } from './worker.ts';

/** What ends a run before the queue is empty. */
export type Stop =
  | { readonly kind: 'time' }
  | { readonly kind: 'told' }
  | { readonly kind: 'pause'; readonly pause: Pause }
  | { readonly kind: 'lock-lost'; readonly lock: Lock | null }
  | { readonly kind: 'leases' }
  | { readonly kind: 'obstacle'; readonly obstacle: Obstacle }
  | { readonly kind: 'error'; readonly message: string };

export const NO_MIGRATION =
  'Postgres lacks what the workers need. Apply supabase/migrations; email-ops doctor shows how.';

export function counted(progress: RunProgress, { outcome }: EmailResult): RunProgress {
  const isSent = outcome === 'sent';
  return {
    processed: progress.processed + 1,
    successful: progress.successful + (isSent ? 1 : 0),
    failed: progress.failed + (isSent ? 0 : 1),
  };
}

/** How emails go back that were claimed and not started. */
export function returnAfter(stop: Stop | null): Return {
  if (stop?.kind !== 'obstacle') return { retryAtEpochMs: null, note: null };
  const { obstacle } = stop;
  switch (obstacle.kind) {
    case 'used-up': {
      const note = `Every provider's quota is used up until ${formatInstant(obstacle.resetsAtEpochMs)}.`;
      return { retryAtEpochMs: obstacle.resetsAtEpochMs, note };
    }
    case 'resting':
      return { retryAtEpochMs: obstacle.untilEpochMs, note: 'No provider could take it.' };
    case 'unavailable':
    case 'refused':
      return { retryAtEpochMs: null, note: obstacle.message };
  }
}

export function summarize(
  progress: RunProgress,
  { stop, givenBack, unwritten }: { stop: Stop | null; givenBack: number; unwritten: readonly EmailResult[] },
): UntimedResult {
  const { processed, successful, failed } = progress;
  const counts = `${plural(processed, 'email')} processed: ${successful} sent, ${failed} failed.`;
  const back = givenBack === 0 ? '' : ` ${plural(givenBack, 'email')} went back to the queue.`;
  const { outcome, reason } = tell(stop);
  const told = `${counts}${back}${reason === '' ? '' : ` ${reason}`}`;
  if (unwritten.length === 0) return { ...progress, outcome, message: told };
  const lost = `${plural(unwritten.length, 'result')} could not be written; these emails are tried again when their leases end.`;
  return { ...progress, outcome: 'failed', message: `${told} ${lost}` };
}

function tell(stop: Stop | null): { outcome: RunOutcome; reason: string } {
  switch (stop?.kind) {
    case undefined:
      return { outcome: 'ok', reason: '' };
    case 'time':
      return { outcome: 'ok', reason: 'The time budget is used up.' };
    case 'told':
      return { outcome: 'aborted', reason: 'Stopped on request.' };
    case 'pause': {
      const { operator, host, reason } = stop.pause;
      return {
        outcome: 'aborted',
        reason: `Paused by ${operator}@${host}${reason === '' ? '' : `: ${safeReason(reason)}`}.`,
      };
    }
    case 'lock-lost':
      return { outcome: 'aborted', reason: `${whoTookIt(stop.lock)} Nothing more was started.` };
    case 'leases':
      return { outcome: 'failed', reason: 'The leases could not be renewed.' };
    case 'error':
      return { outcome: 'failed', reason: stop.message };
    case 'obstacle':
      return tellObstacle(stop.obstacle);
  }
}

function tellObstacle(obstacle: Obstacle): { outcome: RunOutcome; reason: string } {
  switch (obstacle.kind) {
    case 'used-up': {
      const resets = formatInstant(obstacle.resetsAtEpochMs);
      return { outcome: 'ok', reason: `Every provider's quota is used up until ${resets}.` };
    }
    case 'resting':
      return { outcome: 'failed', reason: 'No provider takes emails at the moment.' };
    case 'unavailable':
    case 'refused':
      return { outcome: 'failed', reason: obstacle.message };
  }
}

function whoTookIt(lock: Lock | null): string {
  switch (lock?.kind) {
    case undefined:
      return 'The lock could not be renewed in time.';
    case 'free':
      return 'The lock ended or was deleted.';
    case 'paused':
      return `${lock.operator}@${lock.host} took the lock for a pause.`;
    case 'worker':
    case 'unknown-holder':
      return 'Another worker has the lock now.';
  }
}
