/** The Queue view in a real terminal, over the sandbox: keys are pressed, and the effect is in Postgres and in the audit list. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@supabase/supabase-js';
import { Redis } from '@upstash/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAudit } from '../../src/data/audit.ts';
import { type JoinedSandbox, joinOrStartSandbox, stopSandbox } from '../../src/sandbox/launcher.ts';
import { isTmuxMissing, startTmux, type Tmux } from '../support/tmux.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'email-ops-queue-'));
const folder = join(home, 'email-ops', 'sandbox');

describe.skipIf(isTmuxMissing())('the Queue view in a terminal', () => {
  let sandbox: JoinedSandbox;
  let tmux: Tmux;
  beforeAll(async () => {
    sandbox = await joinOrStartSandbox({ folder });
    const rows = Array.from({ length: 3 }, (_, n) => ({
      recipient_email: `zebra${n}@example.org`,
      email_type: 'auth',
      template_data: { subject: `Zebra ${n}`, html: `<h1>Zebra</h1><p>number ${n}</p>` },
      status: 'failed',
      attempts: 3,
      last_error: `zebras are full: zebra${n}@example.org`,
    }));
    await postgres().from('email_queue').insert(rows).throwOnError();
    tmux = startTmux({ columns: 120, rows: 36, environment: { XDG_STATE_HOME: home, HOME: home } });
    tmux.line(`${process.execPath} --disable-warning=ExperimentalWarning ${cli} watch`);
    await tmux.until('refreshed ', 30_000);
  });
  afterAll(async () => {
    tmux?.stop();
    await sandbox?.leave();
    await stopSandbox(folder);
    rmSync(home, { recursive: true, force: true });
  });

  const environment = (name: string) => sandbox.environment[name] ?? '';
  const postgres = () =>
    createClient(environment('NEXT_PUBLIC_SUPABASE_URL'), environment('SUPABASE_SERVICE_ROLE_KEY'));
  const zebras = async () => {
    const { data } = await postgres()
      .from('email_queue')
      .select('status, attempts')
      .like('recipient_email', 'zebra%')
      .throwOnError();
    return data.map(({ status }) => status).sort();
  };

  it('finds as one types, shows what is selected, and discards it when it is confirmed', async () => {
    tmux.keys('2', '/', ...'zebra1');
    await tmux.until(/1–1 of 1[\s\S]*zebras are full/);
    tmux.keys('Enter', 'Enter');
    await tmux.until(/Subject +Zebra 1[\s\S]*number 1/);
    expect(tmux.screen()).toContain('z***@example.org');
    tmux.keys('x');
    await tmux.until('Discard 1 email');
    tmux.keys('n', 'x', 'y');
    await tmux.until('1 email discarded');
    tmux.keys('Escape', 'Escape', 'Escape');
    await tmux.until('discarded');
    expect(await zebras()).toEqual(['failed', 'failed', 'failed']);
  });

  it('retries a whole group of errors, without what was discarded, and writes who did', async () => {
    tmux.keys('e');
    await tmux.until(/2 failed +zebras are full: <address>/);
    tmux.keys('R');
    await tmux.until('Retry 2 emails');
    tmux.keys('y');
    await tmux.until('2 emails queued again');
    expect((await zebras()).filter((status) => status === 'failed')).toHaveLength(1);
    const [url, token] = [environment('KV_REST_API_URL'), environment('KV_REST_API_TOKEN')];
    const redis = new Redis({ url, token, automaticDeserialization: false });
    const { entries } = await createAudit(redis).read(5);
    expect(entries.map(({ action, target, outcome }) => [action, target, outcome])).toEqual([
      ['retry', 'all failed with "zebras are full: <address>"', 'ok'],
      ['discard', expect.stringMatching(/^[0-9a-f-]{36}$/), 'ok'],
    ]);
  });
});
