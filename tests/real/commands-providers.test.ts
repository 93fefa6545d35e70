/** `providers` and `send-test` against a real sandbox, each as a process of its own, as somebody on call uses them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, type Running, runCliProcess, startCli } from '../support/cli.ts';

describe('providers and send-test', () => {
  let sandbox: Running;
  let reached: Record<string, string>;
  const env = cleanEnvironment();
  beforeAll(async () => {
    sandbox = startCli(['sandbox', '--scenario', 'calm'], { env });
    await sandbox.untilStdout(/export EMAIL_ADMIN_TOKEN=.*\n/);
    const exports = [...sandbox.stdout().matchAll(/^export ([A-Z_]+)='?(.*?)'?$/gm)];
    reached = Object.fromEntries(exports.map(([, name = '', value = '']) => [name, value]));
  });
  afterAll(async () => {
    sandbox.child.kill('SIGINT');
    await sandbox.finished();
  });
  const run = (...words: string[]) => runCliProcess(words, { env: { ...env, ...reached } });
  /** The same systems, but as if they were no sandbox. */
  const runReal = (...words: string[]) => {
    const { EMAIL_OPS_SANDBOX: _, ...real } = reached;
    return runCliProcess(words, { env: { ...env, ...real } });
  };

  test('a test email is told step by step, its address masked', async () => {
    const { exitCode, stdout } = await run('send-test', '--to', 'anna@example.org', '--provider', 'resend');
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/✓ health: ok, score \d+, circuit closed/);
    expect(stdout).toMatch(/✓ send: resend took the email to a\*\*\*@example\.org in .+, message id resend-/);
    expect(stdout).toMatch(/✓ quota: counted, [\d,]+ today/);
    expect(stdout).not.toContain('anna@');
  });

  test('what went wrong is told with what it means', async () => {
    const { exitCode, stdout } = await run('send-test', '--to', 'bounce@example.org', '--provider', 'brevo');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('✗ send: 400 invalid_parameter');
    expect(stdout).toContain('✗ permanent: This email can never be sent');
  });

  test('as JSON it is one line for another program', async () => {
    const { stdout } = await run('send-test', '--to', 'anna@example.org', '--provider', 'aws_ses', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      to: 'a***@example.org',
      provider: 'aws_ses',
      isSent: true,
      messageId: expect.stringMatching(/^aws_ses-/),
      steps: [{ what: 'health' }, { what: 'send', isFine: true }, { what: 'quota', isFine: true }],
    });
  });

  test.each([
    [['send-test', '--provider', 'resend'], 'give --to and --provider'],
    [['send-test', '--to', 'two at@once', '--provider', 'resend'], 'contains spaces'],
    [['send-test', '--to', 'a@example.org', '--provider', 'sendgrid'], 'sendgrid'],
    [['providers', 'disable', 'sendgrid'], "'sendgrid' is none of resend, brevo, mailersend, aws_ses"],
    [['providers', 'disable', 'resend', '--for', '5s'], 'is not between 1m and 720h'],
  ])('%j is refused: %s', async (words, why) => {
    const { exitCode, stderr } = await run(...words);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(why);
  });

  test('outside the sandbox it asks first; where nobody can be asked, it does nothing without --yes', async () => {
    for (const words of [
      ['send-test', '--to', 'anna@example.org', '--provider', 'resend'],
      ['providers', 'disable', 'resend'],
      ['providers', 'reset', 'resend'],
    ]) {
      const { exitCode, stderr } = await runReal(...words);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('pass --yes if you are sure');
    }
    const sure = await runReal('send-test', '--to', 'anna@example.org', '--provider', 'resend', '--yes');
    expect(sure.exitCode).toBe(0);
  });

  test('a disabled provider is shown with who and why, refuses sends, and comes back; all of it is in the audit list', async () => {
    expect(await run('providers', 'disable', 'mailersend', '--for', '2h', '--reason', 'bounces')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^mailersend is disabled until .+ UTC\./),
    });
    const listed = await run('providers', 'list');
    expect(listed.stdout).toMatch(/mailersend: disabled by .+ until \d\d:\d\d.* UTC .*: bounces/s);
    await expect
      .poll(async () => (await run('send-test', '--to', 'a@example.org', '--provider', 'mailersend')).stdout, {
        timeout: 20_000,
      })
      .toContain('503 provider_disabled');
    expect((await run('providers', 'enable', 'mailersend')).stdout).toBe('mailersend is enabled.\n');
    expect((await run('providers', 'enable', 'mailersend')).stdout).toBe('mailersend was not disabled.\n');
    expect((await run('providers', 'reset', 'mailersend', '--json')).stdout).toContain('"action":"reset circuit"');
    const { KV_REST_API_URL: url = '', KV_REST_API_TOKEN: token = '' } = reached;
    const command = {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: '["lrange","email:ops:audit","0","9"]',
    };
    const { result } = (await (await fetch(url, command)).json()) as { result: string[] };
    const entries = result.map((entry) => JSON.parse(entry)).filter(({ target }) => target === 'mailersend');
    expect(entries.map(({ action }) => action)).toEqual([
      'reset circuit',
      'enable provider',
      'enable provider',
      'disable provider',
    ]);
  });
});
