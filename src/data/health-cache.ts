/** The cached health report and the last failure of the check (WIRE.md, Redis keys). */
import type { Redis } from '@upstash/redis';
import { z } from 'zod';
import type { HealthCache } from '../domain/health.ts';
import { parseHealth } from './health-report.ts';
import { KEY } from './keys.ts';
import { epochMs, jsonOrUndefined, lenient } from './parse.ts';
import { type RedisRead, readOne } from './redis-read.ts';

export interface HealthCacheGateway {
  readonly state: RedisRead<HealthCache>;
  /** Throws `RedisError`. */
  read(signal?: AbortSignal): Promise<HealthCache>;
}

export function createHealthCache(client: Redis): HealthCacheGateway {
  const state: RedisRead<HealthCache> = {
    keys: [KEY.healthLatest, KEY.healthError],
    count: 0,
    commands: () => undefined,
    parse: ([latest = null, error = null]) => {
      const health = latest === null ? null : parseHealth(jsonOrUndefined(latest));
      const lastError = error === null ? null : (CheckError.safeParse(jsonOrUndefined(error)).data ?? null);
      const unreadable = (latest !== null && health === null ? 1 : 0) + (error !== null && lastError === null ? 1 : 0);
      return { report: health?.report ?? null, lastError, skipped: unreadable + (health?.skipped ?? 0) };
    },
  };
  return { state, read: (signal) => readOne(client, state, signal) };
}

const CheckError = z
  .object({ error: z.string(), timestamp: lenient(epochMs) })
  .transform(({ error, timestamp }) => ({ message: error, atEpochMs: timestamp }));
