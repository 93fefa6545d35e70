/** The hand-written worker of the customer's document as a process that is measured: run after run without a pause, until nothing is left. */
import { createClient } from '@supabase/supabase-js';
import { connectRedis } from '../../src/data/redis.ts';
import { processLegacyQueue } from '../../tests/support/legacy-worker.ts';
import { drainOnce } from '../lib/worker-process.ts';

await drainOnce(async ({ count, restUrl, restKey, redisUrl, mailUrl }) => {
  const redis = connectRedis({ kind: 'tcp', url: redisUrl });
  let requests = 0;
  const supabase = createClient(restUrl, restKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: {
      fetch: (input, init) => {
        requests += 1;
        return fetch(input, init);
      },
    },
  });
  const callFunction = async (body: Record<string, unknown>) => {
    const response = await fetch(`${mailUrl}/functions/v1/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${restKey}`, apikey: restKey },
      body: JSON.stringify(body),
    });
    return { status: response.status, answer: (await response.json()) as { success?: boolean } };
  };
  return {
    drain: async () => {
      for (let sent = 0; sent < count; ) {
        const { successful } = await processLegacyQueue({
          redis: redis.client,
          supabase,
          callFunction,
          log: () => undefined,
        });
        if (!successful) throw new Error('The hand-written worker sent nothing.');
        sent += Number(successful);
      }
    },
    requests: () => requests,
    close: () => redis.close(),
  };
});
