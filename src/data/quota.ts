/** Provider quotas from the rows of `email_provider_quota`: a day is a row, a month the sum of its days (WIRE.md). */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import { isProvider, PROVIDERS, type Provider } from '../domain/email.ts';
import { KNOWN_LIMITS, type ProviderQuota } from '../domain/quota.ts';
import { type Clock, utcDay } from '../domain/time.ts';
import { count, epochMs, lenient, parseEach } from './parse.ts';
import { rowsOf } from './supabase.ts';

export interface QuotaReading {
  /** All four providers in their fixed order. */
  readonly quotas: readonly ProviderQuota[];
  readonly skipped: number;
}

export interface QuotaGateway {
  /** The current UTC day and month. Throws `FaultError`. */
  read(signal?: AbortSignal): Promise<QuotaReading>;
}

export function createQuota(client: SupabaseClient, clock: Clock): QuotaGateway {
  return {
    read: async (signal) => {
      const today = utcDay(clock.nowEpochMs());
      const query = client
        .from('email_provider_quota')
        .select('provider,date,emails_sent,daily_limit,monthly_limit,created_at,updated_at')
        .gte('date', `${today.slice(0, 7)}-01`)
        .lte('date', today)
        .order('date');
      const { values, skipped } = parseEach(QuotaRow, await rowsOf(query, signal));
      return { quotas: sumQuotaRows(values, today), skipped };
    },
  };
}

export interface QuotaRow {
  readonly provider: Provider;
  /** UTC day, `YYYY-MM-DD`. */
  readonly date: string;
  readonly emailsSent: number;
  readonly dailyLimit: number;
  readonly monthlyLimit: number;
  /** When the count last changed; absent where it was not asked for, or the row was only ever inserted. */
  readonly countedAtEpochMs?: number;
}

/** Day and month of each provider from the rows of one month, ascending by date. Limits are those of the newest row. */
export function sumQuotaRows(rows: readonly QuotaRow[], today: string): readonly ProviderQuota[] {
  return PROVIDERS.map((provider) => {
    const own = rows.filter((row) => row.provider === provider);
    const newest = own.at(-1);
    return {
      provider,
      day: {
        sent: own.find(({ date }) => date === today)?.emailsSent ?? 0,
        limit: newest?.dailyLimit ?? KNOWN_LIMITS[provider].daily,
      },
      month: {
        sent: own.reduce((sum, { emailsSent }) => sum + emailsSent, 0),
        limit: newest?.monthlyLimit ?? KNOWN_LIMITS[provider].monthly,
      },
      ...(newest?.countedAtEpochMs === undefined ? {} : { countedAtEpochMs: newest.countedAtEpochMs }),
    };
  });
}

/** The columns that count, of one row. */
export const QuotaRow = z
  .object({
    provider: z.string().refine(isProvider),
    date: z.string().regex(/^\d{4}-\d\d-\d\d/),
    emails_sent: count,
    daily_limit: count,
    monthly_limit: count,
    created_at: lenient(epochMs),
    updated_at: lenient(epochMs),
  })
  .transform((row) => ({
    provider: row.provider as Provider,
    date: row.date.slice(0, 10),
    emailsSent: row.emails_sent,
    dailyLimit: row.daily_limit,
    monthlyLimit: row.monthly_limit,
    ...changedAt(row.created_at, row.updated_at),
  }));

/** A row that was only ever inserted tells nothing of when its count was reached. */
function changedAt(createdAt: number | null, updatedAt: number | null): { countedAtEpochMs?: number } {
  return createdAt !== null && updatedAt !== null && updatedAt > createdAt ? { countedAtEpochMs: updatedAt } : {};
}
