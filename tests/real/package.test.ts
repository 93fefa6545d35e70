/** The package as a user gets it: packed, installed by npm into an empty folder, and run there on plain Node. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, runCliProcess } from '../support/cli.ts';

const ROOT = join(import.meta.dirname, '../..');
const INSTALL_DEADLINE_MS = 240_000;

describe('the packed package', () => {
  let folder: string;
  let bin: string;
  let tarball: string;
  let packed: readonly string[];
  let bytes: number;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'email-ops-package-'));
    const [report] = JSON.parse(await npm(['pack', '--json', '--pack-destination', folder], ROOT));
    bytes = report.size;
    packed = report.files.map(({ path }: { path: string }) => path);
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    tarball = join(folder, report.filename);
    await npm(['install', '--no-audit', '--no-fund', '--loglevel=error', tarball], folder);
    bin = join(folder, 'node_modules/email-ops/dist/email-ops.cjs');
  }, INSTALL_DEADLINE_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('contains only what a user needs', () => {
    const places = new Set(packed.map((path) => path.split('/')[0]));
    expect([...places].toSorted()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'deploy', 'dist', 'docs', 'package.json', 'supabase'].toSorted(),
    );
    expect(packed).toContain('supabase/migrations/20261123000000_email_ops.sql');
    // Declarations are for those who import the endpoints.
    expect(packed.filter((path) => /\.(test|map)\.|(?<!\.d)\.c?ts$/.test(path))).toEqual([]);
  });

  test('brings no Node of its own', () => {
    const installed = readdirSync(join(folder, 'node_modules'));
    expect(installed.filter((name) => /^node-(linux|darwin|win|bin)/.test(name))).toEqual([]);
  });

  test('exports the route handlers, which connect to nothing before the first request', async () => {
    const script = `
      import { adminRoute, workerRoute } from 'email-ops/endpoints';
      const routes = [workerRoute('queue-processor', {}), adminRoute({})];
      const answers = await Promise.all(routes.map(({ POST }) => POST(new Request('http://a.example', { method: 'POST' }))));
      process.stdout.write(answers.map(({ status }) => status).join());`;
    const command = [process.execPath, '--input-type=module'] as const;
    const { stdout, stderr } = await runCliProcess(['--eval', script], { command: [...command], folder });
    expect([stdout, stderr]).toEqual(['503,503', '']);
  });

  test('has an executable that says what it can do', async () => {
    expect(statSync(join(folder, 'node_modules/.bin/email-ops')).mode & 0o111).not.toBe(0);
    const { exitCode, stdout } = await runCliProcess(['--help'], { command: [process.execPath, bin], folder });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: email-ops');
  });

  test('runs by npx, without being installed', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const words = ['exec', '--yes', '--loglevel=error', '--package', tarball, '--', 'email-ops', '--version'];
    expect(await npm(words, empty)).toBe(`${version}\n`);
  });

  test('shows the status of the sandbox that it brings', async () => {
    const env = cleanEnvironment();
    const command = [process.execPath, bin] as const;
    const { exitCode, stdout, stderr } = await runCliProcess(['status'], { command: [...command], folder, env });
    expect([stderr.includes('starting the sandbox'), exitCode === 0 || exitCode === 1]).toEqual([true, true]);
    expect(stdout).toMatch(/^email-ops · sandbox/);
    await runCliProcess(['sandbox', 'stop'], { command: [...command], folder, env });
  });

  test.each(['22.18.0', '24', '26'])(
    'runs on Node %s',
    async (version) => {
      const own = join(folder, `node-${version}`);
      mkdirSync(own);
      writeFileSync(join(own, 'package.json'), '{"private":true}');
      await npm(['install', '--no-audit', '--no-fund', '--loglevel=error', `node@${version}`], own);
      const command = [join(own, 'node_modules/node/bin/node'), bin] as const;
      const env = cleanEnvironment();
      const found = await runCliProcess(['status', '--json'], { command: [...command], folder, env });
      expect(JSON.parse(found.stdout)).toMatchObject({ version: 1, environment: { isSandbox: true } });
      await runCliProcess(['sandbox', 'stop'], { command: [...command], folder, env });
    },
    INSTALL_DEADLINE_MS,
  );

  test('is under a megabyte', () => {
    expect(bytes).toBeLessThan(1_000_000);
  });

  test('says in one line that a Node is too old', async () => {
    const old = join(folder, 'old.cjs');
    writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });");
    const command = [process.execPath, '--require', old, bin] as const;
    const { exitCode, stdout, stderr } = await runCliProcess(['--help'], { command: [...command], folder });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^email-ops: needs Node 22\.18 or newer, and this is Node 18\.20\.4\. .*\n$/);
  });

  test('has a start file that any old Node can read', () => {
    const text = readFileSync(bin, 'utf8').replace(/^\s*\/\/.*$/gm, '');
    expect(text).not.toMatch(/=>|\b(const|let|async|await|class|import)\b|\?\.|\?\?|`/);
  });
});

/** By the Node that runs this test, whatever npm finds first. */
async function npm(args: readonly string[], cwd: string): Promise<string> {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH };
  const { stdout } = await promisify(execFile)('npm', [...args], { cwd, env, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
