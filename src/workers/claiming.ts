/**
 * Claiming a batch, also where the answer gets lost: rows that the database leased to us and we never saw are found and given
 * back, so that a slow moment costs no email an attempt. A batch that is too large for the time there is gets smaller.
 */
import { FaultError } from '../data/fault.ts';
import type { Claimed, Queue } from '../data/queue.ts';

export interface ClaimingOptions {
  readonly queue: Pick<Queue, 'claim' | 'heldBy' | 'release'>;
  readonly worker: string;
  readonly leaseSeconds: number;
  /** Rows that we know to be ours. */
  readonly known: () => readonly string[];
  readonly onLost: (error: unknown) => void;
}

const SMALLER = 5;

/** Answers what was claimed and out of how many. Throws what the queue throws, after giving back what it can. */
export async function claimBatch(
  limit: number,
  options: ClaimingOptions,
): Promise<Claimed & { readonly limit: number }> {
  const { queue, worker, leaseSeconds } = options;
  try {
    return { ...(await queue.claim({ worker, limit, leaseSeconds })), limit };
  } catch (error) {
    if (!(await giveBackUnseen(options))) throw error;
    const isTooMuch = error instanceof FaultError && error.fault.code === 'timeout' && limit > 1;
    if (!isTooMuch) throw error;
    options.onLost(error);
    return claimBatch(Math.max(1, Math.floor(limit / SMALLER)), options);
  }
}

/** False when that fails as well: then the leases end by themselves. */
async function giveBackUnseen({ queue, worker, known }: ClaimingOptions): Promise<boolean> {
  try {
    const seen = new Set(known());
    const unseen = (await queue.heldBy(worker)).filter((id) => !seen.has(id));
    if (unseen.length > 0) await queue.release({ worker, ids: unseen });
    return true;
  } catch {
    return false;
  }
}
