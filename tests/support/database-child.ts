/**
 * A process to be killed: `node database-child.ts <folder> <name>` opens the sandbox database, writes rows through its REST API and
 * prints each row's key once it was answered. Says `open` first.
 */
import { writeSync } from 'node:fs';
import { createClient } from '@supabase/supabase-js';
import { openDatabase } from '../../src/sandbox/database.ts';

const [folder = '', name = ''] = process.argv.slice(2);
const secretKey = 'sb_secret_for_tests';
const say = (word: string) => writeSync(1, `${word}\n`);

const database = await openDatabase({ folder, secretKey, onProgress: say });
const client = createClient('http://sandbox.test', secretKey, {
  global: { fetch: (url, init) => database.fetch(new Request(url, init)) },
});
say('open');
for (let n = 0; ; n++) {
  const key = `${name}:${n}`;
  const templateData = { subject: key, html: 'x'.repeat(20_000) };
  const email = { key, recipientEmail: 'reader@example.org', emailType: 'auth', templateData };
  await client.rpc('enqueue_emails', { p_emails: [email] }).throwOnError();
  say(key);
}
