/** At a million queue rows, of which 10,000 are ready, claiming and looking read what they need from indexes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Explained, explain } from '../support/plans.ts';
import { applyMigrations, isPostgresMissing, type PostgresCluster, startPostgres } from '../support/postgres.ts';

const CLAIM = `select claim_emails('worker', 100, 60)`;
const OVERVIEW = 'select email_ops_overview()';

describe.skipIf(isPostgresMissing())('at 1,000,000 queue rows', () => {
  let postgres: PostgresCluster;
  beforeAll(async () => {
    postgres = await startPostgres();
    await applyMigrations(postgres.sql);
    // Half of it completed, the other half waiting since before the ready ones: neither may be waded through.
    await postgres.sql.unsafe(`
      insert into email_queue (recipient_email, email_type, template_data, status, attempts, created_at, updated_at, next_retry_at, locked_by, locked_until)
      select 'reader' || n || '@example.org', 'newsletter', '{"subject": "News", "html": "<p>Hello</p>"}',
        case when n <= 490000 then 'completed' when n <= 495000 then 'failed' when n <= 500000 then 'processing' else 'queued' end,
        n % 3, now() - interval '30 days' + n * interval '2 seconds', now() - interval '20 days' + n * interval '1 second',
        case when n > 500000 and n <= 990000 then now() + n * interval '1 second' when n > 996000 then now() - interval '1 minute' end,
        case when n > 495000 and n <= 500000 then 'busy' end,
        case when n > 495000 and n <= 500000 then now() + interval '1 hour' end
      from generate_series(1, 1000000) as n`);
    await postgres.sql.unsafe(`
      insert into email_logs (recipient_email, email_type, provider, status, latency_ms, created_at)
      select 'reader@example.org', 'newsletter', 'brevo', 'sent', n % 900, now() - n * interval '10 seconds' from generate_series(1, 100000) as n`);
  });
  afterAll(() => postgres?.stop());

  const expectFewRowsFromIndexes = ({ scans }: Explained, rows: number) => {
    const queue = scans.filter((scan) => scan.table === 'email_queue');
    expect(queue.length).toBeGreaterThan(0);
    expect(queue.filter((scan) => scan.kind === 'Seq Scan')).toEqual([]);
    // A whole index read is no better than a sequential scan.
    expect(queue.filter((scan) => scan.rowsRead > rows)).toEqual([]);
  };

  test('the way of looking would catch a sequential scan inside a function', async () => {
    await postgres.sql.unsafe(`create function careless() returns bigint language plpgsql as $$
      begin return (select count(*) from public.email_queue where last_error is null); end $$`);
    const { scans } = await explain(postgres.url, 'select careless()');
    expect(scans).toMatchObject([{ table: 'email_queue', kind: expect.stringContaining('Seq Scan') }]);
    expect(() => expectFewRowsFromIndexes({ durationMs: 0, scans }, 20_000)).toThrow();
  });

  // A bulk load leaves the planner without statistics for a while; then autovacuum brings them.
  test.each(['without statistics', 'with statistics'])('claiming and looking read from indexes, %s', async (when) => {
    if (when === 'with statistics') await postgres.sql.unsafe('vacuum analyze email_queue, email_logs');
    for (let run = 1; run <= 7; run++) {
      const claim = await explain(postgres.url, CLAIM);
      expectFewRowsFromIndexes(claim, 10_000);
      const overview = await explain(postgres.url, OVERVIEW);
      expectFewRowsFromIndexes(overview, 20_000);
      expect(claim.durationMs).toBeLessThan(1_000);
      expect(overview.durationMs).toBeLessThan(1_000);
    }
  });

  test('the numbers are right', async () => {
    const [row] = await postgres.sql`select email_ops_overview() as overview`;
    expect(row?.overview).toMatchObject({
      counts: { completed: 490_000, failed: 5_000, processing: 5_000 + 1_400, queued: 500_000 - 1_400 },
      ready: 10_000 - 1_400,
      waitingRetry: 490_000,
    });
  });
});
