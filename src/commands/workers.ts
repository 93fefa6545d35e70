/** Workers for commands: made from the connected systems, logging to the terminal. */

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

/** What goes well to stdout, the rest to stderr. Lines begin as WIRE.md has them; the journal adds the time. */
export function logTo({ stdout, stderr }: Pick<Io, 'stdout' | 'stderr'>): Logger {
  const line = (output: Output) => (text: string) => output.write(`${text}\n`);
  return { info: line(stdout), warn: line(stderr), error: line(stderr) };
}

/** Resolves when somebody wants the command to stop. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
