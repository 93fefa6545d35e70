/** pg-boss as a process that is measured: by default, or tuned so that it fetches as soon as a worker is free. */
import { PgBoss } from 'pg-boss';
import { type Email, sendEmail } from '../lib/send-email.ts';
import { drainOnce } from '../lib/worker-process.ts';

await drainOnce(async ({ count, concurrency, postgresUrl, mailUrl, variant }) => {
  const isTuned = variant === 'tuned';
  const often = { monitorIntervalSeconds: 1, superviseIntervalSeconds: 1, queueCacheIntervalSeconds: 1 };
  const boss = new PgBoss({ connectionString: postgresUrl, max: concurrency + 2, ...(isTuned ? often : {}) });
  boss.on('error', (error) => process.stderr.write(`pg-boss: ${error.message}\n`));
  await boss.start();
  const tuned = isTuned ? { pollingIntervalSeconds: 0.5, burstWhenReadyExceeds: 1 } : {};
  return {
    drain: async () => {
      const done = Promise.withResolvers<void>();
      let completed = 0;
      await boss.work<Email>('email', { localConcurrency: concurrency, batchSize: 1, ...tuned }, async (jobs) => {
        for (const { data } of jobs) await sendEmail(mailUrl, data);
        completed += jobs.length;
        if (completed === count) done.resolve();
      });
      await done.promise;
      // The last ones are written after their handler.
      await boss.offWork('email', { wait: true });
    },
    close: async () => process.exit(0),
  };
});
