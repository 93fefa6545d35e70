/** The sandbox process: started by `launcher.ts`, which it tells how far it is; ends when nobody needs it, its starter included, or on SIGTERM. */
import { mkdirSync } from 'node:fs';
import { systemClock } from '../domain/time.ts';
import { FolderInUse, lockFolder } from './folder-lock.ts';
import { removeHandle, writeHandle } from './handle.ts';
import { IN_USE_EXIT_CODE, type MainMessage, SCENARIOS, type ScenarioName } from './launcher.ts';
import { startStack } from './stack.ts';

const [folder = '', scenario = '', speed = '1'] = process.argv.slice(2);
// Its output is a log file; a starter that died meanwhile must not take it down.
const log = (line: string) => process.stdout.write(`${new Date().toISOString()} ${line}\n`);
const tell = (message: MainMessage) => {
  // It may have hung up at this moment: 'disconnect' tells, and an error would only kill us.
  if (process.connected) process.send?.(message, () => undefined);
};

await main();

async function main(): Promise<void> {
  // The data of Postgres and Redis too, whatever these would give others.
  process.umask(0o077);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  using _lock = takeFolder();
  const stopRequested = Promise.withResolvers<string>();
  const starting = new AbortController();
  const stop = (why: string) => {
    stopRequested.resolve(why);
    starting.abort();
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
  // Our starter hangs up when it knows that we are ready; before that, because it was told to stop, or died.
  const onHangUp = () => stop('its starter is gone');
  process.once('disconnect', onHangUp);
  if (!process.connected) onHangUp();
  try {
    const stack = await startStack({
      folder,
      scenario: isScenario(scenario) ? scenario : 'calm',
      speed: Number(speed),
      seed: process.env.SANDBOX_SEED ?? 'email-ops',
      clock: systemClock,
      onProgress: (progress) => tell({ kind: 'progress', progress }),
      onAbandoned: () => stop('nobody is attached'),
      signal: starting.signal,
      log,
      withHistory: process.env.SANDBOX_HISTORY !== '0',
      ...(process.env.SANDBOX_SMTP_URL === undefined ? {} : { smtpUrl: process.env.SANDBOX_SMTP_URL }),
    });
    process.off('disconnect', onHangUp);
    writeHandle(folder, stack.handle);
    tell({ kind: 'ready' });
    log(`ready at ${stack.handle.url}`);
    log(`stopping: ${await stopRequested.promise}`);
    removeHandle(folder);
    await stack.stop();
    log('stopped');
  } catch (error) {
    reportFailure(error, starting.signal.aborted ? await stopRequested.promise : null);
  }
  // Wasm Postgres and idle sockets would keep the process for a while; all that matters is closed.
  setTimeout(() => process.exit(), 200).unref();
}

/** A start that was told to stop did not fail, and whoever told it is not listening any more. */
function reportFailure(error: unknown, whyStopped: string | null): void {
  if (whyStopped !== null) {
    log(`stopped while starting: ${whyStopped}`);
    return;
  }
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}

function takeFolder(): Disposable {
  try {
    return lockFolder(folder);
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw error;
    tell({ kind: 'in-use' });
    log(error.message);
    process.exit(IN_USE_EXIT_CODE);
  }
}

function isScenario(name: string): name is ScenarioName {
  return (SCENARIOS as readonly string[]).includes(name);
}
