/** A run at the deployed endpoint instead of here: published through QStash, then followed in its log until it is over. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { MessageState } from '../domain/delivery.ts';
import { count, lenient, parseEach } from './parse.ts';
import { connectQStash, type QStashTarget } from './qstash.ts';
import { messageState, newestFirst, sentenceOf } from './qstash-messages.ts';

export interface RemoteOutcome {
  readonly messageId: string;
  /** `unknown`: it was not over when the deadline came; QStash goes on by itself. */
  readonly outcome: 'delivered' | 'failed' | 'cancelled' | 'unknown';
  /** What the endpoint answered to the last failed delivery, as far as QStash tells. */
  readonly error: string | null;
}

export interface RemoteRunRequest {
  readonly destination: string;
  readonly signal: AbortSignal;
  /** Each state once, as it is seen. */
  readonly onState?: (state: MessageState) => void;
  /** How long it is followed. 330,000 ms unless told: a run's budget, its drain and a retry. */
  readonly followMs?: number;
  readonly pollMs?: number;
}

const FOLLOW_MS = 330_000;
const POLL_MS = 1_000;
/** In a row. */
const MAX_FAILED_LOOKS = 5;

/**
 * Throws `FaultError` when QStash does not take the message, or cannot be asked again and again; a failed delivery is an outcome.
 */
export async function runRemotely(target: QStashTarget, request: RemoteRunRequest): Promise<RemoteOutcome> {
  const { destination, signal, onState = () => undefined, followMs = FOLLOW_MS, pollMs = POLL_MS } = request;
  const client = await connectQStash(target).client(signal);
  // One retry, as the schedules have it: a person waits for this one.
  const published = await client.publishJSON({ url: destination, body: {}, retries: 1 });
  const { messageId } = Published.parse(published);
  const deadline = Date.now() + followMs;
  let seen: MessageState | null = null;
  let failures = 0;
  // The message is on its way: one look that fails, or that QStash finds too soon, is no reason to lose sight of it.
  const look = async () => {
    try {
      const newest = newestOf(await client.logs({ filter: { messageId } }));
      failures = 0;
      return newest;
    } catch (error) {
      failures += 1;
      if (signal.aborted || failures >= MAX_FAILED_LOOKS) throw error;
      return null;
    }
  };
  for (;;) {
    const newest = await look();
    if (newest !== null && newest.state !== seen) onState(newest.state);
    seen = newest?.state ?? seen;
    const outcome = OUTCOMES[seen ?? 'created'];
    const error = newest?.error ?? null;
    if (outcome !== undefined) return { messageId, outcome, error };
    if (Date.now() + pollMs > deadline) return { messageId, outcome: 'unknown', error };
    await delay(pollMs, undefined, { signal });
  }
}

const OUTCOMES: Partial<Record<MessageState, 'delivered' | 'failed' | 'cancelled'>> = {
  delivered: 'delivered',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** The newest entry, and the newest error among all. */
function newestOf(answer: unknown): { state: MessageState; error: string | null } | null {
  const { values } = parseEach(Entry, Logs.parse(answer).logs);
  const sorted = values.toSorted(newestFirst);
  const [newest] = sorted;
  if (newest === undefined) return null;
  return { state: newest.state, error: sorted.find(({ error }) => error !== null)?.error ?? null };
}

const Published = z.object({ messageId: z.string() });
const Logs = z.object({ logs: z.array(z.unknown()) });
const Entry = z
  .object({
    time: count,
    state: messageState,
    error: lenient(z.string()),
    responseBody: lenient(z.string()),
  })
  .transform(({ time, state, error, responseBody }) => ({ time, state, error: error ?? sentenceOf(responseBody) }));
