/** The section's words and tables, with each target beside what was measured. */
import { figure, table } from '../lib/table.ts';
import type { Paint, Watching } from './analysis.ts';
import type { Contender } from './contenders.ts';
import { SETTINGS, SIZES } from './settings.ts';

export interface Measured {
  readonly contender: Contender;
  /** By the sizes. */
  readonly paints: readonly (Paint | null)[];
  /** Of the empty program, started in turn with ours. */
  readonly floor: readonly (Paint | null)[];
  readonly watchings: readonly Watching[];
}

export interface Everything {
  readonly measured: readonly Measured[];
  readonly missing: readonly string[];
}

const TARGET = { ratio: 1.5, paintMs: 150 };

export function reportOf({ measured, missing }: Everything): string {
  const { intervalSeconds, windowSeconds, paints } = SETTINGS;
  const left = missing.length === 0 ? '' : `Not installed here, so left out: ${missing.join(', ')}. `;
  const fixed = measured.filter(({ contender }) => contender.ownInterval !== null);
  const own = fixed.map(({ contender }) => `${contender.name} has its own (${contender.ownInterval})`).join(', ');
  return [
    `Each program in a real terminal of its own for ${windowSeconds} s, after ${SETTINGS.warmSeconds} s to settle, at an interval of ${intervalSeconds} s; ${own}. A refresh
is everything sent within an interval: with us and with btop also the ticking clock. First paints are medians of ${paints} starts after one that
filled the caches; each ends when the first frame is whole. The empty program with blessed is
started in turn with ours. The incident happens ${SETTINGS.incidentSpeed} times as fast as life. ${left}Versions: ${versions(measured)}.`,
    ...SIZES.map(
      (size, index) =>
        `### ${size.columns}×${size.rows}\n\n${watchingTable(measured, index)}\n\n${judged(measured, index)}`,
    ),
    `### First paint\n\n${paintTable(measured)}`,
    `Memory is that of the program and all that it started at the end of the window, after ${Math.round(windowSeconds / intervalSeconds)} refreshes. That it does not grow with
the hours is held by [dashboard-growth.test.ts](../tests/real/dashboard-growth.test.ts): less than 1.5 MB of heap from the
1,000th to the 10,000th refresh, which are fourteen hours at 5 s.`,
  ].join('\n\n');
}

function versions(measured: readonly Measured[]): string {
  return measured
    .filter(({ contender }) => contender.version !== 'this')
    .map(({ contender }) => `${contender.name} ${contender.version}`)
    .join(', ');
}

function perRefresh(bytes: number, { seconds }: Watching): number {
  return (bytes / seconds) * SETTINGS.intervalSeconds;
}

function watchingTable(measured: readonly Measured[], index: number): string {
  const rows = measured.flatMap(({ contender, watchings }) => {
    const watching = watchings[index];
    if (watching === undefined) return [];
    const { bytes, idealBytes, cells, seconds, cpuSeconds, memoryBytes } = watching;
    return [
      [
        `${contender.name}${contender.drawsCharts ? '' : ' (no charts)'}`,
        figure(perRefresh(bytes, watching)),
        figure(perRefresh(cells, watching)),
        figure(perRefresh(idealBytes, watching)),
        idealBytes === 0 ? null : `${figure(bytes / idealBytes, 2)}×`,
        `${figure((bytes / seconds) * 3.6)} kB`,
        `${figure((cpuSeconds / seconds) * 3_600)} s`,
        `${figure(memoryBytes / 1e6)} MB`,
      ],
    ];
  });
  const head = [
    '',
    'bytes a refresh',
    'cells changed',
    'ideal diff',
    'of the ideal',
    'sent an hour',
    'CPU an hour',
    'memory',
  ];
  return table(head, rows);
}

/** Target, measured, met or not. */
function judged(measured: readonly Measured[], index: number): string {
  const isOurs = ({ contender }: Measured) => contender.name.startsWith('email-ops');
  const bytesOf = ({ watchings }: Measured) => {
    const watching = watchings[index];
    return watching === undefined ? Number.NaN : perRefresh(watching.bytes, watching);
  };
  const ours = measured.filter(isOurs);
  const charted = measured.filter((each) => each.contender.drawsCharts && !isOurs(each));
  const least = Math.min(...charted.map(bytesOf));
  const most = Math.max(...ours.map(bytesOf));
  const ratios = ours.map(({ watchings }) => (watchings[index]?.bytes ?? 0) / (watchings[index]?.idealBytes ?? 0));
  const behind = Math.max(
    ...ours.map(
      ({ paints, floor }) => (paints[index]?.paintedMs ?? Number.NaN) - (floor[index]?.paintedMs ?? Number.NaN),
    ),
  );
  const rows = [
    ['fewest bytes of those that draw charts', `under ${figure(least)}`, figure(most), met(most < least)],
    [
      'bytes against the ideal diff',
      `at most ${TARGET.ratio}×`,
      `${figure(Math.max(...ratios), 2)}×`,
      met(Math.max(...ratios) <= TARGET.ratio),
    ],
    [
      'first paint behind an empty program with blessed',
      `within ${TARGET.paintMs} ms`,
      `${figure(behind)} ms`,
      met(behind <= TARGET.paintMs),
    ],
  ];
  return table(['target', 'wanted', 'ours, the worse of both', ''], rows, { words: [0, 3] });
}

function met(isMet: boolean): string {
  return isMet ? 'met' : '**missed**';
}

function paintTable(measured: readonly Measured[]): string {
  const ms = (value: number | null | undefined) =>
    value === null || value === undefined ? null : `${figure(value)} ms`;
  const row = (name: string, paints: readonly (Paint | null)[]) => [
    name,
    ...SIZES.flatMap((_, index) => [ms(paints[index]?.paintedMs), ms(paints[index]?.wordsMs)]),
    ...SIZES.map((_, index) => (paints[index] == null ? null : figure(paints[index].bytes))),
  ];
  const head = [
    '',
    ...SIZES.flatMap(({ columns, rows }) => [`${columns}×${rows}`, 'with our figures']),
    ...SIZES.map(({ columns, rows }) => `bytes ${columns}×${rows}`),
  ];
  return table(head, [
    row('an empty program with blessed', measured[0]?.floor ?? []),
    ...measured.map(({ contender, paints }) => row(contender.name, paints)),
  ]);
}
