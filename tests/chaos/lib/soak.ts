/**
 * The console in a real terminal with embedded workers, over the sandbox in its incident scenario at high speed, with keys
 * pressed all the while: what it holds on to, and what the terminal looks like afterwards.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { joinOrStartSandbox, stopSandbox } from '../../../src/sandbox/launcher.ts';
import { type Random, seededRandom } from '../../../src/sandbox/random.ts';
import { startTmux, type Tmux } from '../../support/tmux.ts';

export interface Sample {
  readonly atMs: number;
  /** After a collection of garbage. */
  readonly heapMb: number;
  readonly residentMb: number;
  /** Sockets, timers and the like that keep the process alive. */
  readonly handles: number;
  /** Of the process, its streams and its terminal. */
  readonly listeners: number;
  /** Rejections that nobody handled and warnings of the runtime, such as of leaking listeners. */
  readonly complaints: readonly string[];
}

export interface Soak {
  readonly simulatedHours: number;
  readonly samples: readonly Sample[];
  /** How the terminal was left, and with what exit code. */
  readonly end: {
    readonly alternate: boolean;
    readonly cursor: boolean;
    readonly mouse: boolean;
    readonly exitCode: number;
  };
}

const SPEED = 600;
const SAMPLE_EVERY_MS = 5_000;
const KEY_EVERY_MS = 1_500;
const CLI = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));
/** Keys that look, move and run things, and always lead back. */
const KEYS = [
  ['1'],
  ['2'],
  ['3'],
  ['4'],
  ['5'],
  ['6'],
  ['Tab'],
  ['j', 'j', 'k'],
  ['Down', 'Up'],
  ['Enter', 'Escape'],
  ['?', 'Escape'],
  ['r'],
  ['h'],
  ['u'],
  ['a'],
  ['['],
  [']'],
  ['z', 'z'],
  ['Space', 'Space'],
  ['m', 'm'],
] as const;

export async function soak(simulatedHours: number): Promise<Soak> {
  const state = mkdtempSync(join(tmpdir(), 'email-ops-soak-'));
  const folder = join(state, 'email-ops', 'sandbox');
  const samplesFile = join(state, 'samples.jsonl');
  const probeFile = join(state, 'probe.mjs');
  writeFileSync(probeFile, probe(samplesFile));
  const sandbox = await joinOrStartSandbox({ folder, scenario: 'incident', speed: SPEED });
  const tmux = startTmux({ columns: 120, rows: 36, environment: { XDG_STATE_HOME: state, HOME: state } });
  try {
    tmux.line(`cd ${state}; PS1='ready> '; clear`);
    await tmux.until(/^ready>/);
    const node = `${process.execPath} --disable-warning=ExperimentalWarning --expose-gc --import ${probeFile}`;
    tmux.line(`${node} ${CLI} watch --workers --interval 1s; echo "exit code $?"`);
    await tmux.until('refreshed ', 60_000);
    await pressKeys(tmux, seededRandom('soak'), (simulatedHours * 3_600_000) / SPEED);
    const exitCode = await leave(tmux);
    return { simulatedHours, samples: samplesOf(samplesFile), end: { ...tmux.modes(), exitCode } };
  } finally {
    tmux.stop();
    await sandbox.leave();
    await stopSandbox(folder);
    rmSync(state, { recursive: true, force: true });
  }
}

export interface Holdings {
  readonly heapMb: number;
  readonly residentMb: number;
  readonly handles: number;
  readonly listeners: number;
}

/** The smallest of each in the second quarter and in the last one: what was held even when it held least. */
export function holdings(samples: readonly Sample[]): { readonly early: Holdings; readonly late: Holdings } {
  const quarter = Math.floor(samples.length / 4);
  const least = (some: readonly Sample[]): Holdings => ({
    heapMb: Math.min(...some.map(({ heapMb }) => heapMb)),
    residentMb: Math.min(...some.map(({ residentMb }) => residentMb)),
    handles: Math.min(...some.map(({ handles }) => handles)),
    listeners: Math.min(...some.map(({ listeners }) => listeners)),
  });
  return { early: least(samples.slice(quarter, 2 * quarter)), late: least(samples.slice(-quarter)) };
}

async function pressKeys(tmux: Tmux, random: Random, forMs: number): Promise<void> {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    tmux.keys(...(KEYS[Math.floor(random.next() * KEYS.length)] ?? []));
    if (random.next() < 0.05) tmux.resize(80 + Math.floor(random.next() * 120), 24 + Math.floor(random.next() * 36));
    await delay(KEY_EVERY_MS);
  }
}

/** Ctrl-C leaves from wherever the keys have led. */
async function leave(tmux: Tmux): Promise<number> {
  tmux.keys('C-c');
  const screen = await tmux.until(/exit code \d+/, 90_000);
  return Number(/exit code (\d+)/.exec(screen)?.[1]);
}

function samplesOf(file: string): readonly Sample[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Runs inside the console, and holds nothing itself. */
function probe(file: string): string {
  return `
import { appendFileSync } from 'node:fs';
const complaints = [];
process.on('unhandledRejection', (error) => complaints.push('unhandled: ' + String(error?.stack ?? error)));
process.on('warning', (warning) => complaints.push(String(warning)));
const listeners = (emitter) => emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
setInterval(() => {
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  const sample = {
    atMs: Math.round(performance.now()),
    heapMb: Math.round(heapUsed / 1e5) / 10,
    residentMb: Math.round(rss / 1e5) / 10,
    handles: process.getActiveResourcesInfo().length,
    listeners: listeners(process) + listeners(process.stdin) + listeners(process.stdout),
    complaints: complaints.splice(0),
  };
  appendFileSync(${JSON.stringify(file)}, JSON.stringify(sample) + '\\n');
}, ${SAMPLE_EVERY_MS}).unref();
`;
}
