/** The records that workers leave of their runs, `email:runs`, newest first. */
import type { Redis } from '@upstash/redis';
import { z } from 'zod';
import type { RunFeed, RunRecord } from '../domain/run.ts';
import { KEY } from './keys.ts';
import { count, epochMs, lenient, parseEachJson } from './parse.ts';
import { listOf, type RedisRead, readOne } from './redis-read.ts';

/** What a screen shows; the list itself keeps more. */
export const SHOWN_RUNS = 50;
/** The list is trimmed to as many (WIRE.md). */
export const MAX_RUNS = 200;

export interface Runs {
  readonly feed: RedisRead<RunFeed>;
  /** Throws `RedisError`. */
  read(signal?: AbortSignal): Promise<RunFeed>;
  /** All that are kept. Throws `RedisError`. */
  all(): Promise<RunFeed>;
  /** Adds a record and trims the list, in one round trip. Throws `RedisError`. */
  append(run: RunRecord): Promise<void>;
}

export function createRuns(client: Redis): Runs {
  const feed: RedisRead<RunFeed> = {
    keys: [],
    count: 1,
    commands: (pipeline) => {
      pipeline.lrange(KEY.runs, 0, SHOWN_RUNS - 1);
    },
    parse: (_strings, [entries]) => {
      const { values, skipped } = parseEachJson(Run, listOf(entries));
      return { runs: values, skipped };
    },
  };
  return {
    feed,
    read: (signal) => readOne(client, feed, signal),
    all: async () => {
      const { values, skipped } = parseEachJson(Run, await client.lrange(KEY.runs, 0, MAX_RUNS - 1));
      return { runs: values, skipped };
    },
    append: async (run) => {
      await client
        .pipeline()
        .lpush(KEY.runs, formatRun(run))
        .ltrim(KEY.runs, 0, MAX_RUNS - 1)
        .exec();
    },
  };
}

/** The JSON of WIRE.md. */
export function formatRun({ startedAtEpochMs, error, ...run }: RunRecord): string {
  const startedAt = new Date(startedAtEpochMs).toISOString();
  return JSON.stringify({ ...run, startedAt, ...(error === null ? {} : { error }) });
}

const Run = z
  .object({
    id: z.string(),
    worker: z.string(),
    trigger: z.string().catch('unknown'),
    host: z.string().catch('unknown'),
    startedAt: epochMs,
    durationMs: count.catch(0),
    outcome: z.string(),
    processed: count.catch(0),
    successful: count.catch(0),
    failed: count.catch(0),
    error: lenient(z.string()),
  })
  .transform(({ startedAt, ...run }) => ({ ...run, startedAtEpochMs: startedAt }));
