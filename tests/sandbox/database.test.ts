import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/sandbox/database.ts';
import { FolderInUse } from '../../src/sandbox/folder-lock.ts';
import { describeClaiming } from '../sql/claiming.ts';
import { describeFinding } from '../sql/finding.ts';
import { describeFinishing } from '../sql/finishing.ts';
import { describeHistory } from '../sql/history.ts';
import { describeLooking } from '../sql/looking.ts';
import { describeOperating } from '../sql/operating.ts';
import { type QueueDatabase, queueDatabase } from '../support/queue-database.ts';

const secretKey = 'sb_secret_for_tests';

describe('the sandbox database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-database-'));
  const steps: string[] = [];
  let sandbox: Database;
  let database: QueueDatabase;
  beforeAll(async () => {
    sandbox = await openDatabase({ folder, secretKey, onProgress: (step) => steps.push(step) });
    database = queueDatabase((statement, parameters) => sandbox.query(statement, parameters));
  });
  afterAll(async () => {
    await sandbox?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const clientWith = (key: string): SupabaseClient =>
    createClient('http://sandbox.test', key, {
      global: { fetch: (url, init) => sandbox.fetch(new Request(url, init)) },
    });

  test('says what it is doing while it starts', () => {
    expect(steps).toEqual(['initialising Postgres', 'applying migrations']);
  });

  test('cannot be opened by a second one', async () => {
    await expect(openDatabase({ folder, secretKey })).rejects.toThrow(FolderInUse);
  });

  test('answers tables and functions to supabase-js, JSON as it was written', async () => {
    await database.clear();
    const client = clientWith(secretKey);
    const row = { recipient_email: 'reader@example.org', email_type: 'auth', template_data: { subject: 'Hi "you"' } };
    await client.from('email_queue').insert([row, row]).throwOnError();
    const read = await client.from('email_queue').select('template_data', { count: 'exact' }).limit(1).throwOnError();
    expect(read).toMatchObject({ count: 2, data: [{ template_data: { subject: 'Hi "you"' } }] });
    const overview = await client.rpc('email_ops_overview').throwOnError();
    expect(overview.data).toMatchObject({ ready: 2, counts: { queued: 2 } });
  });

  test('answers nobody without the key', async () => {
    expect((await clientWith('sb_secret_guessed').from('email_queue').select()).status).toBe(401);
    const bare = await sandbox.fetch(new Request('http://sandbox.test/rest/v1/email_queue'));
    expect(bare.status).toBe(401);
  });

  test('keeps requests at once apart: one that fails does not undo the others', async () => {
    await database.clear();
    const client = clientWith(secretKey);
    const email = { recipientEmail: 'reader@example.org', emailType: 'auth', templateData: {} };
    const isSound = (n: number) => n % 10 !== 5;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        isSound(n)
          ? client.rpc('enqueue_emails', { p_emails: [email] })
          : client.from('email_queue').insert({ recipient_email: 'reader@example.org', email_type: 'telegram' }),
      ),
    );
    expect(answers.map((answer) => answer.error === null)).toEqual(answers.map((_, n) => isSound(n)));
    expect(await database.overview()).toMatchObject({ counts: { queued: 18 } });
  });

  describeClaiming(() => database);
  describeFinishing(() => database);
  describeOperating(() => database);
  describeLooking(() => database);
  describeHistory(() => database);
  describeFinding(() => database);

  test('has everything when it is opened again', async () => {
    await database.clear();
    await database.insert();
    await sandbox.stop();
    await sandbox.stop();
    steps.length = 0;
    sandbox = await openDatabase({ folder, secretKey, onProgress: (step) => steps.push(step) });
    expect(steps).toEqual(['opening Postgres', 'applying migrations']);
    expect(await database.overview()).toMatchObject({ counts: { queued: 1 } });
  });
});
