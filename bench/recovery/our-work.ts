/** `email-ops work` as a process to be killed: our queue processor at its times, with its default settings. */
import { loadConfig } from '../../src/config.ts';
import { connectRedis } from '../../src/data/redis.ts';
import { connectSupabase } from '../../src/data/supabase.ts';
import { systemClock } from '../../src/domain/time.ts';
import { WORKER_TABLE } from '../../src/workers/registry.ts';
import { createScheduler } from '../../src/workers/scheduler.ts';
import type { WorkerSetting } from '../lib/worker-process.ts';

process.once('disconnect', () => process.exit(0));
const { restUrl, restKey, redisUrl, mailUrl } = JSON.parse(process.argv[2] ?? '{}') as WorkerSetting;
const config = loadConfig({});
if (!config.ok) throw new Error(config.problems.join('\n'));
const log = { info: () => undefined, warn: complain, error: complain };
const systems = {
  redis: connectRedis({ kind: 'tcp', url: redisUrl }),
  supabase: connectSupabase({ url: restUrl, serviceRoleKey: restKey }),
  emailFunction: { url: mailUrl, serviceRoleKey: restKey },
  settings: config.config.worker,
  clock: systemClock,
  log,
};
const scheduled = WORKER_TABLE.filter(({ name }) => name === 'queue-processor').map((row) => ({
  name: row.name,
  cron: row.cron,
  worker: row.create(systems),
}));
process.once('message', () => createScheduler(scheduled, log, { runAtStart: ['queue-processor'] }).start());
process.send?.('ready');

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
