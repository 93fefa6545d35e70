/** The command line from outside: as a process of its own, or in this one with a terminal made of strings. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Io } from '../../src/commands/io.ts';

export const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface Finished {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Added to an environment that knows no credentials. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly folder?: string;
  /** Runs instead of `node src/cli.ts`. */
  readonly command?: readonly [string, ...string[]];
}

export interface Running {
  readonly child: ChildProcess;
  stdout(): string;
  /** Resolves when stdout matches; rejects when the process ends before. */
  untilStdout(pattern: RegExp): Promise<void>;
  finished(): Promise<Finished>;
}

/** Nothing of this machine's environment decides what a test sees; a state folder of its own keeps sandboxes apart. */
export function cleanEnvironment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  const folders = { XDG_STATE_HOME: temporaryFolder(), XDG_CACHE_HOME: join(tmpdir(), 'email-ops-cli-cache') };
  return { PATH, HOME, ...folders, TZ: 'UTC', LANG: 'C.UTF-8', ...env };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'email-ops-cli-'));
}

export function startCli(args: readonly string[], options: RunOptions = {}): Running {
  const [binary, ...first] = options.command ?? [process.execPath, CLI];
  const child = spawn(binary, [...first, ...args], {
    cwd: options.folder ?? temporaryFolder(),
    env: cleanEnvironment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined); // it did not read what it was given
  child.stdin.end(options.input ?? '');
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return {
    child,
    stdout: () => stdout,
    untilStdout: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(stdout)) return;
          child.stdout.off('data', look);
          resolve();
        };
        child.stdout.on('data', look);
        closed.then(() => reject(new Error(`It ended before ${pattern}: ${stdout}${stderr}`)), reject);
        look();
      }),
    finished: async () => {
      const [exitCode, signal] = await closed;
      return { exitCode, signal, stdout, stderr };
    },
  };
}

/** Runs `email-ops` to its end. */
export function runCliProcess(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return startCli(args, options).finished();
}

export interface StringIo extends Io {
  readonly output: { stdout: string; stderr: string };
}

/** A terminal (or not) that remembers what was written. */
export function stringIo(
  options: { isTty?: boolean; columns?: number; unicode?: boolean; now?: () => number; stdin?: string } = {},
): StringIo {
  const output = { stdout: '', stderr: '' };
  const { isTty = false, columns = 80, unicode = true, now = () => 0, stdin = '' } = options;
  const to = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      output[name] += text;
    },
    isTty,
    columns,
    rows: 24,
  });
  return {
    output,
    stdout: to('stdout'),
    stderr: to('stderr'),
    stdin: {
      isTty,
      sizeBytes: Buffer.byteLength(stdin),
      [Symbol.asyncIterator]: async function* () {
        yield stdin;
      },
    },
    colour: false,
    unicode,
    now,
  };
}
