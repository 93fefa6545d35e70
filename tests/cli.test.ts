import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CliHost, runCli } from '../src/cli.ts';
import { COMMANDS } from '../src/commands/table.ts';
import { displayWidth } from '../src/domain/width.ts';
import { CLI, runCliProcess, startCli, stringIo, temporaryFolder } from './support/cli.ts';

/** Nothing listens there, so that nothing answers and no sandbox starts. */
const NOWHERE = { REDIS_URL: 'redis://127.0.0.1:1' };

async function run(...argv: string[]) {
  const io = stringIo({ columns: 100 });
  const host: CliHost = { environment: NOWHERE, signal: new AbortController().signal, io: () => io };
  const exitCode = await runCli(argv, host);
  return { exitCode, ...io.output };
}

describe('the table of commands', () => {
  it.each(COMMANDS)('says of $name what its file says', async ({ name, summary, load }) => {
    const command = await load();
    expect([command.name, command.summary]).toEqual([name, summary]);
  });

  it.each(COMMANDS)('helps with $name, examples included', async ({ name, load }) => {
    const { exitCode, stdout, stderr } = await run(name, '--help');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Usage: email-ops ${name}`);
    const { examples, subcommands = [] } = await load();
    for (const { line } of examples) expect(stdout).toContain(line);
    // A command is there to be copied; everything else keeps to the terminal.
    const prose = stdout
      .split('\n')
      .filter((line) => !line.startsWith('  ') || !examples.some((each) => line.trim() === each.line));
    expect(prose.filter((line) => displayWidth(line) > 100)).toEqual([]);
    for (const each of subcommands) {
      const help = await run(name, each.name, '--help');
      expect(help.exitCode).toBe(0);
      expect(help.stdout).toContain('Examples:');
    }
  });

  it('gives every command and subcommand at least one example', async () => {
    for (const { load } of COMMANDS) {
      const command = await load();
      for (const each of [command, ...(command.subcommands ?? [])]) expect(each.examples.length).toBeGreaterThan(0);
    }
  });
});

describe('the command line', () => {
  it('lists every command in its help', async () => {
    const { exitCode, stdout } = await run('--help');
    expect(exitCode).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });

  it('helps by `help <command>` as well', async () => {
    const { exitCode, stdout } = await run('help', 'status');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Exit codes: 0 ok, 1 degraded (a warning), 2 critical');
  });

  it('prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
    expect(await run('--version')).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
  });

  it.each([
    [['stauts'], "email-ops: unknown command 'stauts'; did you mean status? See: email-ops --help\n"],
    [['status', '--jsn'], "email-ops: unknown option '--jsn'; did you mean --json? See: email-ops status --help\n"],
    [['queue', 'show'], "email-ops: missing required argument 'id'. See: email-ops queue show --help\n"],
    [['status', 'now'], /^email-ops: too many arguments.* See: email-ops status --help\n$/],
    [
      ['watch', '--interval', 'often'],
      "email-ops: --interval: 'often' is not a duration such as 5s, 1m or 30m. See: email-ops watch --help\n",
    ],
    [['--interval', '1ms'], /is under the minimum of 500ms/],
    [['watch', '--workers'], /--workers is for the dashboard, which needs a terminal; without one: email-ops work/],
    [['watch', '--budget', 'all'], /is not a budget such as 10000\/day/],
    [['watch', '--workers'], /without one: email-ops work/],
    [['watch', '--workers', '--read-only'], /use one of them/],
    [['sandbox', '--scenario', 'storm'], /^email-ops: --scenario: 'storm' is none of calm, incident, flood\. See/],
    [
      ['queue', 'list', '-n', 'x'],
      /^email-ops: --limit: 'x' is not a whole number from 1 to 500\. See: email-ops queue list /,
    ],
  ])('answers %j with one line and exit code 2', async (argv, message) => {
    const { exitCode, stdout, stderr } = await run(...argv);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('shows the help of a command that only has subcommands, and calls it wrong usage', async () => {
    const { exitCode, stderr } = await run('queue');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Usage: email-ops queue');
  });
});

describe('the process', () => {
  it('reports every mistake in the environment, one line each, and exits with 2', async () => {
    const env = { KV_REST_API_URL: 'https://a.upstash.io', EMAIL_CONCURRENCY: '50', QSTASH_DEV: '1' };
    const { exitCode, stdout, stderr } = await runCliProcess(['status'], { env });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr.trimEnd().split('\n')).toEqual([
      'email-ops: EMAIL_CONCURRENCY=50 is over the maximum of 20',
      expect.stringMatching(/^email-ops: KV_REST_API_TOKEN is missing, and KV_REST_API_URL needs it/),
      expect.stringMatching(/^email-ops: QSTASH_DEV is set/),
    ]);
  });

  it('reads .env of the working folder', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.env'), 'EMAIL_BATCH_SIZE=9999\n');
    const { exitCode, stderr } = await runCliProcess(['status'], { folder });
    expect(exitCode).toBe(2);
    expect(stderr).toBe('email-ops: EMAIL_BATCH_SIZE=9999 is over the maximum of 500\n');
  });

  it('says so when .env cannot be read', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.env'));
    const { exitCode, stderr } = await runCliProcess(['status'], { folder, env: NOWHERE });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/\.env cannot be read \(EISDIR\)/);
  });

  it('shows what is left when nothing answers, and exits with 3', async () => {
    const { exitCode, stdout, stderr } = await runCliProcess(['status'], { env: NOWHERE });
    expect(exitCode).toBe(3);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^UNREACHABLE$/m);
    expect(stdout).toContain('Redis is not reachable');
    expect(stdout).not.toContain('\u001b');
  });

  it('says what the queue needs when Postgres is not configured, and exits with 3', async () => {
    const { exitCode, stderr } = await runCliProcess(['queue', 'list'], { env: NOWHERE });
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^email-ops: The queue is in Postgres, .* Set NEXT_PUBLIC_SUPABASE_URL and .*\n$/);
  });

  it('shows the stack only with DEBUG', async () => {
    const env = { ...NOWHERE, DEBUG: '1' };
    expect((await runCliProcess(['queue', 'list'], { env })).stderr).toMatch(/\n {4}at /);
  });

  it('streams without a command where stdout is no terminal, and ends cleanly by a signal', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const running = startCli(['--interval', '1h'], { env: NOWHERE });
      await running.untilStdout(/UNREACHABLE/);
      running.child.kill(signal);
      expect(await running.finished()).toMatchObject({ exitCode: 0, signal: null, stderr: '' });
    }
  });

  it('ends quietly when nobody reads its output any more', async () => {
    const running = startCli(['watch', '--interval', '500ms'], { env: NOWHERE });
    await running.untilStdout(/UNREACHABLE/);
    running.child.stdout?.destroy();
    expect(await running.finished()).toMatchObject({ exitCode: 0, signal: null, stderr: '' });
  });

  it.skipIf(!existsSync('/dev/full'))('says in one line that its output cannot be written', () => {
    const full = openSync('/dev/full', 'w');
    for (const args of [['--help'], ['status'], ['watch', '--plain', '--interval', '500ms']]) {
      const stdio = ['ignore', full, 'pipe'] as const;
      const env = { ...process.env, ...NOWHERE };
      const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], {
        stdio: [...stdio],
        env,
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([1, 'email-ops: The output cannot be written (ENOSPC).\n']);
    }
    closeSync(full);
  });

  it('ends after --count refreshes', async () => {
    const { exitCode, stdout } = await runCliProcess(['watch', '--count', '2', '--interval', '500ms'], {
      env: NOWHERE,
    });
    expect(exitCode).toBe(0);
    expect(stdout.match(/UNREACHABLE/g)).toHaveLength(2);
  });

  it('prints one JSON object a refresh with --json', async () => {
    const args = ['watch', '--json', '--count', '2', '--interval', '500ms'];
    const { stdout } = await runCliProcess(args, { env: NOWHERE });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ verdict }) => verdict.level)).toEqual(['unreachable', 'unreachable']);
  });

  it('paints for FORCE_COLOR, not for NO_COLOR or --no-color, and keeps to ASCII where the locale is not UTF-8', async () => {
    const args = ['doctor'];
    const painted = await runCliProcess(args, { env: { ...NOWHERE, FORCE_COLOR: '1' } });
    expect(painted.stdout).toContain('\u001b[');
    const plain = await runCliProcess([...args, '--no-color'], { env: { ...NOWHERE, FORCE_COLOR: '1' } });
    expect(plain.stdout).not.toContain('\u001b[');
    const ascii = await runCliProcess(args, { env: { ...NOWHERE, LANG: 'C' } });
    expect(ascii.stdout).toMatch(/^[\n\x20-\x7e]+$/);
  });
});
