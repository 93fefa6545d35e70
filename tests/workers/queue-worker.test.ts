/** The life of a run around its lock, with a Redis that is away. */
import { expect, it } from 'vitest';
import type { QueueProcessorPorts } from '../../src/workers/queue-processor-ports.ts';
import { createQueueWorker } from '../../src/workers/queue-worker.ts';
import { manualClock } from '../support/clock.ts';

it('says once why Redis cannot be reached, and claims no lock that it never saw', async () => {
  const log: string[] = [];
  const write = (line: string) => log.push(line);
  const away = () => Promise.reject(new Error('Redis is not reachable (ECONNREFUSED).'));
  const ports = {
    lock: { acquire: away, renew: away, release: away },
    recorder: { record: async () => undefined },
    clock: manualClock(0),
    logger: { info: write, warn: write, error: write },
  } as unknown as QueueProcessorPorts;
  const options = { batchSize: 100, concurrency: 10, runBudgetMs: 240_000, lockTtlSeconds: 300 };
  const worker = createQueueWorker(ports, options, { name: 'web-1', pid: 7 });

  const result = await worker.run({ trigger: 'cli', signal: new AbortController().signal });

  expect(result).toMatchObject({ outcome: 'failed', message: 'Redis is not reachable (ECONNREFUSED).' });
  expect(log).toEqual([
    '[email-worker] Redis is not reachable (ECONNREFUSED).',
    '[email-worker] Should the lock have been taken all the same, it ends by itself.',
  ]);
});
