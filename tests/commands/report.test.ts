import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCliProcess, temporaryFolder } from '../support/cli.ts';

/** Nothing listens there: a report of an outage must be possible during the outage. */
const env = { REDIS_URL: 'redis://127.0.0.1:1' };

describe('email-ops report', () => {
  it('writes what is known as Markdown, also when nothing answers', async () => {
    const { exitCode, stdout } = await runCliProcess(['report', '--since', '2h'], { env });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^# Email system, \S+: UNREACHABLE/);
    expect(stdout).toContain('## Timeline of the last 2 h');
  });

  it('writes a page into a new file that only its owner reads, and overwrites none', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'incident.html');
    const { exitCode, stdout, stderr } = await runCliProcess(['report', '-o', file], { env });
    expect([exitCode, stdout, stderr]).toEqual([0, '', `Written to ${file}.\n`]);
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, 'precious');
    const again = await runCliProcess(['report', '-o', file], { env });
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain('is there already');
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  it('reaches back a day at most', async () => {
    const { exitCode, stderr } = await runCliProcess(['report', '--since', '48h'], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('between 1m and 24h');
  });
});
