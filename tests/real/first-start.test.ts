/** The first start, as a stranger makes it: `npm start` in a real terminal, without credentials, on a machine that never ran it. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { stopSandbox } from '../../src/sandbox/launcher.ts';
import { startCli, temporaryFolder } from '../support/cli.ts';
import { isTmuxMissing, startTmux, type Tmux } from '../support/tmux.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const states: string[] = [];
const open: Tmux[] = [];

afterEach(() => {
  for (const tmux of open.splice(0)) tmux.stop();
});
afterAll(async () => {
  for (const state of states) {
    await stopSandbox(join(state, 'email-ops', 'sandbox'));
    rmSync(state, { recursive: true, force: true });
  }
});

function freshState(): string {
  const state = temporaryFolder();
  states.push(state);
  return state;
}

async function shellAt(state: string, isFirstStart = true): Promise<Tmux> {
  const environment = { XDG_STATE_HOME: state, HOME: state, PATH: process.env.PATH ?? '' };
  const tmux = startTmux({ columns: 120, rows: 36, environment, isFirstStart });
  open.push(tmux);
  tmux.line(`cd ${repository}; PS1='ready> '; clear`);
  await tmux.until(/^ready>/);
  return tmux;
}

/** How many were sent today, as the Overview says it. */
function sentOn(screen: string): number {
  return Number(/today ([\d,]+) sent/.exec(screen)?.[1]?.replaceAll(',', ''));
}

describe.skipIf(isTmuxMissing())('the first start', () => {
  const state = freshState();

  it('says what it does, shows how far it is, and opens the dashboard with mail flowing and the tour', async () => {
    const tmux = await shellAt(state);
    tmux.line('npm start; echo "exit code $?"');
    await tmux.until(/CONNECTING +no credentials, so starting a sandbox on this machine: \d\/6 \w/, 30_000);
    const first = sentOn(await tmux.until(/↑ Is email flowing\? · 1 of 5[\s\S]*today [\d,]+ sent/, 30_000));
    await expect.poll(() => sentOn(tmux.screen()), { timeout: 20_000, interval: 200 }).toBeGreaterThan(first);
    for (const step of [2, 3, 4, 5]) {
      tmux.keys('Enter');
      await tmux.until(`${step} of 5`);
    }
    tmux.keys('Escape');
    await tmux.until(/^(?![\s\S]*of 5)[\s\S]*SANDBOX/);
    tmux.keys('?');
    await tmux.until('Keys · type :');
    tmux.keys('t');
    await tmux.until('1 of 5');
    tmux.keys('Escape');
    await tmux.until(/^(?![\s\S]*of 5)[\s\S]*SANDBOX/);
    tmux.keys('q');
    await tmux.until('exit code 0');
  }, 120_000);

  it('is the only one with the tour', async () => {
    const tmux = await shellAt(state);
    tmux.line('npm start');
    const picture = await tmux.until(/refreshed [\s\S]*today [\d,]+ sent/, 30_000);
    expect(picture).not.toContain('of 5');
    // The sandbox has a yesterday to look back at.
    tmux.keys(']');
    await tmux.until(/Queue depth, 24 h[\s\S]*00:00/);
    tmux.keys('?');
    expect(await tmux.until('Keys · type :')).not.toContain('of 5');
  }, 60_000);

  it('can be left while the sandbox is starting: the terminal is as it was, and nothing is left running', async () => {
    const fresh = freshState();
    const tmux = await shellAt(fresh);
    tmux.line('npm start; echo "exit code $?"');
    await tmux.until('so starting a sandbox', 30_000);
    tmux.keys('q');
    await tmux.until('exit code 0', 3_000);
    expect(tmux.modes()).toEqual({ alternate: false, cursor: true, mouse: false });
    await vi.waitFor(() => expect(processesIn(fresh)).toEqual([]), 20_000);
  }, 60_000);

  it('of another command stops at once by Ctrl-C, on a clean line', async () => {
    const fresh = freshState();
    const tmux = await shellAt(fresh);
    tmux.line(`clear; node src/cli.ts status; echo "exit code $?"`);
    await tmux.until(/No credentials set: starting the sandbox: /, 30_000);
    tmux.keys('C-c');
    expect(await tmux.until(/exit code \d/, 3_000)).toMatch(/^\^?C?exit code 130/);
    await vi.waitFor(() => expect(processesIn(fresh)).toEqual([]), 20_000);
  }, 60_000);

  it('of another command stops at once by SIGTERM', async () => {
    const fresh = freshState();
    const { child, finished } = startCli(['status'], { env: { XDG_STATE_HOME: fresh } });
    const { promise: hasBegun, resolve } = Promise.withResolvers<void>();
    child.stderr?.on('data', () => resolve());
    await hasBegun;
    const toldAt = performance.now();
    child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await finished();
    expect(performance.now() - toldAt).toBeLessThan(1_500);
    expect([exitCode, stdout]).toEqual([143, '']);
    expect(stderr).toMatch(/^(No credentials set: starting the sandbox: \d\/6 .+\n)+$/);
    await vi.waitFor(() => expect(processesIn(fresh)).toEqual([]), 20_000);
  }, 60_000);
});

/** Those that were told the folder on their command line: the sandbox, its redis-server and the shell that watches that. */
function processesIn(folder: string): string[] {
  const { stdout } = spawnSync('pgrep', ['-af', join(folder, 'email-ops')], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}
