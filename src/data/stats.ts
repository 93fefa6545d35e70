/** The day's counts, `email:stats:daily`. The key ends at UTC midnight by itself; without it everything is zero. */
import type { Redis } from '@upstash/redis';
import type { DailyStats } from '../domain/run.ts';
import { KEY } from './keys.ts';
import { listOf, type RedisRead, readOne } from './redis-read.ts';

export interface Stats {
  readonly daily: RedisRead<DailyStats>;
  /** Throws `RedisError`. */
  read(signal?: AbortSignal): Promise<DailyStats>;
}

export function createStats(client: Redis): Stats {
  const daily: RedisRead<DailyStats> = {
    keys: [],
    count: 1,
    commands: (pipeline) => {
      pipeline.hmget(KEY.stats, 'processed', 'successful', 'failed');
    },
    parse: (_strings, [reply]) => {
      const [processed, successful, failed] = listOf(reply);
      return { processed: wholeNumber(processed), successful: wholeNumber(successful), failed: wholeNumber(failed) };
    },
  };
  return { daily, read: (signal) => readOne(client, daily, signal) };
}

function wholeNumber(value: unknown): number {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
}
