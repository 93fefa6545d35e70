/** The section "One cycle in the process": what a refresh costs from bytes to cells, as what is watched grows. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Cell, figure, table } from '../lib/table.ts';
import type { Section } from '../section.ts';
import { PAGES_DOWN } from './list.ts';
import type { Measurements, Row } from './measure.ts';

export const section: Section = {
  name: 'cycle',
  title: 'One cycle in the process',
  run: async (report) => {
    report('time series and queue list');
    const { series, list } = await measured();
    return { markdown: markdownOf(series, list) };
  },
};

/** As `watch` sets V8 for itself (src/commands/dashboard/open.ts). */
const FLAGS = [
  '--semi-space-growth-factor=1',
  '--no-opt',
  '--no-maglev',
  '--optimize-for-size',
  '--disable-warning=ExperimentalWarning',
];

async function measured(): Promise<Measurements> {
  const program = fileURLToPath(new URL('./measure.ts', import.meta.url));
  const child = spawn(process.execPath, [...FLAGS, program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`measure.ts ended with ${code}`);
  return JSON.parse(output) as Measurements;
}

/** Flat: so much more, in all, for the largest than for the smallest; a tenth of a millisecond is noise. */
const TARGET_RATIO = 2;
const NOISE_MS = 0.1;

function markdownOf(series: readonly Row[], list: readonly Row[]): string {
  const seriesSteps = ['none', 'one', 'reduce', 'view', 'draw'];
  const listSteps = ['parse', 'reduce', 'view', 'draw'];
  return [
    `Milliseconds, medians of rounds after some to warm up, at 120×36, in a process whose V8 is set as the dashboard sets it (without
the optimising compilers, which a screen that changes once a second never pays back). A refresh parses what came, reduces it into
the state, makes the view of it and draws the cells; the view is made and drawn once a second besides, for clocks and ages.`,
    `### As the time series grows

The whole series is parsed once, at the start; each later refresh brings the points since.`,
    table(
      [
        'points in 24 h',
        'parse all, once',
        'parse: nothing new',
        'parse: one point',
        'reduce',
        'view',
        'draw',
        'parse, reduce and view with one point',
      ],
      series.map((row) => cells(row, ['points'], ['all', ...seriesSteps, 'viewOne'])),
      { words: [] },
    ),
    `${flatness('a refresh and its picture', series, seriesSteps)} Not flat, and not meant to be: the first read, which looks at every
point once (${perPoint(series)} µs each; a day of the health monitor has 288), and the picture after a point more, which looks at those in its
range, once each five minutes.`,
    `### As the queue grows

The list is paged: whatever its length, a page is parsed and at most 300 rows are held. Measured after ${PAGES_DOWN} pages down; flat is
counted from 1,000 rows on, where the view is full.`,
    table(
      ['rows in the queue', 'rows held', 'parse a page', 'reduce a key', 'view', 'draw'],
      list.map((row) => cells(row, ['rows', 'held'], listSteps)),
      { words: [] },
    ),
    flatness(
      'a key and its picture',
      list.filter((row) => (row.rows ?? 0) >= 1_000),
      listSteps,
    ),
  ].join('\n\n');
}

function perPoint(series: readonly Row[]): string {
  const { all = Number.NaN, points = Number.NaN } = series.at(-1) ?? {};
  return figure((all / points) * 1_000);
}

function cells(row: Row, counts: readonly string[], times: readonly string[]): Cell[] {
  return [
    ...counts.map((name) => figure(row[name] ?? Number.NaN)),
    ...times.map((name) => ms(row[name] ?? Number.NaN)),
  ];
}

function ms(value: number): string {
  return figure(value, value < 1 ? 3 : value < 100 ? 1 : 0);
}

function flatness(what: string, rows: readonly Row[], steps: readonly string[]): string {
  const sums = rows.map((row) => steps.reduce((sum, step) => sum + (row[step] ?? 0), 0));
  const [first, last] = [sums[0] ?? Number.NaN, sums.at(-1) ?? Number.NaN];
  const isFlat = last <= first * TARGET_RATIO + NOISE_MS;
  const size = (row: Row | undefined) => figure(row?.points ?? row?.rows ?? Number.NaN);
  return `Target: flat. Together ${what} take ${ms(first)} ms at ${size(rows[0])} and ${ms(last)} ms at ${size(rows.at(-1))}: ${isFlat ? 'met' : '**missed**'}.`;
}
