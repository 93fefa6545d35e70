import { afterAll, beforeAll, describe } from 'vitest';
import { describeClaiming } from '../sql/claiming.ts';
import { describeFinding } from '../sql/finding.ts';
import { describeFinishing } from '../sql/finishing.ts';
import { describeHistory } from '../sql/history.ts';
import { describeLooking } from '../sql/looking.ts';
import { describeOperating } from '../sql/operating.ts';
import { applyMigrations, isPostgresMissing, type PostgresCluster, startPostgres } from '../support/postgres.ts';
import { type QueueDatabase, queueDatabase } from '../support/queue-database.ts';

describe.skipIf(isPostgresMissing())('on PostgreSQL', () => {
  let postgres: PostgresCluster;
  let database: QueueDatabase;
  beforeAll(async () => {
    postgres = await startPostgres();
    await applyMigrations(postgres.sql);
    database = queueDatabase(
      async (statement, parameters = []) => [...(await postgres.sql.unsafe(statement, [...parameters]))] as never[],
    );
  });
  afterAll(() => postgres?.stop());

  describeClaiming(() => database);
  describeFinishing(() => database);
  describeOperating(() => database);
  describeLooking(() => database);
  describeHistory(() => database);
  describeFinding(() => database);
});
