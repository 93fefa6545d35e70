/**
 * PostgreSQL without the REST API, for comparison only: answers the requests of our queue processor from a connection of its own.
 * What it does not know of is refused, so nothing is measured that was not done.
 */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseConnection } from '../../src/data/supabase.ts';
import { connect, type Sql } from '../../tests/support/postgres.ts';

const TYPES: Readonly<Record<string, string>> = {
  p_worker: 'text',
  p_limit: 'int',
  p_lease_seconds: 'int',
  p_results: 'jsonb',
  p_ids: 'uuid[]',
  p_retry_at: 'timestamptz',
  p_note: 'text',
  p_providers: 'text[]',
};

export async function connectDirectly(url: string): Promise<SupabaseConnection> {
  const sql = connect(url);
  await sql`select 1`;
  let requests = 0;
  const client = createClient('http://postgres.test', 'sb_secret_direct', {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: {
      fetch: async (input, init) => {
        requests += 1;
        const { pathname, searchParams } = new URL(String(input));
        const name = /^\/rest\/v1\/rpc\/(\w+)$/.exec(pathname)?.[1];
        if (name !== undefined) return call(sql, name, JSON.parse(String(init?.body ?? '{}')));
        if (pathname === '/rest/v1/email_logs') return countLogs(sql, searchParams);
        return Response.json({ message: `not answered directly: ${pathname}` }, { status: 501 });
      },
    },
  });
  return { client, usage: () => ({ requests }), close: () => sql.end() };
}

/** Every function of ours answers with one JSON value. */
async function call(sql: Sql, name: string, parameters: Readonly<Record<string, unknown>>): Promise<Response> {
  const names = Object.keys(parameters);
  const list = names.map((each, index) => `${each} => $${index + 1}::${TYPES[each]}`).join(', ');
  const values = names.map((each) =>
    TYPES[each] === 'jsonb' ? sql.json(parameters[each] as never) : parameters[each],
  );
  const rows = await sql.unsafe(`select ${name}(${list})::text as answer`, values as never[], { prepare: true });
  return new Response(rows[0]?.answer ?? 'null', { headers: { 'content-type': 'application/json' } });
}

/** What was sent since the beginning of the day. */
async function countLogs(sql: Sql, parameters: URLSearchParams): Promise<Response> {
  const since = (parameters.get('created_at') ?? '').replace(/^gte\./, '');
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from email_logs where status in ('sent', 'delivered') and created_at >= ${since}`;
  return new Response(null, { headers: { 'content-range': `*/${row?.n ?? 0}` } });
}
