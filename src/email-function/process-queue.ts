/**
 * The `process-queue` action: our own queue processor inside the function, by the same rules of claiming and finishing, and under
 * the same lock, because a pause must hold every worker. Its sends don't go out to the function and back: the handler is asked.
 */

import { createCountSentToday } from '../data/day-counts.ts';
import { createEmailFunction } from '../data/email-function.ts';
import { createOverview } from '../data/overview.ts';
import { createProviderGateway } from '../data/providers.ts';
import { createQueue } from '../data/queue.ts';
import { createQueueLock } from '../data/queue-lock.ts';
import { openConnection } from '../data/redis-connection.ts';
import { createRunRecorder } from '../data/run-recorder.ts';
import type { SupabaseConnection } from '../data/supabase.ts';
import type { Clock } from '../domain/time.ts';
import type { QueueProcessorPorts } from '../workers/queue-processor-ports.ts';
import { createQueueWorker } from '../workers/queue-worker.ts';
import type { Handler, HandlerParts, ProcessQueue } from './handler.ts';
import type { Environment } from './settings.ts';

export interface QueueProcessingParts {
  /** The function itself. */
  readonly handler: Handler;
  /** One that it accepts. */
  readonly key: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly read: Environment;
  readonly supabase: SupabaseConnection;
}

/** The platform ends a request after 150 s on its smallest plan; what is in flight by then must be over. */
const RUN_BUDGET_MS = 110_000;
const DEFAULTS = { batchSize: 100, concurrency: 10 } as const;

/** Without Redis there is no lock to keep to, so there is no processing: the answer says so. */
export function createQueueProcessing(parts: QueueProcessingParts): HandlerParts['processQueue'] {
  const url = parts.read('KV_REST_API_URL') ?? '';
  const token = parts.read('KV_REST_API_TOKEN') ?? '';
  if (url === '' || token === '') {
    return {
      missing:
        'process-queue keeps to the queue lock and to pauses, which are in Redis. Set the secrets KV_REST_API_URL and KV_REST_API_TOKEN, or run a worker: email-ops work',
    };
  }
  const processQueue: ProcessQueue = async ({ batchSize, concurrency, signal }) => {
    const redis = openConnection({ kind: 'rest', url, token }, {}, null);
    const { supabase, clock, log } = parts;
    const mail = createEmailFunction({
      url: 'http://email-function.internal',
      serviceRoleKey: parts.key,
      fetch: (input, init) => parts.handler(new Request(input, init)),
    });
    const ports: QueueProcessorPorts = {
      queue: createQueue(supabase.client),
      overview: createOverview(supabase.client, clock),
      lock: createQueueLock(redis.client, clock, slotsOf(parts.read)),
      mail,
      providers: createProviderGateway(supabase.client),
      recorder: createRunRecorder(redis.client, clock, createCountSentToday(supabase.client, clock)),
      clock,
      logger: { info: log, warn: log, error: log },
    };
    const worker = createQueueWorker(
      ports,
      {
        batchSize: batchSize ?? DEFAULTS.batchSize,
        concurrency: concurrency ?? DEFAULTS.concurrency,
        runBudgetMs: RUN_BUDGET_MS,
        lockTtlSeconds: 300,
      },
      { name: 'email-function', pid: 0 },
    );
    try {
      const { outcome, message, processed, successful, failed, durationMs } = await worker.run({
        trigger: 'email-function',
        signal,
      });
      return { ok: outcome !== 'failed', body: { message, processed, successful, failed, durationMs } };
    } finally {
      await redis.close();
    }
  };
  return processQueue;
}

function slotsOf(read: Environment): number {
  const slots = Number(read('EMAIL_WORKER_SLOTS') ?? 1);
  return Number.isInteger(slots) && slots >= 1 && slots <= 16 ? slots : 1;
}
