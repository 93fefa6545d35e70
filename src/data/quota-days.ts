/** The rows of `email_provider_quota` as the quota sync needs them: the last weeks read, missing days added, counts raised. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { Provider } from '../domain/email.ts';
import type { QuotaDay } from '../domain/quota-sync.ts';
import { parseEach } from './parse.ts';
import { QuotaRow } from './quota.ts';
import { answerOf, rowsOf } from './supabase.ts';

export interface QuotaDays {
  /** Rows of the days from `firstDay` to `lastDay`, ascending. Throws `FaultError`. */
  read(firstDay: string, lastDay: string, signal?: AbortSignal): Promise<readonly QuotaDay[]>;
  /** Adds rows; one that exists by now stays as it is. Throws `FaultError`. */
  insertMissing(rows: readonly QuotaDay[], signal?: AbortSignal): Promise<void>;
  /** Sets the count of a day where it is lower, in one statement: it never takes back what was counted meanwhile. */
  raise(provider: Provider, date: string, emailsSent: number, signal?: AbortSignal): Promise<void>;
}

const TABLE = 'email_provider_quota';

export function createQuotaDays(client: SupabaseClient): QuotaDays {
  return {
    read: async (firstDay, lastDay, signal) => {
      const query = client
        .from(TABLE)
        .select('provider,date,emails_sent,daily_limit,monthly_limit')
        .gte('date', firstDay)
        .lte('date', lastDay)
        .order('date');
      return parseEach(QuotaRow, await rowsOf(query, signal)).values;
    },
    insertMissing: async (rows, signal) => {
      const values = rows.map((row) => ({
        provider: row.provider,
        date: row.date,
        emails_sent: row.emailsSent,
        daily_limit: row.dailyLimit,
        monthly_limit: row.monthlyLimit,
      }));
      const options = { onConflict: 'provider,date', ignoreDuplicates: true };
      await answerOf(client.from(TABLE).upsert(values, options), signal);
    },
    raise: async (provider, date, emailsSent, signal) => {
      const query = client
        .from(TABLE)
        .update({ emails_sent: emailsSent, updated_at: new Date().toISOString() })
        .eq('provider', provider)
        .eq('date', date)
        .lt('emails_sent', emailsSent);
      await answerOf(query, signal);
    },
  };
}
