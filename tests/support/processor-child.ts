/**
 * A queue processor in a process of its own: `node processor-child.ts '<json>'` with the addresses of a mail stack and options.
 * Runs again and again until the queue has nothing due, says each result as a line of JSON, and drains on SIGTERM.
 */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createProcessor, type ProcessorChild } from './mail-stack.ts';

const { stack, options, isForever = false } = JSON.parse(process.argv[2] ?? '{}') as ProcessorChild;
const told = new AbortController();
process.once('SIGTERM', () => told.abort());
const say = (value: unknown) => writeSync(1, `${JSON.stringify(value)}\n`);

const processor = createProcessor(stack, options);
say({ begins: process.pid });
for (;;) {
  const result = await processor.run({
    trigger: 'child',
    signal: told.signal,
    onProgress: (progress) => (progress.processed % 25 === 0 ? say({ progress }) : undefined),
  });
  say({ result, log: processor.log });
  const isIdle = result.outcome === 'ok' && result.processed === 0;
  if (told.signal.aborted || (isIdle && !isForever)) break;
  if (result.processed === 0) await delay(50);
}
await processor.close();
