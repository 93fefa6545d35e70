/** The commands against a real sandbox, each as a process of its own, as somebody uses them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, type Running, runCliProcess, startCli, temporaryFolder } from '../support/cli.ts';

const env = { XDG_STATE_HOME: temporaryFolder() };
const run = (args: readonly string[], input = ''): Promise<Finished> => runCliProcess(args, { env, input });
// Asking joins it for a moment, and it lives on for two seconds after: ask more seldom than that.
const POLL = { timeout: 20_000, interval: 4_000 };
const emailLines = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({ to: `person${index}@example.org`, subject: `Hello ${index}`, html: '<p>Hello</p>' }),
  ).join('\n');

describe('with the sandbox', () => {
  let sandbox: Running;

  beforeAll(async () => {
    sandbox = startCli(['sandbox', '--scenario', 'calm'], { env });
    await sandbox.untilStdout(/export EMAIL_ADMIN_TOKEN=.*\n/);
  });
  afterAll(async () => {
    sandbox.child.kill('SIGKILL');
    await run(['sandbox', 'stop']);
  });

  test('the environment that it prints points any program at it', async () => {
    const lines = sandbox.stdout().trimEnd().split('\n');
    expect(lines.every((line) => /^export [A-Z_]+=\S+$/.test(line))).toBe(true);
    const exported = Object.fromEntries(
      lines.map((line) => line.replace('export ', '').split('=') as [string, string]),
    );
    const { exitCode, stdout } = await runCliProcess(['status', '--json'], { env: exported });
    expect(exitCode).toBeLessThan(2);
    const snapshot = JSON.parse(stdout);
    expect(snapshot.environment).toEqual({ name: 'sandbox', isSandbox: true });
    for (const part of ['lock', 'health', 'alerts', 'metrics', 'stats', 'runs', 'queue', 'schedules'])
      expect([part, snapshot[part].state]).toEqual([part, 'ok']);
  });

  test('`status` joins the one that runs, and shows a page', async () => {
    const { stdout, stderr } = await run(['status']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^email-ops · sandbox \(nothing here is real\)/);
    for (const section of ['Lock', 'Queue', 'Today', 'Quota', 'Health', 'Alerts', 'Runs', 'Schedules'])
      expect(stdout).toMatch(new RegExp(`^${section} `, 'm'));
  });

  test('`doctor` finds every system well', async () => {
    const { stdout } = await run(['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: { group: string; name: string; state: string }[] };
    for (const group of ['Redis', 'Postgres', 'Email function', 'QStash'])
      expect(checks).toContainEqual(expect.objectContaining({ group, name: 'reachable', state: 'ok' }));
    expect(checks.filter(({ group, state }) => group === 'Clocks' && state === 'ok')).toHaveLength(3);
    expect(checks.filter(({ state }) => state === 'failed')).toEqual([]);
  });

  test('what is enqueued twice under the same key is there once, and `queue show` finds it by the beginning of its id', async () => {
    const args = [
      'queue',
      'enqueue',
      '--to',
      'maria@example.org',
      '--subject',
      'Hi',
      '--html',
      '<p>Hi</p>',
      '--key',
      'k1',
    ];
    const first = await run(args);
    const second = await run(args);
    const id = /^enqueued: (\S+)\n$/.exec(first.stdout)?.[1] ?? '';
    expect([first.exitCode, second.exitCode, second.stdout]).toEqual([0, 0, `known already: ${id}\n`]);
    const shown = await run(['queue', 'show', id.slice(0, 8)]);
    expect(shown.stdout).toContain(id);
    expect(shown.stdout).toContain('m***@example.org');
    expect((await run(['queue', 'show', id, '--unmask'])).stdout).toContain('maria@example.org');
  });

  test('JSON lines are enqueued, bad ones told by number, and a second run adds nothing', async () => {
    const input = `${emailLines(1_200)}\n{"to":\n{"to":"nobody","subject":"x","html":"y"}\n`;
    const first = await run(['queue', 'enqueue', '--key', 'spring'], input);
    expect(first).toMatchObject({ exitCode: 1, stdout: '1,200 enqueued, 0 known already, 2 bad lines.\n' });
    expect(first.stderr).toBe('email-ops: line 1,201: not JSON\nemail-ops: line 1,202: to: is not an address\n');
    const second = await run(['queue', 'enqueue', '--key', 'spring', '--json'], input);
    expect(JSON.parse(second.stdout)).toMatchObject({ enqueued: 0, duplicates: 1_200 });
  });

  test('`queue list` filters, pages and masks', async () => {
    const list = async (...args: string[]) => JSON.parse((await run(['queue', 'list', '--json', ...args])).stdout);
    const page = await list('--search', 'Hello 11', '--limit', '5', '--sort', 'newest');
    expect(page.rows).toHaveLength(5);
    for (const { subject, recipientEmail } of page.rows) {
      expect(subject).toMatch(/^Hello 11/);
      expect(recipientEmail).toBe('p***@example.org');
    }
    const next = await list('--search', 'Hello 11', '--limit', '5', '--sort', 'newest', '--after', page.nextCursor);
    const ids = new Set([...page.rows, ...next.rows].map(({ id }) => id));
    expect(ids.size).toBe(10);
    expect((await run(['queue', 'list', '--dead', '--status', 'queued'])).exitCode).toBe(0);
  });

  test('`queue discard` asks first, takes an email out for good, and `queue retry` brings it back', async () => {
    // Else the sandbox's own worker may send it in between.
    await run(['pause', '--for', '5m']);
    const made = await run(['queue', 'enqueue', '--to', 'x@example.org', '--subject', 'Out', '--html', '<p>x</p>']);
    const id = /^enqueued: (\S+)\n$/.exec(made.stdout)?.[1] ?? '';
    const asked = await run(['queue', 'discard', id]);
    expect([asked.exitCode, asked.stderr]).toEqual([2, expect.stringMatching(/^email-ops: Discard 1 email\? .*--yes/)]);
    const discarded = await run(['queue', 'discard', id.slice(0, 8), '--yes', '--reason', 'a test']);
    expect(discarded).toMatchObject({ exitCode: 0, stdout: '1 email discarded.\n', stderr: '' });
    expect((await run(['queue', 'show', id])).stdout).toMatch(/a test/);
    const again = await run(['queue', 'retry', id, '--json']);
    expect(JSON.parse(again.stdout).ids).toEqual([id]);
    await run(['resume', '--yes']);
    const wrong = await run(['queue', 'retry']);
    expect(wrong).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('give ids, or one of --failed, --status and --dead'),
    });
  });

  test('`sandbox outbox` lists what was sent, nothing of it twice', async () => {
    const { exitCode, stdout } = await run(['sandbox', 'outbox', '--limit', '3']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('none sent twice');
  });

  test('an email that is not there, and no email at all, are told in one line', async () => {
    const missing = await run(['queue', 'show', '00000000-0000-4000-8000-000000000000']);
    expect(missing).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^email-ops: There is no email .*\n$/),
    });
  });

  test('no address of anybody is in any JSON, wherever it stands, but with --unmask', async () => {
    const subject = 'A word from olga@example.org';
    const args = ['queue', 'enqueue', '--to', 'nina@example.org', '--subject', subject, '--html', '<p>Hi</p>'];
    const id = /^enqueued: (\S+)\n$/.exec((await run(args)).stdout)?.[1] ?? '';
    for (const looking of [
      ['list', '--search', 'A word from'],
      ['show', id],
    ]) {
      const { stdout } = await run(['queue', ...looking, '--json']);
      expect(stdout).toContain('A word from o***@example.org');
      expect(stdout).not.toMatch(/olga@|nina@/);
      expect((await run(['queue', ...looking, '--json', '--unmask'])).stdout).toContain(subject);
    }
  });

  test('options that mean nothing together are refused or told, not passed over', async () => {
    expect(await run(['queue', 'list', '--reviewed'])).toMatchObject({
      exitCode: 2,
      stderr: 'email-ops: --reviewed needs --dead. See: email-ops queue list --help\n',
    });
    expect((await run(['queue', 'list', '--dead', '--sort', 'oldest'])).stderr).toMatch(/--sort change nothing/);
    expect(await run(['queue', 'show', '0e'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^email-ops: '0e' is no id, nor the beginning of one: .*\n$/),
    });
    expect(await run(['queue', 'enqueue', '--max-attempts', '5'], '')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^email-ops: --max-attempts belongs to one email and needs --to; .*\n$/),
    });
    expect(await run(['queue', 'enqueue', '--to', 'nobody', '--subject', 's', '--html', 'h'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^email-ops: --to: is not an address/),
    });
    expect(await run(['sandbox', 'outbox', '--provider', 'sendgrid'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^email-ops: --provider: 'sendgrid' is none of resend, /),
    });
    expect((await run(['sandbox', 'outbox', '--to', 'nobody@example.org'])).stdout).toMatch(
      /^Nothing found\.\nIn all /,
    );
  });

  test('a read-only console changes nothing', async () => {
    const args = ['queue', 'enqueue', '--to', 'a@example.org', '--subject', 's', '--html', 'h'];
    const { exitCode, stderr } = await runCliProcess(args, { env: { ...env, EMAIL_OPS_READ_ONLY: 'true' } });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('EMAIL_OPS_READ_ONLY is set')]);
  });

  test('it ends when the one who holds it lets go, and says nothing is there afterwards', async () => {
    sandbox.child.kill('SIGINT');
    expect(await sandbox.finished()).toMatchObject({ exitCode: 0, signal: null });
    await expect
      .poll(() => run(['sandbox', 'status']), POLL)
      .toMatchObject({
        exitCode: 1,
        stderr: 'email-ops: No sandbox runs. Start one: email-ops sandbox\n',
      });
  });

  test('without one, a command starts it, tells how far it is, and leaves none behind', async () => {
    const { stdout, stderr } = await run(['watch', '--plain', '--count', '1']);
    expect(stderr).toMatch(/^No credentials set: starting the sandbox: 1\/\d Redis\n/);
    expect(stdout).toMatch(/ sandbox\n/);
    await expect.poll(async () => (await run(['sandbox', 'status'])).exitCode, POLL).toBe(1);
  });
});
