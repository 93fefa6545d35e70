/** `scripts/setup.cjs`, run in a copy of its surroundings with an npm that only notes that it was called. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../scripts/setup.cjs', import.meta.url));
const folders: string[] = [];

/** A project folder; `installed` says when its packages were installed, in seconds relative to the lockfile. */
function aProject(options: { installed?: number; npmFails?: boolean } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'email-ops-setup-'));
  folders.push(root);
  mkdirSync(join(root, 'scripts'));
  mkdirSync(join(root, 'node_modules'));
  copyFileSync(SCRIPT, join(root, 'scripts/setup.cjs'));
  writeFileSync(join(root, 'package-lock.json'), '{}');
  utimesSync(join(root, 'package-lock.json'), 1_700_000_000, 1_700_000_000);
  const marker = join(root, 'node_modules/.package-lock.json');
  if (options.installed !== undefined) {
    writeFileSync(marker, '{}');
    utimesSync(marker, 1_700_000_000 + options.installed, 1_700_000_000 + options.installed);
  }
  const npm = join(root, 'npm.cjs');
  const effect = options.npmFails === true ? 'process.exit(7)' : `fs.writeFileSync(${JSON.stringify(marker)}, '{}')`;
  writeFileSync(
    npm,
    `const fs = require('fs'); fs.appendFileSync('called', process.argv.slice(2).join(' ') + '\\n'); ${effect}`,
  );
  return { root, npm, marker };
}

function setUp({ root, npm }: { root: string; npm: string }, nodeArguments: readonly string[] = []) {
  const { status, stderr } = spawnSync(process.execPath, [...nodeArguments, join(root, 'scripts/setup.cjs')], {
    cwd: root,
    env: { ...process.env, npm_execpath: npm },
    encoding: 'utf8',
  });
  return { status, stderr };
}

function callOf({ root }: { root: string }): string | null {
  try {
    return readFileSync(join(root, 'called'), 'utf8');
  } catch {
    return null;
  }
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('the setup before npm start and npm test', () => {
  it('installs on a fresh clone, and says so', () => {
    const project = aProject();
    const { status, stderr } = setUp(project);
    expect(status).toBe(0);
    expect(callOf(project)).toMatch(/^ci /);
    expect(stderr).toContain('installing');
  });

  it('installs again when the lockfile is newer than the install', () => {
    const project = aProject({ installed: -60 });
    expect(setUp(project).status).toBe(0);
    expect(callOf(project)).toMatch(/^ci /);
  });

  it('does nothing and says nothing when the install is newer', () => {
    const project = aProject({ installed: 60 });
    expect(setUp(project)).toMatchObject({ status: 0, stderr: '' });
    expect(callOf(project)).toBeNull();
  });

  it('does not install a second time after a first', () => {
    const project = aProject();
    setUp(project);
    rmSync(join(project.root, 'called'));
    setUp(project);
    expect(callOf(project)).toBeNull();
    expect(statSync(project.marker).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  });

  it('adds, by the Node that it installed, what npm left out because the machine’s Node is old', () => {
    const project = aProject();
    const old = join(project.root, 'old.cjs');
    writeFileSync(old, "Object.defineProperty(process.versions, 'node', { value: '18.20.4' });");
    mkdirSync(join(project.root, 'node_modules/.bin'));
    symlinkSync(process.execPath, join(project.root, 'node_modules/.bin/node'));
    expect(setUp(project, ['--require', old]).status).toBe(0);
    expect(callOf(project)?.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^ci /),
      expect.stringMatching(/^install --no-save /),
    ]);
  });

  it('fails with the code of npm, and says what to do', () => {
    const { status, stderr } = setUp(aProject({ npmFails: true }));
    expect(status).toBe(7);
    expect(stderr).toContain('npm ci failed');
    expect(stderr).toContain('run the command again');
  });

  it('costs no more than 50 ms over starting Node when there is nothing to do', () => {
    const project = aProject({ installed: 60 });
    // Its own processor time: what else the machine does meanwhile does not count.
    const script = JSON.stringify(join(project.root, 'scripts/setup.cjs'));
    const measure = `const before = process.cpuUsage(); require(${script}); const { user, system } = process.cpuUsage(before);`;
    const { stdout } = spawnSync(process.execPath, ['-e', `${measure} console.log(user + system)`], {
      encoding: 'utf8',
    });
    expect(Number(stdout)).toBeGreaterThan(0);
    expect(Number(stdout) / 1_000).toBeLessThan(50);
    expect(callOf(project)).toBeNull();
  });
});
