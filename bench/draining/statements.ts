/** How many statements PostgreSQL executes in a database, as `pg_stat_statements` counts them: not those within functions. */
import type { Sql } from '../../tests/support/postgres.ts';

const HERE = 'select oid from pg_database where datname = current_database()';

/** Counts from now on. What is asked by this connection for the count itself is left out. */
export async function countStatements(sql: Sql): Promise<{ read(): Promise<number> }> {
  await sql.unsafe(`select pg_stat_statements_reset(0, (${HERE}), 0)`);
  return {
    read: async () => {
      const rows = await sql.unsafe<{ calls: number }[]>(
        `select coalesce(sum(calls), 0)::int as calls from pg_stat_statements
         where dbid = (${HERE}) and query not like '%pg_stat_statements%'`,
      );
      return rows[0]?.calls ?? 0;
    },
  };
}
