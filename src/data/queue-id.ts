/** Short ids: the beginning of a queue row's id, as a narrow table shows it, back to the whole id. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import { rowsOf } from './supabase.ts';

/** Fewer digits would match too much to mean one row. */
export const SHORTEST_ID = 4;
const MOST_MATCHES = 5;

const Row = z.object({ id: z.string() });

/** Whether ids can be looked for by it: at least four hexadecimal digits, at most a whole id, dashes or not. */
export function isIdBeginning(start: string): boolean {
  const digits = digitsOf(start);
  return /^[0-9a-f]+$/.test(digits) && digits.length >= SHORTEST_ID && digits.length <= 32;
}

/** Ids that begin like `start` (hexadecimal, dashes optional), at most five. Throws `FaultError`. */
export async function idsBeginning(
  client: SupabaseClient,
  start: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (!isIdBeginning(start)) return [];
  const digits = digitsOf(start);
  // A range, because a uuid has no LIKE; the primary key answers it.
  const query = client
    .from('email_queue')
    .select('id')
    .gte('id', uuidOf(digits.padEnd(32, '0')))
    .lte('id', uuidOf(digits.padEnd(32, 'f')))
    .limit(MOST_MATCHES);
  return z
    .array(Row)
    .parse(await rowsOf(query, signal))
    .map(({ id }) => id);
}

function digitsOf(start: string): string {
  return start.toLowerCase().replaceAll('-', '');
}

function uuidOf(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
