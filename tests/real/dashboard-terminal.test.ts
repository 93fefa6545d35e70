/** The dashboard in a real terminal, over the sandbox: whatever ends it, the terminal is as it was. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type JoinedSandbox, joinOrStartSandbox, stopSandbox } from '../../src/sandbox/launcher.ts';
import { isTmuxMissing, startTmux, type Tmux } from '../support/tmux.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const state = mkdtempSync(join(tmpdir(), 'email-ops-dashboard-'));
const folder = join(state, 'email-ops', 'sandbox');
const open: Tmux[] = [];
let sandbox: JoinedSandbox | null = null;

beforeAll(async () => {
  sandbox = await joinOrStartSandbox({ folder });
});
afterEach(() => {
  for (const tmux of open.splice(0)) tmux.stop();
});
afterAll(async () => {
  await sandbox?.leave();
  await stopSandbox(folder);
  rmSync(state, { recursive: true, force: true });
});

interface Opening {
  readonly columns?: number;
  readonly rows?: number;
  /** What happens inside the program three seconds after its start. */
  readonly soon?: string;
}

async function openDashboard(flags = '', { columns = 120, rows = 36, soon }: Opening = {}): Promise<Tmux> {
  const tmux = startTmux({ columns, rows, environment: { XDG_STATE_HOME: state, HOME: state } });
  open.push(tmux);
  tmux.line(`cd ${state}; PS1='ready> '; clear`);
  await tmux.until(/^ready>/);
  const inside = soon === undefined ? '' : `--import 'data:text/javascript,setTimeout(() => { ${soon} }, 3000)'`;
  tmux.line(
    `${process.execPath} --disable-warning=ExperimentalWarning ${inside} ${cli} watch ${flags}; echo "exit code $?"`,
  );
  await tmux.until('refreshed ');
  return tmux;
}

/** Back at the prompt: normal screen, cursor shown, mouse off, and what is typed is echoed. */
async function expectRestored(tmux: Tmux): Promise<void> {
  expect(tmux.modes()).toEqual({ alternate: false, cursor: true, mouse: false });
  tmux.line('stty -a | tr ";" "\\n" | grep -c -E "(^| )-(echo|icanon|isig)( |$)"; echo checked');
  expect(await tmux.until(/^checked/m)).toMatch(/^0\nchecked/m);
}

describe.skipIf(isTmuxMissing())('the dashboard in a terminal', () => {
  it.each([
    ['q', 'exit code 0'],
    ['C-c', 'exit code 0'],
  ])('leaves by %s', async (key, words) => {
    const tmux = await openDashboard();
    expect(tmux.modes()).toMatchObject({ alternate: true, cursor: false });
    expect(tmux.screen()).toContain('SANDBOX');
    tmux.keys(key);
    await tmux.until(words);
    await expectRestored(tmux);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    // The link died: nobody would see what is drawn, and workers must not be left behind.
    ['SIGHUP', 129],
  ] as const)('leaves by %s with the exit code of the signal', async (signal, code) => {
    const tmux = await openDashboard();
    process.kill(tmux.child(), signal);
    await tmux.until(`exit code ${code}`);
    await expectRestored(tmux);
  });

  it('leaves by an exception that nobody caught, and shows it where it can be read', async () => {
    const tmux = await openDashboard('', { soon: 'throw new Error("a mistake of ours")' });
    const text = await tmux.until(/exit code \d/);
    expect(text).toContain('a mistake of ours');
    expect(text).not.toContain('exit code 0');
    await expectRestored(tmux);
  });

  it('says that its sandbox was killed, and leaves as ever', async () => {
    const tmux = await openDashboard();
    process.kill(Number(sandbox?.pid), 'SIGKILL');
    await tmux.until('the sandbox ended (pid');
    tmux.keys('q');
    await tmux.until('exit code 0');
    await expectRestored(tmux);
    sandbox = await joinOrStartSandbox({ folder });
  });

  it('goes to the shell with Ctrl-Z and comes back whole with fg', async () => {
    const tmux = await openDashboard();
    tmux.keys('C-z');
    await tmux.until(/Stopped/);
    await expectRestored(tmux);
    tmux.line('fg; echo "left with $?"');
    const text = await tmux.until(/SANDBOX[\s\S]*q quit/);
    expect(text.split('\n')).toHaveLength(36);
    expect(tmux.modes()).toMatchObject({ alternate: true, cursor: false });
    tmux.keys('?');
    await tmux.until('Keys · type :');
    tmux.keys('x');
    await tmux.until(/^(?![\s\S]*Keys · type :)/);
    tmux.keys('q');
    await tmux.until('left with 0');
    await expectRestored(tmux);
  });

  it('pauses and resumes the queue, and says who', async () => {
    const tmux = await openDashboard('', { columns: 80, rows: 24 });
    tmux.keys('p');
    await tmux.until('Pause the queue');
    tmux.keys('1', '0', 'm', 'Tab', 'd', 'e', 'p', 'l', 'o', 'y', 'Enter');
    await tmux.until(/PAUSED by .*(9:5\d|10:00) left.*deploy/);
    tmux.keys('p');
    await tmux.until('resumed after');
    await tmux.until('lock free');
  });

  it('survives a storm of resizes', async () => {
    const tmux = await openDashboard();
    for (let step = 0; step < 40; step += 1) tmux.resize(70 + ((step * 31) % 120), 18 + ((step * 7) % 40));
    tmux.resize(80, 24);
    await tmux.until(/^ SANDBOX [^\n]*(?:\n[^\n]*){22}\n[^\n]*\? help {2}q quit$/);
    tmux.resize(50, 10);
    await tmux.until('50×10 is too small');
    tmux.resize(120, 36);
    await tmux.until(/Schedules[\s\S]*q quit$/);
  });

  it('keeps to ASCII and to no colour where it is told so', async () => {
    const tmux = await openDashboard('--ascii --no-color', { columns: 80, rows: 24 });
    expect(tmux.screen()).toMatch(/^[\x20-\x7e\n]*$/);
    expect(tmux.screen()).toContain('+- Quota');
  });

  it('writes what libraries print to its log file, which only its owner reads', async () => {
    const tmux = await openDashboard('', {
      soon: 'console.error("a library speaks"); process.emitWarning("as Node does")',
    });
    const path = join(state, 'email-ops', 'dashboard.log');
    const until = Date.now() + 10_000;
    while (!existsSync(path) && Date.now() < until) await delay(50);
    tmux.keys('C-l');
    await tmux.until(/SANDBOX[\s\S]*q quit$/);
    expect(tmux.screen()).not.toMatch(/a library speaks|as Node does/);
    await expect.poll(() => readFileSync(path, 'utf8')).toMatch(/a library speaks[\s\S]*as Node does/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
