/**
 * `npm run bench`: measures, and writes bench/RESULTS.md. With names of sections only those; the others keep what they said last.
 * `-- --quick` counts instead and compares with bench/baseline.json; `-- --quick --accept` takes what was counted as the new one.
 */
import { parseArgs } from 'node:util';
import { compareFigures, describeComparison, readBaseline, writeBaseline } from './lib/baseline.ts';
import { findMissing, installPeers } from './lib/peers.ts';
import { writeResults } from './lib/results.ts';
import { SECTIONS, type SectionEntry } from './sections.ts';

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, accept: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});

const USAGE = `npm run bench [-- [--quick [--accept]] [section …]]
Sections: ${SECTIONS.map(({ name }) => name).join(', ')}.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const unknown = names.find((name) => !SECTIONS.some((entry) => entry.name === name));
  if (options.help === true || unknown !== undefined || (options.accept === true && options.quick !== true)) {
    if (unknown !== undefined) say(`There is no section ${unknown}.`);
    process.stdout.write(USAGE);
    return options.help === true ? 0 : 2;
  }
  const chosen = SECTIONS.filter(({ name }) => names.length === 0 || names.includes(name));
  return options.quick === true ? countAll(chosen) : measureAll(chosen);
}

/** 1 when a section failed or could not run; it keeps its last text, the others are written. */
async function measureAll(entries: readonly SectionEntry[]): Promise<number> {
  let code = 0;
  for (const { name, section: load } of entries) {
    if (load === undefined) continue;
    const startedAtMs = performance.now();
    const report = (line: string) => say(`${name}: ${line} (${elapsed(startedAtMs)})`);
    try {
      const { section } = await load();
      installPeers(section.needs ?? []);
      const missing = findMissing(section.needs ?? []);
      if (missing.length > 0) throw new Error(`it needs ${missing.join(' ')}; install them: apt-get install …`);
      report(`${section.title} begins`);
      const { markdown } = await section.run(report);
      writeResults({ name, title: section.title, markdown });
      report('done');
    } catch (error) {
      code = 1;
      say(`${name}: failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return code;
}

/** 1 when a figure rose, or is not known yet. */
async function countAll(entries: readonly SectionEntry[]): Promise<number> {
  const startedAtMs = performance.now();
  const counted: Record<string, number> = {};
  const taken = entries.flatMap(({ name, counted: load }) => (load === undefined ? [] : [{ name, load }]));
  for (const { name, load } of taken) {
    const figures = await (await load()).counted.run();
    for (const [figure, value] of Object.entries(figures)) counted[`${name}.${figure}`] = value;
    say(`${name}: counted (${elapsed(startedAtMs)})`);
  }
  const isTaken = (figure: string) => taken.some(({ name }) => figure.startsWith(`${name}.`));
  const baseline = readBaseline();
  const comparison = compareFigures(baseline, counted, isTaken);
  process.stdout.write(`${describeComparison(comparison, Object.keys(counted).length)}\n`);
  if (options.accept === true) {
    writeBaseline({
      ...Object.fromEntries(Object.entries(baseline).filter(([figure]) => !isTaken(figure))),
      ...counted,
    });
    process.stdout.write('bench/baseline.json has the figures of this run now; commit it with the reason.\n');
    return 0;
  }
  return comparison.risen.length + comparison.unknown.length > 0 ? 1 : 0;
}

function elapsed(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1_000).toFixed(0)} s`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
