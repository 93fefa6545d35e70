/** The queue processor as a process of this machine: `queue-worker.ts` with its host name and process id. */
import { hostname } from 'node:os';
import type { QueueProcessorOptions, QueueProcessorPorts } from './queue-processor-ports.ts';
import { createQueueWorker } from './queue-worker.ts';
import type { Worker } from './worker.ts';

export function createQueueProcessor(ports: QueueProcessorPorts, options: QueueProcessorOptions): Worker {
  return createQueueWorker(ports, options, { name: hostname(), pid: process.pid });
}
