/** How long programs take from their start to a screen that is painted. */
import { fileURLToPath } from 'node:url';
import type { Size } from '../../src/ui/layout.ts';
import { median } from '../lib/stats.ts';
import { analysePaint, type Paint } from './analysis.ts';
import { type Contender, environmentIn } from './contenders.ts';
import { recordPaint, recordWatching } from './recording.ts';
import { SETTINGS } from './settings.ts';

/**
 * The median of several starts of each; the first, which fills caches, is not counted. Those that are compared take turns, so
 * that what else the machine does meets them alike. Null for what never painted.
 */
export async function paintsOf(contenders: readonly Contender[], size: Size): Promise<(Paint | null)[]> {
  const paints = contenders.map((): Paint[] => []);
  for (let round = 0; round <= SETTINGS.paints; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const paint = await paintOf(contender, size);
      if (paint !== null && round > 0) paints[index]?.push(paint);
    }
  }
  return paints.map(middle);
}

/** The least that a program with the screen library needs. */
export function emptyProgram(folder: string): Contender {
  return {
    name: 'an empty program with blessed',
    version: '',
    command: [process.execPath, fileURLToPath(new URL('./empty-blessed.cjs', import.meta.url))],
    environment: environmentIn(folder),
    drawsCharts: false,
    ownInterval: null,
  };
}

/** The verdict, which comes with the first whole snapshot. */
const OUR_FIGURES = / SANDBOX +(OK|WARNING|CRITICAL) /;
const OUR_SECONDS = 1.5;
const MOST_SECONDS = 4;

async function paintOf(contender: Contender, size: Size): Promise<Paint | null> {
  const program = { ...contender, size };
  if (contender.name.startsWith('email-ops'))
    return analysePaint(await recordWatching(program, 0, OUR_SECONDS), size, OUR_FIGURES);
  return analysePaint(await recordPaint(program, MOST_SECONDS), size, null);
}

function middle(paints: readonly Paint[]): Paint | null {
  if (paints.length === 0) return null;
  const times = paints.flatMap(({ wordsMs }) => (wordsMs === null ? [] : [wordsMs]));
  return {
    paintedMs: median(paints.map(({ paintedMs }) => paintedMs)),
    bytes: median(paints.map(({ bytes }) => bytes)),
    wordsMs: times.length === 0 ? null : median(times),
  };
}
