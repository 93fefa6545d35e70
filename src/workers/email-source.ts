/**
 * The emails of one run, one by one: claims a batch, hands it out, and claims the next before the last of it is taken, so that
 * the pool stays full. How long before hangs on how many emails go out while a claim is under way: where that is many, a whole
 * batch. After a batch that was not full there is no other in this run.
 *
 * An email that was claimed alone may be the one that took its workers down: while it is under way nothing else is.
 */
import type { Claimed } from '../data/queue.ts';
import type { QueuedEmail } from '../domain/email.ts';

export interface EmailSource {
  /** The next email; null when there is none any more, or the run stops. */
  next(): Promise<QueuedEmail | null>;
  /** What was claimed and not handed out. Waits for a claim that is under way; afterwards `next` answers null. */
  close(): Promise<readonly QueuedEmail[]>;
}

export interface EmailSourceOptions {
  readonly batchSize: number;
  /** When this few are left, the next batch is claimed at the latest. */
  readonly refillAt: number;
  /** `limit` of the answer is how many it could have been. */
  readonly claim: (limit: number) => Promise<Claimed & { readonly limit: number }>;
  /** Asked before every claim but the first: whether another one makes sense. */
  readonly mayClaimMore: (claimedSoFar: number) => boolean;
  readonly isStopped: () => boolean;
  readonly onClaimed: (claimed: Claimed) => void;
  /** Resolves when an email that was claimed alone is over: true when it was written, so that others may follow. */
  readonly untilOver: (email: QueuedEmail) => Promise<boolean>;
  /** A claim failed; there is no other. */
  readonly onFailed: (error: unknown) => void;
}

export function createEmailSource(options: EmailSourceOptions): EmailSource {
  let pending: QueuedEmail[] = [];
  let claiming: Promise<void> | null = null;
  let suspect: Promise<void> | null = null;
  let isDry = false;
  let isClosed = false;
  let claimedSoFar = 0;
  let handedOut = 0;
  // Until a claim has shown how fast emails go out.
  let refillAt = Math.max(options.refillAt, Math.floor(options.batchSize / 2));

  /** Never rejects. */
  const claim = async (): Promise<void> => {
    const before = handedOut;
    try {
      const claimed = await options.claim(options.batchSize);
      const meanwhile = handedOut - before;
      if (before > 0) refillAt = Math.max(options.refillAt, Math.min(options.batchSize, 2 * meanwhile));
      const count = claimed.emails.length + claimed.unreadable;
      claimedSoFar += count;
      const alone = claimed.emails.find(isSuspect);
      isDry = alone === undefined && (count < claimed.limit || !options.mayClaimMore(claimedSoFar));
      pending = [...pending, ...claimed.emails];
      if (alone !== undefined) suspect = passed(alone);
      options.onClaimed(claimed);
    } catch (error) {
      isDry = true;
      options.onFailed(error);
    }
    claiming = null;
  };
  const passed = async (email: QueuedEmail): Promise<void> => {
    if (!(await options.untilOver(email))) isDry = true;
    suspect = null;
  };
  const isOver = () => isClosed || options.isStopped();

  return {
    next: async () => {
      for (;;) {
        if (isOver()) return null;
        if (pending.length <= refillAt && !isDry && suspect === null) claiming ??= claim();
        const email = pending.shift();
        if (email !== undefined) {
          handedOut += 1;
          return email;
        }
        const awaited = claiming ?? suspect;
        if (awaited === null) return null;
        await awaited;
      }
    },
    close: async () => {
      isClosed = true;
      await claiming;
      const left = pending;
      pending = [];
      return left;
    },
  };
}

/** Beyond its attempts: the database hands such an email out alone. */
function isSuspect({ attempts, maxAttempts }: QueuedEmail): boolean {
  return attempts > maxAttempts;
}
