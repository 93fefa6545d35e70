/**
 * Pushing alerts: the critical list, and beside it `email:alerts:seen`, a hash of ours that remembers what was pushed when and
 * how often it came up since. Both workers that raise alerts share it.
 */
import { z } from 'zod';
import { formatAlert } from '../domain/alert.ts';
import type { Admission, SeenAlert } from '../domain/alert-cooldown.ts';
import { MAX_ALERTS } from './alerts.ts';
import { KEY } from './keys.ts';
import { jsonOrUndefined } from './parse.ts';
import { type Pipeline, type RedisRead, recordOf } from './redis-read.ts';

const SEEN = 'email:alerts:seen';
/** Longer than the longest memory of a kind of alert, which is a day. */
const SEEN_TTL_SECONDS = 2 * 24 * 3_600;

/** What is known of the alerts that came up lately, by their keys. Entries that cannot be read count as never seen. */
export const seenAlerts: RedisRead<Readonly<Record<string, SeenAlert>>> = {
  keys: [],
  count: 1,
  commands: (pipeline) => {
    pipeline.hgetall(SEEN);
  },
  parse: (_strings, [reply]) => {
    const entries = Object.entries(recordOf(reply)).flatMap(([key, value]) => {
      const { data } = Seen.safeParse(jsonOrUndefined(value));
      return data === undefined ? [] : [[key, data] as const];
    });
    return Object.fromEntries(entries);
  },
};

/** Adds to a pipeline what an admission decided. Nothing raised and nothing to forget costs no command. */
export function pushAlerts(pipeline: Pipeline, { pushed, seen, forgotten }: Admission, atEpochMs: number): void {
  if (pushed.length > 0) {
    // The last argument ends up in front: the gravest, which the rules name first.
    const [first = '', ...rest] = pushed.map((alert) => formatAlert({ ...alert, atEpochMs })).reverse();
    pipeline.lpush(KEY.alerts, first, ...rest);
    pipeline.ltrim(KEY.alerts, 0, MAX_ALERTS - 1);
  }
  if (Object.keys(seen).length > 0) {
    pipeline.hset(SEEN, Object.fromEntries(Object.entries(seen).map(([key, value]) => [key, JSON.stringify(value)])));
    pipeline.expire(SEEN, SEEN_TTL_SECONDS);
  }
  if (forgotten.length > 0) pipeline.hdel(SEEN, ...forgotten);
}

const whole = z.number().int().nonnegative();

const Seen = z.object({ pushedAtEpochMs: whole, lastAtEpochMs: whole, count: whole });
