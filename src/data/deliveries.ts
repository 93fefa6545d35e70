/**
 * Which QStash messages were done: `email:qstash:message:<id>`, ours. Delivery is at least once, so a message is claimed before
 * its run, marked when the run is over, and given free when the run failed, so that the retry runs.
 */
import type { Redis } from '@upstash/redis';

export type DeliveryClaim =
  | 'claimed'
  /** Done within the last day. */
  | 'done'
  /** Another delivery of the same message runs at this moment, or died without a word within {@link RUNNING_TTL_SECONDS}. */
  | 'running';

/** All verbs throw `RedisError`. */
export interface Deliveries {
  claim(messageId: string): Promise<DeliveryClaim>;
  done(messageId: string): Promise<void>;
  giveFree(messageId: string): Promise<void>;
}

/**
 * Longer than an ordinary run. A run that lasts longer still may be joined by a second delivery, which the queue lock keeps out;
 * one that died without a word holds its message back no longer than this.
 */
export const RUNNING_TTL_SECONDS = 300;
const DONE_TTL_SECONDS = 24 * 3_600;

export function createDeliveries(redis: Redis): Deliveries {
  return {
    claim: async (messageId) => {
      const key = keyOf(messageId);
      const set = await redis.set(key, 'running', { nx: true, ex: RUNNING_TTL_SECONDS });
      if (set !== null) return 'claimed';
      return (await redis.get(key)) === 'done' ? 'done' : 'running';
    },
    done: async (messageId) => {
      await redis.set(keyOf(messageId), 'done', { ex: DONE_TTL_SECONDS });
    },
    giveFree: async (messageId) => {
      await redis.del(keyOf(messageId));
    },
  };
}

function keyOf(messageId: string): string {
  return `email:qstash:message:${messageId}`;
}
