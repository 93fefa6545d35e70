/** The delivery log, `email_logs`: the newest attempts that reached a provider. */
import type { SupabaseClient } from '@supabase/supabase-js';
import type { DeliveryLog } from '../domain/email.ts';
import { type ParsedList, parseEach } from './parse.ts';
import { LogRow } from './queue-row.ts';
import { rowsOf } from './supabase.ts';

export interface LogFilter {
  readonly provider?: string;
  readonly status?: string;
  readonly sinceEpochMs?: number;
  /** 1–500, 50 unless told. */
  readonly limit?: number;
}

export interface Logs {
  /** Newest first. Throws `FaultError`. */
  list(filter?: LogFilter, signal?: AbortSignal): Promise<ParsedList<DeliveryLog>>;
}

/** Everything but `template_data`, which can be large. */
const COLUMNS =
  'id,recipient_email,email_type,subject,provider,provider_message_id,status,error_message,latency_ms,created_at';

export function createLogs(client: SupabaseClient): Logs {
  return {
    list: async ({ provider, status, sinceEpochMs, limit = 50 } = {}, signal) => {
      let query = client.from('email_logs').select(COLUMNS);
      if (provider !== undefined) query = query.eq('provider', provider);
      if (status !== undefined) query = query.eq('status', status);
      if (sinceEpochMs !== undefined) query = query.gte('created_at', new Date(sinceEpochMs).toISOString());
      const newest = query.order('created_at', { ascending: false }).limit(Math.min(500, Math.max(1, limit)));
      return parseEach(LogRow, await rowsOf(newest, signal));
    },
  };
}
