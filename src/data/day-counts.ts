/**
 * The day's counts, `email:stats:daily`, held to what the logs say. A run that is killed never reports its counts, and a Redis
 * that comes back empty has forgotten them; the logs have every delivery, also those of legacy workers.
 */
import type { SupabaseClient } from '@supabase/supabase-js';
import { type Clock, nextUtcMidnightEpochMs, utcMidnightEpochMs } from '../domain/time.ts';
import { countOf } from './supabase.ts';

/** How many emails were sent since UTC midnight. Throws `FaultError`. */
export type CountSentToday = (signal?: AbortSignal) => Promise<number>;

export function createCountSentToday(client: SupabaseClient, clock: Clock): CountSentToday {
  return (signal) => {
    const sinceIso = new Date(utcMidnightEpochMs(clock.nowEpochMs())).toISOString();
    const sent = client
      .from('email_logs')
      .select('id', { head: true, count: 'exact' })
      .in('status', ['sent', 'delivered'])
      .gte('created_at', sinceIso);
    return countOf(sent, signal);
  };
}

/** When the counts end by themselves, as `PEXPIREAT` takes it. */
export function dayEndsAt(clock: Clock): string {
  return String(nextUtcMidnightEpochMs(clock.nowEpochMs()));
}

/** KEYS: the counts. ARGV: how many the logs say were sent, when the day ends (epoch ms). */
export const CORRECT_DAY = `
local sent = tonumber(ARGV[1])
local known = redis.pcall('HMGET', KEYS[1], 'successful', 'failed')
if known.err or (tonumber(known[1]) or 0) == sent then return 0 end
redis.call('HSET', KEYS[1], 'successful', sent, 'processed', sent + (tonumber(known[2]) or 0))
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return 1
`;
