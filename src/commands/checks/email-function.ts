/** Doctor: does the email function answer, and what does it say of its providers? */
import type { Config } from '../../config.ts';
import { createEmailFunction } from '../../data/email-function.ts';
import type { ProviderHealth } from '../../domain/health.ts';
import { type Check, type GroupResult, notConfigured, probe } from './check.ts';

export async function checkEmailFunction({ supabase }: Config, signal: AbortSignal): Promise<GroupResult> {
  if (supabase === null) return { checks: [notConfigured('NEXT_PUBLIC_SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY')] };
  const reached = await probe('reachable', () => createEmailFunction(supabase).health('ping', signal));
  if ('failed' in reached) return { checks: [reached.failed] };
  const { report } = reached.value;
  return {
    checks: [
      { name: 'reachable', state: 'ok', detail: 'answers, and takes our key', latencyMs: reached.latencyMs },
      ...report.providers.map(checkProvider),
    ],
  };
}

function checkProvider({ provider, status, message, latencyMs }: ProviderHealth): Check {
  const said = message === null ? '' : `: ${message}`;
  const took = latencyMs === null ? {} : { latencyMs };
  switch (status) {
    case 'ok':
      return { name: provider, state: 'ok', detail: 'ok', ...took };
    case 'unconfigured':
      return { name: provider, state: 'skipped', detail: 'not configured in the email function' };
    case 'degraded':
      return { name: provider, state: 'warning', detail: `degraded${said}`, ...took };
    case 'error':
      return {
        name: provider,
        state: 'failed',
        detail: `down${said}`,
        remedy: 'Look at its status page, and at its key in the secrets of the email function.',
        ...took,
      };
    default:
      return status satisfies never;
  }
}
