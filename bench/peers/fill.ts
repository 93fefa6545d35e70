/** Empties a peer's queue and fills it: `node fill.ts '<setting>'`, whose `variant` names the peer. Ends when that is done. */
import { Queue } from 'bullmq';
import { Logger, makeWorkerUtils } from 'graphile-worker';
import { PgBoss } from 'pg-boss';
import { type Email, emailNumber } from '../lib/send-email.ts';
import type { WorkerSetting } from '../lib/worker-process.ts';

const { variant, count, postgresUrl, redisUrl } = JSON.parse(process.argv[2] ?? '{}') as WorkerSetting;
const emails: readonly Email[] = Array.from({ length: count }, (_, n) => emailNumber(n));

const FILL: Readonly<Record<string, () => Promise<void>>> = {
  graphile: async () => {
    const utils = await makeWorkerUtils({ connectionString: postgresUrl, logger: new Logger(() => () => undefined) });
    await utils.migrate();
    await utils.withPgClient(async (client) => {
      await client.query('delete from graphile_worker._private_jobs');
      await client.query('drop table if exists email_logs');
      await client.query(
        `create table email_logs (id uuid primary key default gen_random_uuid(), recipient_email text, subject text,
           provider text, message_id text, sent_at timestamptz)`,
      );
    });
    await utils.addJobs(emails.map((payload) => ({ identifier: 'email', payload })));
    await utils.release();
  },
  'pg-boss': async () => {
    const boss = new PgBoss({ connectionString: postgresUrl, supervise: false, schedule: false });
    await boss.start();
    await boss.createQueue('email');
    await boss.deleteAllJobs('email');
    await boss.insert(
      'email',
      emails.map((data) => ({ data })),
    );
    await boss.stop();
  },
  bullmq: async () => {
    const { hostname: host, port } = new URL(redisUrl);
    const queue = new Queue('email', { connection: { host, port: Number(port) } });
    await queue.obliterate({ force: true });
    await queue.addBulk(emails.map((data) => ({ name: 'email', data })));
    await queue.close();
  },
};

await FILL[variant]?.();
process.exit(0);
