/** graphile-worker as a process that is measured: by default, or with its local queue and completions in batches. */
import { Logger, run, runMigrations } from 'graphile-worker';
import { type Email, sendEmail } from '../lib/send-email.ts';
import { drainOnce } from '../lib/worker-process.ts';

await drainOnce(async ({ count, concurrency, postgresUrl, mailUrl, variant }) => {
  const logger = new Logger(() => () => undefined);
  const localQueue = variant === 'local-queue' ? { localQueue: { size: 100 }, completeJobBatchDelay: 0 } : {};
  const preset = {
    worker: {
      connectionString: postgresUrl,
      concurrentJobs: concurrency,
      maxPoolSize: concurrency + 2,
      logger,
      ...localQueue,
    },
  };
  await runMigrations({ preset });
  return {
    drain: async () => {
      const done = Promise.withResolvers<void>();
      let completed = 0;
      const taskList = { email: (payload: unknown) => sendEmail(mailUrl, payload as Email) };
      const runner = await run({ preset, taskList, noHandleSignals: true } as Parameters<typeof run>[0]);
      runner.events.on('job:complete', () => {
        completed += 1;
        if (completed === count) done.resolve();
      });
      await done.promise;
      // Writes what it has not written yet.
      await runner.stop();
    },
    close: async () => process.exit(0),
  };
});
