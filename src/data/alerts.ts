/** The list of critical alerts and who acknowledged what. */
import type { Redis } from '@upstash/redis';
import { type AlertFeed, outlivedAcknowledgements, parseAlerts } from '../domain/alert.ts';
import type { Clock } from '../domain/time.ts';
import { KEY } from './keys.ts';
import { listOf, type RedisRead, readOne, recordOf } from './redis-read.ts';

/** The list is trimmed to as many (WIRE.md). */
export const MAX_ALERTS = 100;

export interface Alerts {
  readonly feed: RedisRead<AlertFeed>;
  /** Throws `RedisError`. */
  read(signal?: AbortSignal): Promise<AlertFeed>;
  /**
   * Marks alerts as seen by `by`. Repeating it renews the acknowledgement. Throws `RedisError`.
   * One round trip, and another one where older acknowledgements are to be thrown away because they say nothing any more.
   */
  acknowledge(fingerprints: readonly string[], by: string): Promise<void>;
}

export function createAlerts(client: Redis, clock: Clock): Alerts {
  const feed: RedisRead<AlertFeed> = {
    keys: [],
    count: 2,
    commands: (pipeline) => {
      pipeline.lrange(KEY.alerts, 0, MAX_ALERTS - 1).hgetall(KEY.acked);
    },
    parse: (_strings, [entries, acked]) => parseAlerts(listOf(entries), recordOf(acked), clock.nowEpochMs()),
  };
  return {
    feed,
    read: (signal) => readOne(client, feed, signal),
    acknowledge: async (fingerprints, by) => {
      if (fingerprints.length === 0) return;
      const value = JSON.stringify({ by, at: new Date(clock.nowEpochMs()).toISOString() });
      const [, , entries, acked] = await client
        .pipeline()
        .hset(KEY.acked, Object.fromEntries(fingerprints.map((fingerprint) => [fingerprint, value])))
        .set(KEY.alertsMark, crypto.randomUUID())
        .lrange(KEY.alerts, 0, MAX_ALERTS - 1)
        .hgetall(KEY.acked)
        .exec();
      const outlived = outlivedAcknowledgements(listOf(entries), recordOf(acked), clock.nowEpochMs());
      // What was asked for is done; what stays behind is thrown away the next time.
      if (outlived.length > 0) await client.hdel(KEY.acked, ...outlived).catch(() => undefined);
    },
  };
}
