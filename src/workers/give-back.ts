/** Emails that a run claimed and did not send: collected, and given back at its end, without costing them an attempt. */
import type { Queue } from '../data/queue.ts';
import type { QueuedEmail } from '../domain/email.ts';
import { unansweredProvider } from '../domain/unanswered-mark.ts';

/** When the email is due again, null for now; and what `last_error` says, null for what stands there. */
export interface Return {
  readonly retryAtEpochMs: number | null;
  readonly note: string | null;
}

export interface GiveBack {
  add(email: QueuedEmail, how: Return): void;
  /** How many went back: known after `flush`. Those that somebody else has by now did not. */
  count(): number;
  /** Gives all of them back, in as few calls as possible. Never rejects: what cannot be given back ends with its lease. */
  flush(onFailed: (error: unknown) => void): Promise<void>;
}

const TRIES = 3;

export function createGiveBack({ queue, worker }: { queue: Pick<Queue, 'release'>; worker: string }): GiveBack {
  const groups = new Map<string, { how: Return; ids: string[] }>();
  let givenBack = 0;

  const release = async (ids: readonly string[], { retryAtEpochMs, note }: Return): Promise<void> => {
    const request = {
      worker,
      ids,
      ...(retryAtEpochMs === null ? {} : { retryAtEpochMs: Math.round(retryAtEpochMs) }),
      ...(note === null ? {} : { note }),
    };
    for (let tries = 1; ; tries += 1) {
      try {
        const released = await queue.release(request);
        // Where an answer was lost, it may have happened at the first try.
        givenBack += tries === 1 ? released.length : ids.length;
        return;
      } catch (error) {
        if (tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** tries));
      }
    }
  };

  return {
    add: (email, how) => {
      // A mark in `last_error` must survive: it keeps the email from being sent twice.
      const note = unansweredProvider(email.lastError) === null ? how.note : null;
      const key = `${how.retryAtEpochMs}/${note}`;
      const group = groups.get(key) ?? { how: { ...how, note }, ids: [] };
      group.ids.push(email.id);
      groups.set(key, group);
    },
    count: () => givenBack,
    flush: async (onFailed) => {
      for (const { how, ids } of groups.values()) await release(ids, how).catch(onFailed);
    },
  };
}
