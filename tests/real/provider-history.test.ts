/** The history gateway on a real PostgreSQL behind a PostgREST-compatible server, with and without our migration. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProviderHistory } from '../../src/data/provider-history.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, systemClock } from '../../src/domain/time.ts';
import {
  applyMigrations,
  isPostgresMissing,
  migrationFiles,
  type PostgresCluster,
  startPostgres,
} from '../support/postgres.ts';
import { type RestServer, serveRest } from '../support/rest.ts';

describe.skipIf(isPostgresMissing())('the history of the providers', () => {
  let cluster: PostgresCluster;
  const sites: { rest: RestServer; supabase: SupabaseConnection }[] = [];

  beforeAll(async () => {
    cluster = await startPostgres();
    for (const files of [migrationFiles(), migrationFiles().slice(0, 1)]) {
      const { sql, url } = await cluster.createDatabase();
      await applyMigrations(sql, files);
      await sql`
        insert into email_logs (recipient_email, email_type, provider, status, latency_ms, created_at)
        select 'r@example.org', 'chat', case when n % 3 = 0 then 'resend' else 'brevo' end,
          case when n % 5 = 0 then 'failed' else 'sent' end, n, now() - n * interval '1 minute' - interval '3 seconds'
        from generate_series(0, 2399) as n`;
      const rest = await serveRest(url);
      sites.push({ rest, supabase: connectSupabase({ url: rest.url, serviceRoleKey: rest.key }) });
    }
  });
  afterAll(async () => {
    for (const { rest, supabase } of sites) {
      await supabase.close();
      await rest.stop();
    }
    await cluster?.stop();
  });

  test.each([HOUR_MS, 6 * HOUR_MS, DAY_MS])(
    'of %d ms is the same from the function and from the plain table',
    async (rangeMs) => {
      const [migrated, plain] = await Promise.all(
        sites.map(({ supabase }) => createProviderHistory(supabase.client, systemClock).read(rangeMs)),
      );
      for (const history of [migrated, plain]) {
        const sent = history?.buckets.reduce((sum, bucket) => sum + bucket.sent + bucket.failed, 0) ?? 0;
        expect(sent).toBeGreaterThanOrEqual(rangeMs / MINUTE_MS - 1);
        expect(sent).toBeLessThanOrEqual((rangeMs + (history?.bucketMs ?? 0)) / MINUTE_MS + 1);
      }
      // The two databases were filled a second or two apart: buckets at either end may differ by one email.
      const inner = (history: typeof migrated) =>
        history?.buckets.slice(4, -4).map(({ provider, atEpochMs }) => [provider, atEpochMs]);
      expect(inner(plain)?.slice(2, -2)).toEqual(inner(migrated)?.slice(2, -2));
      expect(plain?.bucketMs).toBe(migrated?.bucketMs);
      expect(plain?.skipped).toBe(0);
    },
  );
});
