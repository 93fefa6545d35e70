/** What a queue processor's run leaves behind: its record in `email:runs` and the day's counts, written in one command. */
import type { Redis } from '@upstash/redis';
import type { RunRecord } from '../domain/run.ts';
import { type Clock, nextUtcMidnightEpochMs } from '../domain/time.ts';
import { KEY } from './keys.ts';
import { formatRun, MAX_RUNS } from './runs.ts';

export interface RunRecorder {
  /** Not to be repeated when its answer is lost: it would count twice. Throws `RedisError`. */
  record(run: RunRecord): Promise<void>;
}

/** ARGV: processed, successful, failed, when the day ends (epoch ms), the record, how many records stay. */
const RECORD = `
if tonumber(ARGV[1]) > 0 then
  redis.pcall('HINCRBY', KEYS[1], 'processed', ARGV[1])
  redis.pcall('HINCRBY', KEYS[1], 'successful', ARGV[2])
  redis.pcall('HINCRBY', KEYS[1], 'failed', ARGV[3])
  redis.call('PEXPIREAT', KEYS[1], ARGV[4])
end
redis.call('LPUSH', KEYS[2], ARGV[5])
redis.call('LTRIM', KEYS[2], 0, ARGV[6] - 1)
return 1
`;

export function createRunRecorder(client: Redis, clock: Clock): RunRecorder {
  return {
    record: async (run) => {
      const { processed, successful, failed } = run;
      const dayEndsAt = nextUtcMidnightEpochMs(clock.nowEpochMs());
      const args = [processed, successful, failed, dayEndsAt, formatRun(run), MAX_RUNS].map(String);
      await client.eval<string[], unknown>(RECORD, [KEY.stats, KEY.runs], args);
    },
  };
}
