/**
 * graphile-worker as a process that is measured: by default, with its local queue and completions in batches, or so and with a
 * handler that logs each email, which is what ours does besides sending.
 */
import { type JobHelpers, Logger, run, runMigrations } from 'graphile-worker';
import { type Email, sendEmail } from '../lib/send-email.ts';
import { drainOnce } from '../lib/worker-process.ts';

await drainOnce(async ({ count, concurrency, postgresUrl, mailUrl, variant }) => {
  const logger = new Logger(() => () => undefined);
  const localQueue = variant.startsWith('local-queue') ? { localQueue: { size: 100 }, completeJobBatchDelay: 0 } : {};
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
      const send = (payload: unknown) => sendEmail(mailUrl, payload as Email);
      const sendAndLog = async (payload: unknown, { query }: JobHelpers) => {
        const { key, to, subject } = payload as Email;
        await sendEmail(mailUrl, { ...(payload as Email) });
        await query(
          'insert into email_logs (recipient_email, subject, provider, message_id, sent_at) values ($1, $2, $3, $4, now())',
          [to, subject, 'brevo', `<${key}@bench.test>`],
        );
      };
      const taskList = { email: variant === 'local-queue, log' ? sendAndLog : send };
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
