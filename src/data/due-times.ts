/**
 * When each worker is due next, for the one-tick mode: the hash `email:workers:due`, ours, worker → epoch ms. Taking what is due
 * moves its time on in the same step, so two ticks at once never run the same worker twice, and a missed tick loses nothing.
 */
import type { Redis } from '@upstash/redis';
import type { WorkerName } from '../domain/run.ts';
import { KEY } from './keys.ts';
import { listOf } from './redis-read.ts';

export interface DueTimes {
  /**
   * Which of the workers are due by `untilEpochMs`; a worker that was never run is. Their times move on to `nextEpochMs` in the
   * same step. Throws `RedisError`.
   */
  take(
    untilEpochMs: number,
    workers: readonly { readonly name: WorkerName; readonly nextEpochMs: number }[],
  ): Promise<readonly WorkerName[]>;
  /** Sets when workers are due, once their runs are over. Throws `RedisError`. */
  set(times: Readonly<Partial<Record<WorkerName, number>>>): Promise<void>;
}

/** ARGV: until, then name and next time of each worker. Answers the names that were due. */
const TAKE = `
local taken = {}
for index = 2, #ARGV, 2 do
  local due = tonumber(redis.call('HGET', KEYS[1], ARGV[index]) or '0') or 0
  if due <= tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
    taken[#taken + 1] = ARGV[index]
  end
end
return taken
`;

export function createDueTimes(redis: Redis): DueTimes {
  return {
    take: async (untilEpochMs, workers) => {
      const args = [untilEpochMs, ...workers.flatMap(({ name, nextEpochMs }) => [name, nextEpochMs])].map(String);
      const taken = listOf(await redis.eval<string[], unknown>(TAKE, [KEY.due], args));
      return workers.map(({ name }) => name).filter((name) => taken.includes(name));
    },
    set: async (times) => {
      const fields = Object.entries(times).map(([name, epochMs]) => [name, String(epochMs)]);
      if (fields.length > 0) await redis.hset(KEY.due, Object.fromEntries(fields));
    },
  };
}
