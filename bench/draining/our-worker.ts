/** Our queue processor as a process that is measured: its queue, lock and email client are those of `email-ops work`. */
import { connectRedis } from '../../src/data/redis.ts';
import { connectSupabase } from '../../src/data/supabase.ts';
import { systemClock } from '../../src/domain/time.ts';
import { createWorkers } from '../../src/workers/registry.ts';
import { drainOnce } from '../lib/worker-process.ts';
import { connectDirectly } from './direct-postgres.ts';

const silent = { info: () => undefined, warn: complain, error: complain };

await drainOnce(async ({ concurrency, count, postgresUrl, restUrl, restKey, redisUrl, mailUrl, variant }) => {
  const { batchSize = 100, slots = 1, isShared = false, isDirect = false } = JSON.parse(variant || '{}') as OurVariant;
  const redis = connectRedis({ kind: 'tcp', url: redisUrl });
  const supabase = isDirect
    ? await connectDirectly(postgresUrl)
    : connectSupabase({ url: restUrl, serviceRoleKey: restKey });
  const workers = createWorkers({
    redis,
    supabase,
    emailFunction: { url: mailUrl, serviceRoleKey: restKey },
    // Only with the limit of a provider out of the way is the worker itself measured.
    settings: {
      batchSize,
      concurrency,
      slots,
      ratesPerSecond: { brevo: 1_000_000 },
      runBudgetMs: 240_000,
      lockTtlSeconds: 300,
    },
    clock: systemClock,
    log: silent,
  });
  await redis.client.ping();
  const run = () => workers['queue-processor'].run({ trigger: 'bench', signal: new AbortController().signal });
  return {
    drain: async () => {
      for (let sent = 0; sent < count; ) {
        const result = await run();
        sent += result.successful;
        if (isShared && result.successful === 0) return;
        if (result.successful === 0) throw new Error(result.message);
      }
    },
    requests: () => supabase.usage().requests,
    close: async () => {
      await Promise.all([redis.close(), supabase.close()]);
    },
  };
});

/** As JSON in the setting's `variant`. */
export interface OurVariant {
  readonly batchSize?: number;
  readonly slots?: number;
  /** Others drain as well: it ends when nothing is left. */
  readonly isShared?: boolean;
  /** Without the REST API. */
  readonly isDirect?: boolean;
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
