/**
 * The leases of one run: which rows are ours and for how long, kept by renewing every fifth of the lease. Times are counted
 * from before the request that set them, so that we never believe in a lease longer than the database does.
 */
import type { Queue } from '../data/queue.ts';
import type { QueuedEmail } from '../domain/email.ts';
import type { Clock } from '../domain/time.ts';

export interface Leases {
  /** Rows from `claim`, whose request was made at `claimedAtEpochMs`. */
  add(emails: readonly QueuedEmail[], claimedAtEpochMs: number): void;
  /** The row is surely ours for another `needMs`. */
  hold(id: string, needMs: number): boolean;
  /** Written or given back: no longer renewed. */
  drop(ids: readonly string[]): void;
  held(): readonly string[];
  /** Ends renewing, waits for one that is under way. Idempotent. */
  stop(): Promise<void>;
}

export interface LeaseOptions {
  readonly queue: Pick<Queue, 'renew'>;
  readonly worker: string;
  readonly leaseSeconds: number;
  readonly clock: Clock;
  /** A renewal failed; it is tried again until the leases are over. */
  readonly onFailed: (error: unknown) => void;
  /** Rows that another worker or an operator has now. */
  readonly onLost: (ids: readonly string[]) => void;
}

/** So many in the time of a lease. */
const RENEWALS = 5;

export function createLeases(options: LeaseOptions): Leases {
  const { clock, leaseSeconds } = options;
  const leaseMs = leaseSeconds * 1_000;
  const untilById = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let renewing: Promise<void> = Promise.resolve();
  let isStopped = false;

  const schedule = (inMs: number) => {
    if (isStopped) return;
    timer = setTimeout(() => {
      renewing = renew().then(schedule);
    }, inMs);
  };

  /** Answers when to come again, in ms. Never rejects. */
  const renew = async (): Promise<number> => {
    const ids = [...untilById.keys()];
    if (ids.length === 0) return leaseMs / RENEWALS;
    const askedAt = clock.nowEpochMs();
    try {
      const ours = new Set(await options.queue.renew({ worker: options.worker, ids, leaseSeconds }));
      // Rows that were written or claimed meanwhile are not in this answer and none of its business.
      const lost = ids.filter((id) => untilById.has(id) && !ours.has(id));
      for (const id of ours) if (untilById.has(id)) untilById.set(id, askedAt + leaseMs);
      for (const id of lost) untilById.delete(id);
      if (lost.length > 0) options.onLost(lost);
      return leaseMs / RENEWALS;
    } catch (error) {
      options.onFailed(error);
      return leaseMs / 15;
    }
  };

  schedule(leaseMs / RENEWALS);
  return {
    add: (emails, claimedAtEpochMs) => {
      for (const { id } of emails) untilById.set(id, claimedAtEpochMs + leaseMs);
    },
    hold: (id, needMs) => (untilById.get(id) ?? 0) - clock.nowEpochMs() >= needMs,
    drop: (ids) => {
      for (const id of ids) untilById.delete(id);
    },
    held: () => [...untilById.keys()],
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await renewing;
    },
  };
}
