/** A program in a real terminal (pty-meter.py): what it sent and when, and what it cost. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Size } from '../../src/ui/layout.ts';

export interface Recording {
  readonly chunks: readonly Chunk[];
  /** When the window was opened and closed; empty for a recording of the first paint. */
  readonly usage: readonly Usage[];
  readonly end: 'window' | 'exited';
}

export interface Chunk {
  readonly atMs: number;
  readonly bytes: Buffer;
}

/** Of the program and all that it started. */
export interface Usage {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

export interface Recorded {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly size: Size;
}

/** From its start until what was drawn first has been there for 300 ms, or for `seconds`. */
export function recordPaint(program: Recorded, seconds: number): Promise<Recording> {
  return record(program, ['--paint', '--warm', '0', '--seconds', String(seconds)]);
}

/** From its start, for `warmSeconds` and then a window of `seconds`. */
export function recordWatching(program: Recorded, warmSeconds: number, seconds: number): Promise<Recording> {
  return record(program, ['--warm', String(warmSeconds), '--seconds', String(seconds)]);
}

const METER = fileURLToPath(new URL('./pty-meter.py', import.meta.url));

async function record({ command, environment, size }: Recorded, options: readonly string[]): Promise<Recording> {
  const { columns, rows } = size;
  const shape = ['--columns', String(columns), '--rows', String(rows)];
  const child = spawn('python3', [METER, ...shape, ...options, '--', ...command], {
    env: { ...environment, TERM: 'xterm-256color', COLORTERM: '', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`pty-meter.py ended with ${code}: ${errors}`);
  return parseRecording(output);
}

interface Written {
  readonly at: number;
  readonly bytes?: string;
  readonly cpu?: number;
  readonly memory?: number;
  readonly end?: 'window' | 'exited';
}

function parseRecording(text: string): Recording {
  const written = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Written);
  return {
    chunks: written.flatMap(({ at, bytes }) =>
      bytes === undefined ? [] : [{ atMs: at, bytes: Buffer.from(bytes, 'base64') }],
    ),
    usage: written.flatMap(({ at, cpu, memory }) =>
      cpu === undefined || memory === undefined ? [] : [{ atMs: at, cpuSeconds: cpu, memoryBytes: memory }],
    ),
    end: written.at(-1)?.end ?? 'exited',
  };
}
