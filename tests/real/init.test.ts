import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, cleanEnvironment, runCliProcess, temporaryFolder } from '../support/cli.ts';
import { type Deployment, startDeployment } from '../support/deployment.ts';
import { isMailStackMissing } from '../support/mail-stack.ts';
import { applyMigrations, migrationFiles, startPostgres } from '../support/postgres.ts';
import { serveRest } from '../support/rest.ts';
import { isTmuxMissing, startTmux } from '../support/tmux.ts';

describe.skipIf(isMailStackMissing())('email-ops init', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment();
  });
  afterAll(() => deployment?.stop());

  const of = (name: string) => deployment.environment[name] ?? '';
  const answers = () => [
    '', // no Upstash address, so a Redis of one's own is asked for
    of('REDIS_URL'),
    of('NEXT_PUBLIC_SUPABASE_URL'),
    of('SUPABASE_SERVICE_ROLE_KEY'),
    of('QSTASH_TOKEN'),
    of('QSTASH_URL'),
    '', // the signing keys are read from QStash
    of('EMAIL_WORKER_BASE_URL'),
    'y', // the schedules
  ];
  const envOf = (folder: string) => parseEnv(readFileSync(join(folder, '.env'), 'utf8'));

  it('asks, tries, writes .env for its owner alone, makes the schedules, and ends with doctor', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.env'), '# ours\nEMAIL_CONCURRENCY=5\n', { mode: 0o644 });
    const finished = await runCliProcess(['init'], { folder, input: `${answers().join('\n')}\n` });
    expect(finished.stderr).toContain('Both signing keys were read from QStash');
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
    const { EMAIL_ADMIN_TOKEN: _, ...expected } = deployment.environment;
    expect(envOf(folder)).toEqual({ EMAIL_CONCURRENCY: '5', ...expected });
    expect(readFileSync(join(folder, '.env'), 'utf8')).toMatch(/^# ours\n/);
    expect(finished.stdout).toContain('email-queue-processor');
    expect(finished.stdout).toMatch(/Everything that was checked is well|0 faults/);
    expect(finished.exitCode).toBe(0);
    expect(finished.stderr.match(/QStash messages a day/g)).toHaveLength(1);
    for (const name of ['SUPABASE_SERVICE_ROLE_KEY', 'QSTASH_TOKEN', 'QSTASH_NEXT_SIGNING_KEY']) {
      expect(finished.stdout + finished.stderr).not.toContain(of(name));
    }
  });

  it('asks again after a wrong key, and leaves the system out when told to', async () => {
    const folder = temporaryFolder();
    const lines = [
      '',
      '',
      of('NEXT_PUBLIC_SUPABASE_URL'),
      'sb_secret_wrong',
      's',
      of('QSTASH_TOKEN'),
      of('QSTASH_URL'),
      '',
      '',
      'n',
    ];
    const { stderr } = await runCliProcess(['init'], { folder, input: `${lines.join('\n')}\n` });
    expect(stderr).toContain('That does not work');
    expect(Object.keys(envOf(folder)).sort()).toEqual([
      'QSTASH_CURRENT_SIGNING_KEY',
      'QSTASH_NEXT_SIGNING_KEY',
      'QSTASH_TOKEN',
      'QSTASH_URL',
    ]);
  });

  it('keeps what .env has, and asks nothing about schedules that match already', async () => {
    const folder = temporaryFolder();
    await runCliProcess(['init'], { folder, input: `${answers().join('\n')}\n` });
    const before = envOf(folder);
    const again = await runCliProcess(['init'], { folder, input: '\n'.repeat(20) });
    expect(again.stderr).toContain(`NEXT_PUBLIC_SUPABASE_URL [Enter keeps ${of('NEXT_PUBLIC_SUPABASE_URL')}]:`);
    expect(again.stderr).toContain('SUPABASE_SERVICE_ROLE_KEY [Enter keeps it]:');
    expect(again.stderr).toContain('Everything matches');
    expect(again.stderr).not.toContain('Make QStash match?');
    expect(envOf(folder)).toEqual(before);
  });

  it('offers to keep only what can be kept', async () => {
    const input = ['no address', 'token', 's', ''].join('\n');
    const { stderr } = await runCliProcess(['init'], { folder: temporaryFolder(), input });
    expect(stderr).toContain('That does not work. Again (Enter), or leave it out (s)?');
  });

  it('writes nothing when nothing is given', async () => {
    const folder = temporaryFolder();
    const { exitCode, stderr } = await runCliProcess(['init'], { folder, input: '' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Nothing was given');
    expect(() => statSync(join(folder, '.env'))).toThrow();
  });

  it('applies a missing migration, or prints how', async () => {
    const cluster = await startPostgres();
    const [tables = ''] = migrationFiles();
    await applyMigrations(cluster.sql, [tables]);
    const rest = await serveRest(cluster.url);
    try {
      const lines = (address: string) => ['', '', rest.url, rest.key, '', address];
      const input = (address: string) => `${lines(address).join('\n')}\n`;
      const printed = await runCliProcess(['init'], { folder: temporaryFolder(), input: input('') });
      expect(printed.stderr).toMatch(/psql "\$DATABASE_URL" .*20261123000000_email_ops\.sql/);
      const applied = await runCliProcess(['init'], { folder: temporaryFolder(), input: input(cluster.url) });
      expect(applied.stderr).toContain('✓ applied');
      const [row] = await cluster.sql`select email_ops_version() as version`;
      expect(row?.version).toBe(1);
    } finally {
      await rest.stop();
      await cluster.stop();
    }
  });

  it.skipIf(isTmuxMissing())(
    'shows nothing of a pasted key, understands backspace, and Ctrl-C leaves all as it was',
    async () => {
      const folder = temporaryFolder();
      const tmux = startTmux({ columns: 100, rows: 30, environment: cleanEnvironment() });
      try {
        tmux.line(`cd ${folder} && ${process.execPath} ${CLI} init; echo ended with $?`);
        await tmux.until('KV_REST_API_URL:');
        tmux.keys('C-c');
        expect(await tmux.until('ended with 130')).toMatch(/^email-ops: Interrupted; nothing was written\.$/m);
        tmux.line(`clear; ${process.execPath} ${CLI} init; echo ended with $?`);
        await tmux.until(/KV_REST_API_URL:$/m);
        tmux.keys('Enter');
        await tmux.until('REDIS_URL:');
        tmux.keys('-l', of('REDIS_URL'));
        tmux.keys('-l', 'x');
        tmux.keys('BSpace', 'Enter');
        const screen = await tmux.until('takes our credentials');
        expect(screen).not.toContain(of('REDIS_URL'));
        expect(screen).toContain(`${of('REDIS_URL').length} characters taken`);
        expect(await tmux.until('NEXT_PUBLIC_SUPABASE_URL:')).toMatch(/^ {2}Settings, Data API\)$/m);
        tmux.keys('-l', of('NEXT_PUBLIC_SUPABASE_URL'));
        tmux.keys('Enter');
        await tmux.until('SUPABASE_SERVICE_ROLE_KEY:');
        tmux.keys('C-c');
        expect(await tmux.until('ended with 130')).toMatch(/^email-ops: Interrupted; nothing was written\.$/m);
        tmux.line('echo echoed');
        await tmux.until(/^echoed$/m);
        expect(() => statSync(join(folder, '.env'))).toThrow();

        const written = join(folder, '.env');
        writeFileSync(written, `QSTASH_TOKEN=${of('QSTASH_TOKEN')}\nQSTASH_URL=${of('QSTASH_URL')}\n`);
        tmux.line(`clear; ${process.execPath} ${CLI} init; echo ended with $?`);
        // Redis and Supabase are left out; the address of the worker is a new one, so the schedules differ.
        for (const question of ['KV_REST_API_URL:', 'REDIS_URL:', 'NEXT_PUBLIC_SUPABASE_URL:']) {
          await tmux.until(new RegExp(`^ +${question}$`, 'm'));
          tmux.keys('Enter');
        }
        for (const question of ['QSTASH_TOKEN', 'QSTASH_URL', 'QSTASH_CURRENT_SIGNING_KEY']) {
          await tmux.until(new RegExp(`^ +${question}( \\[.*\\])?:$`, 'm'));
          tmux.keys('Enter');
        }
        await tmux.until(/EMAIL_WORKER_BASE_URL:$/m);
        tmux.keys('-l', 'https://mail.example.org');
        tmux.keys('Enter');
        await tmux.until('Make QStash match?');
        tmux.keys('C-c');
        expect(await tmux.until('ended with 130')).toContain('Interrupted; .env is written');
      } finally {
        tmux.stop();
      }
    },
  );
});
