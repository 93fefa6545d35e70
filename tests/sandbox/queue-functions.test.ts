import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Database, openDatabase } from '../../src/sandbox/database.ts';
import { describeClaiming } from '../sql/claiming.ts';
import { describeFinishing } from '../sql/finishing.ts';
import { describeLooking } from '../sql/looking.ts';
import { describeOperating } from '../sql/operating.ts';
import { type QueueDatabase, queueDatabase } from '../support/queue-database.ts';

describe('on the sandbox database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-database-'));
  let sandbox: Database;
  let database: QueueDatabase;
  beforeAll(async () => {
    sandbox = await openDatabase({ folder, secretKey: 'sb_secret_for_tests' });
    database = queueDatabase(sandbox.query);
  });
  afterAll(async () => {
    await sandbox?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describeClaiming(() => database);
  describeFinishing(() => database);
  describeOperating(() => database);
  describeLooking(() => database);
});
