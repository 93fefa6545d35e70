/** What a queue processor's run leaves behind: its record in `email:runs` and the day's counts, written in one command. */
import type { Redis } from '@upstash/redis';
import type { RunRecord } from '../domain/run.ts';
import type { Clock } from '../domain/time.ts';
import { type CountSentToday, dayEndsAt } from './day-counts.ts';
import { KEY } from './keys.ts';
import { formatRun, MAX_RUNS } from './runs.ts';

export interface RunRecorder {
  /** A run that is recorded already is not recorded or counted again. Throws `RedisError`. */
  record(run: RunRecord): Promise<void>;
}

/**
 * KEYS: the counts, the records, the mark. ARGV: processed, successful, failed, when the day ends (epoch ms), the record, how
 * many records stay, what the logs say was sent today or nothing, the run's id. The logs know of runs that were killed; a count is never lowered here, because it may be the older one.
 */
const RECORD = `
for _, known in ipairs(redis.call('LRANGE', KEYS[2], 0, ARGV[6] - 1)) do
  if known == ARGV[5] then return 0 end
end
if tonumber(ARGV[1]) > 0 then
  redis.pcall('HINCRBY', KEYS[1], 'processed', ARGV[1])
  redis.pcall('HINCRBY', KEYS[1], 'failed', ARGV[3])
  local before = redis.pcall('HGET', KEYS[1], 'successful')
  local logged = tonumber(ARGV[7])
  if logged and type(before) ~= 'table' then
    before = tonumber(before) or 0
    local more = math.max(logged - before, 0)
    redis.pcall('HINCRBY', KEYS[1], 'successful', more)
    redis.pcall('HINCRBY', KEYS[1], 'processed', more - ARGV[2])
  else
    redis.pcall('HINCRBY', KEYS[1], 'successful', ARGV[2])
  end
  redis.call('PEXPIREAT', KEYS[1], ARGV[4])
end
redis.call('LPUSH', KEYS[2], ARGV[5])
redis.call('LTRIM', KEYS[2], 0, ARGV[6] - 1)
redis.call('SET', KEYS[3], ARGV[8])
return 1
`;

/** Without `countSent` a run adds its own count to the day's. */
export function createRunRecorder(client: Redis, clock: Clock, countSent?: CountSentToday): RunRecorder {
  return {
    record: async (run) => {
      const { processed, successful, failed } = run;
      const logged = processed === 0 ? null : await countSent?.().catch(() => null);
      const args = [
        processed,
        successful,
        failed,
        dayEndsAt(clock),
        formatRun(run),
        MAX_RUNS,
        logged ?? '',
        run.id,
      ].map(String);
      await client.eval<string[], unknown>(RECORD, [KEY.stats, KEY.runs, KEY.runsMark], args);
    },
  };
}
