/** The worker that is deployed today, on the same counted systems, called as QStash calls it. It has no quota sync and no console. */
import { createClient } from '@supabase/supabase-js';
import type { Receiver } from '@upstash/qstash';
import { createLegacyWorker } from '../../tests/support/legacy-worker.ts';
import type { World } from './world.ts';

export type LegacyJob = 'queue-processor' | 'health-monitor';

export function openLegacy({ redis, functionUrl, serviceKey }: World): (job: LegacyJob) => Promise<void> {
  const supabase = createClient(functionUrl, serviceKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  });
  const call = createLegacyWorker({
    redis: redis.client,
    supabase,
    // Who calls is not what is measured.
    receiver: { verify: async () => true } as unknown as Receiver,
    baseUrl: 'https://example.org',
    callFunction: async (body) => {
      const response = await fetch(`${functionUrl}/functions/v1/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${serviceKey}`, apikey: serviceKey },
        body: JSON.stringify(body),
      });
      return { status: response.status, answer: (await response.json()) as { success?: boolean } };
    },
    log: () => undefined,
  });
  return async (job) => {
    const request = new Request(`https://example.org/api/email/worker/${job}`, {
      method: 'POST',
      headers: { 'upstash-signature': 'signed' },
      body: '{}',
    });
    const response = await call(request);
    if (!response.ok) throw new Error(`The legacy ${job} answered ${response.status}.`);
  };
}
