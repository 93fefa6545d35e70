/** The steps of a cycle, timed, in a process with the same settings of V8 as the dashboard's. Prints what it found as JSON. */
import { median } from '../lib/stats.ts';
import { createListCycle } from './list.ts';
import { createSeriesCycle } from './series.ts';

export const POINTS = [10, 100, 1_000, 10_000, 100_000];
export const ROWS = [10, 100, 1_000, 10_000, 100_000, 1_000_000];

export type Row = Readonly<Record<string, number>>;

export interface Measurements {
  readonly series: readonly Row[];
  readonly list: readonly Row[];
}

/** Milliseconds: the median of many rounds after a few to warm up. `between` is not timed. */
function timed(step: () => void, { between, rounds = 60 }: { between?: () => void; rounds?: number } = {}): number {
  const times: number[] = [];
  for (let round = -Math.ceil(rounds / 3); round < rounds; round += 1) {
    between?.();
    const beganMs = performance.now();
    step();
    if (round >= 0) times.push(performance.now() - beganMs);
  }
  return median(times);
}

function seriesRow(points: number): Row {
  const cycle = createSeriesCycle(points);
  const row = {
    points,
    all: timed(cycle.parseAll, { rounds: points >= 10_000 ? 3 : 15 }),
    none: timed(cycle.parseNothingNew),
    one: timed(cycle.parseOneMore),
    reduce: timed(cycle.reduce),
    view: timed(cycle.view),
    draw: timed(cycle.draw, { between: cycle.view }),
    viewOne: timed(cycle.viewOneMore, { rounds: 15 }),
  };
  cycle.destroy();
  return row;
}

function listRow(rows: number): Row {
  const cycle = createListCycle(rows);
  const row = {
    rows,
    parse: timed(cycle.parse),
    reduce: timed(cycle.reduce),
    view: timed(cycle.view),
    draw: timed(cycle.draw, {
      between: () => {
        cycle.reduce();
        cycle.view();
      },
    }),
    held: cycle.rowsHeld(),
  };
  cycle.destroy();
  return row;
}

if (import.meta.main) {
  // What is compiled and loaded with the first is nobody's cost.
  seriesRow(100);
  listRow(100);
  const measurements: Measurements = { series: POINTS.map(seriesRow), list: ROWS.map(listRow) };
  process.stdout.write(JSON.stringify(measurements), () => process.exit());
}
