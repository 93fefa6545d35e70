import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map((name) => join(ROOT, name)),
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, 'docs', name)),
];

describe('the documentation', () => {
  it('has its generated pages as src/ has them', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/docs.mjs'), '--check'], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  it.each(PAGES)('%s links to nothing that is not there', (page) => {
    const text = readFileSync(page, 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !existsSync(join(page, '..', target)))).toEqual([]);
  });

  it('names no command, option, script or section that is not there', () => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/check-docs.mjs')], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('has a README that is read in a minute', () => {
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n').length).toBeLessThan(150);
  });

  it('has units that start commands with the file that the page tells to write', () => {
    const page = readFileSync(join(ROOT, 'docs/deploying.md'), 'utf8');
    for (const command of ['work', 'serve']) {
      const unit = readFileSync(join(ROOT, `deploy/email-ops-${command}.service`), 'utf8');
      expect(unit).toMatch(new RegExp(`^ExecStart=/usr/bin/env email-ops ${command}\\b`, 'm'));
      expect(page).toContain(`$EDITOR ${/^EnvironmentFile=(.+)$/m.exec(unit)?.[1]} `);
    }
  });

  it('names in package.json only what is in the package', () => {
    const { bin, files } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(bin['email-ops']).toBe('dist/email-ops.cjs');
    expect(files).not.toContain('tools');
  });
});
