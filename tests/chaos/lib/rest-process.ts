/**
 * Supabase's REST API as a process that is started again when it dies: its Postgres client does not survive every cut
 * connection, as PostgREST itself does not survive everything.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/redis.ts';

export interface RestProcess {
  readonly url: string;
  readonly key: string;
  stop(): Promise<void>;
}

export async function startRestProcess(databaseUrl: string): Promise<RestProcess> {
  const script = fileURLToPath(new URL('../../support/rest-child.ts', import.meta.url));
  const port = await freePort();
  let isStopping = false;
  let child: ChildProcess;
  const start = () => {
    // Its client says on stderr that connections broke, which is the point of these experiments.
    child = spawn(process.execPath, [script, databaseUrl, String(port)], { stdio: ['pipe', 'pipe', 'ignore'] });
    child.once('exit', () => {
      if (!isStopping) setTimeout(() => (isStopping ? undefined : start()), 200);
    });
    return child;
  };
  const first = start();
  if (first.stdout === null) throw new Error('No output.');
  const [line] = await once(createInterface({ input: first.stdout }), 'line', { signal: AbortSignal.timeout(20_000) });
  return {
    ...(JSON.parse(String(line)) as { url: string; key: string }),
    stop: async () => {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
