/** What a recording tells: when the screen was painted, what a refresh took, and what it would have taken at best. */
import type { Size } from '../../src/ui/layout.ts';
import { blankGrid, createGridTerminal, type Grid } from './grid.ts';
import { idealDiff } from './ideal.ts';
import type { Chunk, Recording } from './recording.ts';

export interface Watching {
  readonly seconds: number;
  readonly bytes: number;
  /** Bytes of an ideal diff of the same grids, frame by frame. */
  readonly idealBytes: number;
  readonly cells: number;
  readonly frames: number;
  readonly cpuSeconds: number;
  /** At the end of the window. */
  readonly memoryBytes: number;
}

/** What came with less than this between it belongs to one frame. */
const FRAME_GAP_MS = 25;

/** Of the window of a recording. */
export async function analyseWatching({ chunks, usage }: Recording, size: Size): Promise<Watching> {
  const [first, last] = usage;
  if (first === undefined || last === undefined) throw new Error('the program ended before it had been watched');
  const terminal = createGridTerminal(size);
  let grid: Grid = blankGrid(size);
  const sums = { bytes: 0, idealBytes: 0, cells: 0, frames: 0 };
  for (const frame of framesOf(chunks.filter(({ atMs }) => atMs <= last.atMs))) {
    const next = await terminal.after(frame.bytes);
    if (frame.atMs >= first.atMs) {
      const ideal = idealDiff(grid, next);
      sums.bytes += frame.bytes.length;
      sums.idealBytes += ideal.bytes;
      sums.cells += ideal.cells;
      sums.frames += 1;
    }
    grid = next;
  }
  terminal.dispose();
  return {
    ...sums,
    seconds: (last.atMs - first.atMs) / 1_000,
    cpuSeconds: last.cpuSeconds - first.cpuSeconds,
    memoryBytes: last.memoryBytes,
  };
}

export interface Paint {
  /** Until the first frame was whole. */
  readonly paintedMs: number;
  readonly bytes: number;
  /** Until `words` were on the screen; null where they never were. */
  readonly wordsMs: number | null;
}

/** A frame that says something has more bytes than this; what sets modes up has fewer. */
const PAINTED_BYTES = 500;

export async function analysePaint({ chunks }: Recording, size: Size, words: RegExp | null): Promise<Paint | null> {
  let bytes = 0;
  let painted: Omit<Paint, 'wordsMs'> | null = null;
  let wordsMs: number | null = null;
  const terminal = createGridTerminal(size);
  for (const frame of framesOf(chunks)) {
    bytes += frame.bytes.length;
    await terminal.after(frame.bytes);
    if (painted === null && bytes >= PAINTED_BYTES) painted = { paintedMs: frame.endMs, bytes };
    if (wordsMs === null && words?.test(terminal.text()) === true) wordsMs = frame.endMs;
  }
  terminal.dispose();
  return painted === null ? null : { ...painted, wordsMs };
}

interface Frame extends Chunk {
  readonly endMs: number;
}

function framesOf(chunks: readonly Chunk[]): Frame[] {
  const frames: { atMs: number; endMs: number; parts: Buffer[] }[] = [];
  for (const { atMs, bytes } of chunks) {
    const last = frames.at(-1);
    if (last !== undefined && atMs - last.endMs < FRAME_GAP_MS) {
      last.parts.push(bytes);
      last.endMs = atMs;
    } else frames.push({ atMs, endMs: atMs, parts: [bytes] });
  }
  return frames.map(({ atMs, endMs, parts }) => ({ atMs, endMs, bytes: Buffer.concat(parts) }));
}
