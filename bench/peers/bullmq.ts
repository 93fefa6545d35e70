/** BullMQ as a process that is measured. */
import { Worker } from 'bullmq';
import { type Email, sendEmail } from '../lib/send-email.ts';
import { drainOnce } from '../lib/worker-process.ts';

await drainOnce(async ({ count, concurrency, redisUrl, mailUrl }) => {
  const { hostname: host, port } = new URL(redisUrl);
  return {
    drain: async () => {
      const done = Promise.withResolvers<void>();
      let completed = 0;
      const worker = new Worker<Email>('email', (job) => sendEmail(mailUrl, job.data), {
        connection: { host, port: Number(port), maxRetriesPerRequest: null },
        concurrency,
      });
      worker.on('error', (error) => process.stderr.write(`BullMQ: ${error.message}\n`));
      worker.on('completed', () => {
        completed += 1;
        if (completed === count) done.resolve();
      });
      await done.promise;
    },
    close: async () => process.exit(0),
  };
});
