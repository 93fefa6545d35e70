/** The workers' side of the sandbox: what would be deployed at `EMAIL_WORKER_BASE_URL`, connected by the same environment. */
import { createClient } from '@supabase/supabase-js';
import { Receiver } from '@upstash/qstash';
import { Redis } from '@upstash/redis';
import { createLegacyWorker } from './legacy-worker.ts';

export interface MountedWorkers {
  fetch(request: Request): Promise<Response>;
  /** The schedules these workers need. */
  readonly scheduleIds: readonly string[];
  stop(): Promise<void>;
}

export function mountWorkers(options: {
  environment: Readonly<Record<string, string>>;
  log: (line: string) => void;
}): MountedWorkers {
  const { environment, log } = options;
  const setting = (name: string) => environment[name] ?? '';
  const fetch = createLegacyWorker({
    redis: new Redis({
      url: setting('KV_REST_API_URL'),
      token: setting('KV_REST_API_TOKEN'),
      enableTelemetry: false,
    }),
    supabase: createClient(setting('NEXT_PUBLIC_SUPABASE_URL'), setting('SUPABASE_SERVICE_ROLE_KEY'), {
      auth: { persistSession: false, autoRefreshToken: false },
    }),
    receiver: new Receiver({
      currentSigningKey: setting('QSTASH_CURRENT_SIGNING_KEY'),
      nextSigningKey: setting('QSTASH_NEXT_SIGNING_KEY'),
      devMode: false,
    }),
    baseUrl: setting('EMAIL_WORKER_BASE_URL'),
    callFunction: async (body) => {
      const response = await globalThis.fetch(`${setting('NEXT_PUBLIC_SUPABASE_URL')}/functions/v1/email`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${setting('SUPABASE_SERVICE_ROLE_KEY')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(15_000),
      });
      return { status: response.status, answer: (await response.json()) as Record<string, never> };
    },
    log,
  });
  return { fetch, scheduleIds: ['email-queue-processor', 'email-health-monitor'], stop: async () => undefined };
}
