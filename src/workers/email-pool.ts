/**
 * The pool: so many lanes side by side, each taking one email after the other, so that a slow one never holds the others up
 * (DESIGN §6.4). Ends when there are no emails any more.
 */
import type { QueuedEmail } from '../domain/email.ts';
import type { AttemptEnd } from './email-attempt.ts';

export interface PoolOptions {
  readonly lanes: number;
  /** Resolves when it makes sense to start one more; rejects when the run stops. */
  readonly ready: () => Promise<void>;
  readonly next: () => Promise<QueuedEmail | null>;
  readonly attempt: (email: QueuedEmail) => Promise<AttemptEnd>;
  readonly settle: (email: QueuedEmail, end: AttemptEnd) => void;
}

/** Waits for every lane, also when one breaks; then throws what broke it. */
export async function runPool({ lanes, ready, next, attempt, settle }: PoolOptions): Promise<void> {
  const lane = async (): Promise<void> => {
    for (;;) {
      // After a stop `next` answers null, so the rejection needs no other handling.
      await ready().catch(() => undefined);
      const email = await next();
      if (email === null) return;
      settle(email, await attempt(email));
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const broken = ends.find((end) => end.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}
