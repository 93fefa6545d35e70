import { createClient } from '@supabase/supabase-js';
import { describe, expect, test } from 'vitest';
import { applyMigrations, isPostgresMissing, startPostgres } from '../support/postgres.ts';
import { serveRest } from '../support/rest.ts';

describe.skipIf(isPostgresMissing())('the REST API over PostgreSQL', () => {
  test('serves functions to many callers at once, to holders of the key only', async () => {
    await using postgres = await startPostgres();
    await applyMigrations(postgres.sql);
    await using rest = await serveRest(postgres.url);
    const client = createClient(rest.url, rest.key);
    const emails = Array.from({ length: 200 }, (_, n) => ({
      recipientEmail: `reader${n}@example.org`,
      emailType: 'newsletter',
      templateData: { subject: `No ${n}`, html: '<p>Hello</p>' },
    }));
    const enqueued = await client.rpc('enqueue_emails', { p_emails: emails }).throwOnError();
    expect(enqueued.data).toMatchObject({ enqueued: 200, duplicates: 0 });

    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        client.rpc('claim_emails', { p_worker: `worker-${n}`, p_limit: 25, p_lease_seconds: 60 }).throwOnError(),
      ),
    );
    const ids = claims.flatMap((claim) => claim.data.map((row: { id: string }) => row.id));
    expect(new Set(ids).size).toBe(200);
    expect(ids).toHaveLength(200);

    const stranger = await createClient(rest.url, 'sb_secret_guessed').rpc('email_ops_overview');
    expect(stranger.status).toBe(401);
    const nobody = await fetch(`${rest.url}/rest/v1/email_queue`);
    expect(nobody.status).toBe(401);
  });
});
