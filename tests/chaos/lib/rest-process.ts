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
  /** As `notify pgrst, 'reload schema'`: one that began while functions were missing knows nothing of them. */
  reloadSchema(): void;
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 10_000;

export async function startRestProcess(databaseUrl: string): Promise<RestProcess> {
  const script = fileURLToPath(new URL('../../support/rest-child.ts', import.meta.url));
  const port = await freePort();
  let isStopping = false;
  let child: ChildProcess;
  const start = () => {
    // Its client says on stderr that connections broke, which is the point of these experiments.
    child = spawn(process.execPath, [script, databaseUrl, String(port)], { stdio: ['pipe', 'pipe', 'ignore'] });
    // Begun while its database was being cut off, it may wait for an answer that never comes.
    const started = child;
    const watchdog = setTimeout(() => started.kill('SIGKILL'), START_DEADLINE_MS);
    started.stdout?.once('data', () => clearTimeout(watchdog));
    const startAgain = () => {
      clearTimeout(watchdog);
      if (!isStopping) setTimeout(() => (isStopping ? undefined : start()), 200);
    };
    child.once('exit', startAgain);
    // The machine refused the process: nothing goes through until it does no more.
    child.once('error', startAgain);
    return child;
  };
  const first = start();
  if (first.stdout === null) throw new Error('No output.');
  const [line] = await once(createInterface({ input: first.stdout }), 'line', { signal: AbortSignal.timeout(20_000) });
  return {
    ...(JSON.parse(String(line)) as { url: string; key: string }),
    reloadSchema: () => void child.kill('SIGKILL'),
    stop: async () => {
      isStopping = true;
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
