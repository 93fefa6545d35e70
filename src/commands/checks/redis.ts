/** Doctor: is Redis there, does it take our token, may the token write, and what does its clock say? */
import type { RedisConnection } from '../../data/redis.ts';
import { type Check, clockOf, type GroupResult, notConfigured, probe } from './check.ts';

/** A key of our own that is gone by itself. */
const PROBE_KEY = 'email:ops:doctor';
const PROBE_SECONDS = 5;

export async function checkRedis(redis: RedisConnection | null, readOnly: boolean): Promise<GroupResult> {
  if (redis === null) return { checks: [notConfigured('KV_REST_API_URL and KV_REST_API_TOKEN, or REDIS_URL')] };
  const { client } = redis;
  const reached = await probe('reachable', () => client.time());
  if ('failed' in reached) return { checks: [reached.failed] };
  const [seconds, micros] = reached.value;
  const serverAtEpochMs = Number(seconds) * 1_000 + Number(micros) / 1_000;
  const checks: Check[] = [
    { name: 'reachable', state: 'ok', detail: 'answers, and takes our credentials', latencyMs: reached.latencyMs },
    readOnly ? { name: 'writable', state: 'skipped', detail: 'not tried: read-only' } : await checkWriting(redis),
  ];
  return { checks, clocks: [clockOf('Redis', serverAtEpochMs, reached)] };
}

async function checkWriting({ client }: RedisConnection): Promise<Check> {
  const written = await probe('writable', () => client.set(PROBE_KEY, '1', { ex: PROBE_SECONDS }));
  if ('failed' in written) return written.failed;
  return { name: 'writable', state: 'ok', detail: 'the token may write', latencyMs: written.latencyMs };
}
