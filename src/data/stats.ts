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
      const counts = listOf(reply).map((value) => wholeNumber(value));
      const [processed, successful, failed] = counts.map((value) => value ?? 0);
      const skipped = counts.filter((value) => value === null).length;
      const read = { processed: processed ?? 0, successful: successful ?? 0, failed: failed ?? 0 };
      return skipped === 0 ? read : { ...read, skipped };
    },
  };
  return { daily, read: (signal) => readOne(client, daily, signal) };
}

/** Null for what is no count. */
function wholeNumber(value: unknown): number | null {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) && number >= 0 ? number : null;
}
