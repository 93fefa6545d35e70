/** One provider's days and failures, read from the plain tables when somebody opens its details. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { DETAIL_DAYS, MOST_FAILURES, type ProviderDetails } from '../domain/provider-details.ts';
import { type Clock, DAY_MS, utcDay } from '../domain/time.ts';
import { createLogs } from './logs.ts';
import { createQuotaDays } from './quota-days.ts';

export interface ProviderDetailsGateway {
  /** Three requests in parallel. Throws `FaultError`. */
  read(provider: string, signal?: AbortSignal): Promise<ProviderDetails>;
}

export function createProviderDetails(client: SupabaseClient, clock: Clock): ProviderDetailsGateway {
  const days = createQuotaDays(client);
  const logs = createLogs(client);
  return {
    read: async (provider, signal) => {
      const now = clock.nowEpochMs();
      const failuresOf = (status: string) =>
        logs.list({ provider, status, sinceEpochMs: now - DAY_MS, limit: MOST_FAILURES }, signal);
      const [rows, failed, bounced] = await Promise.all([
        days.read(utcDay(now - (DETAIL_DAYS - 1) * DAY_MS), utcDay(now), signal),
        failuresOf('failed'),
        failuresOf('bounced'),
      ]);
      return {
        days: rows.filter((row) => row.provider === provider),
        failures: [...failed.values, ...bounced.values]
          .sort((a, b) => b.createdAtEpochMs - a.createdAtEpochMs)
          .slice(0, MOST_FAILURES),
      };
    },
  };
}
