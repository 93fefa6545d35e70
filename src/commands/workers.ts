/** Workers for commands: made from the connected systems, logging to the terminal. */

import { cleanText } from '../domain/text.ts';
import type { Workers } from '../workers/registry.ts';
import type { Logger } from '../workers/worker.ts';
import { CommandError, EXIT } from './command.ts';
import type { Systems } from './connect.ts';
import type { Io, Output } from './io.ts';

/** All workers, or an error that says which variables they take. */
export async function openWorkers(systems: Systems, log: Logger): Promise<Workers> {
  const { redis, supabase, clock, config } = systems;
  const missing = missingFor(systems);
  if (redis === null || supabase === null || config.supabase === null) {
    throw new CommandError(`The workers need ${missing}. Set the variables, or none at all for the sandbox`, {
      exitCode: EXIT.unreachable,
    });
  }
  const { createWorkers } = await import('../workers/registry.ts');
  return createWorkers({ redis, supabase, emailFunction: config.supabase, settings: config.worker, clock, log });
}

/** Which systems the workers lack, in words; empty when they have all they need. */
export function missingFor({ redis, supabase }: Systems): string {
  const missing = [
    ...(redis === null ? ['Redis (KV_REST_API_URL and KV_REST_API_TOKEN, or REDIS_URL)'] : []),
    ...(supabase === null ? ['Supabase (NEXT_PUBLIC_SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY)'] : []),
  ];
  return missing.join(' and ');
}

/** Longer than any line of ours; errors from outside are cut before. */
const LONGEST_LINE = 4_000;

/** What goes well to stdout, the rest to stderr, each as one clean line: they carry errors from outside. Lines begin as WIRE.md has them; the journal adds the time. */
export function logTo({ stdout, stderr }: Pick<Io, 'stdout' | 'stderr'>): Logger {
  const line = (output: Output) => (text: string) => output.write(`${cleanText(text, LONGEST_LINE)}\n`);
  return { info: line(stdout), warn: line(stderr), error: line(stderr) };
}

/** Resolves when somebody wants the command to stop. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
