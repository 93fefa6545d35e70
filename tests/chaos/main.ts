/**
 * The chaos suite from one command, which writes REPORT.md: `npm run chaos -- --runs 200`. Ends with 1 if anything was lost,
 * doubled or wrong. `--million` and `--soak <hours>` write their sections alone; `--only <words>` looks at some experiments,
 * `--seed 17 --runs 1 --no-alone --log` at one combination and at what its workers said, `--times 20` looks again and again.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type CarriedOut, carryOut } from './lib/carry-out.ts';
import type { Experiment } from './lib/experiment.ts';
import { drain } from './lib/million.ts';
import { alone, combination, FAULT_GROUPS } from './lib/plan.ts';
import { machineLine, repeatedOf, type Section, summarize, tableOf, violationsOf, writeReport } from './lib/report.ts';
import { drainText, soakText } from './lib/report-long.ts';
import { soak } from './lib/soak.ts';
import { createWorldPool } from './lib/world-pool.ts';

const TITLES = ['Summary', 'Each fault alone', 'Combinations', 'One million rows', 'Soak'];

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    'at-once': { type: 'string', default: '3' },
    only: { type: 'string' },
    times: { type: 'string', default: '1' },
    'no-alone': { type: 'boolean', default: false },
    'no-report': { type: 'boolean', default: false },
    // Nothing but this one.
    million: { type: 'boolean', default: false },
    soak: { type: 'string' },
    log: { type: 'boolean', default: false },
  },
});
const pattern = new RegExp(values.only ?? '');
const singles = values['no-alone'] ? [] : Object.values(FAULT_GROUPS).flat().map(alone);
const combined = Array.from({ length: Number(values.runs) }, (_, n) => combination(Number(values.seed) + n));

// Servers and workers end with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const reportPath = fileURLToPath(new URL('REPORT.md', import.meta.url));
if (values.million) {
  writeReport(reportPath, TITLES, [{ title: 'One million rows', body: drainText(await drain()) }]);
  process.exit(0);
}
if (values.soak !== undefined) {
  writeReport(reportPath, TITLES, [{ title: 'Soak', body: soakText(await soak(Number(values.soak))) }]);
  process.exit(0);
}

const worlds = createWorldPool(Number(values['at-once']));
const notCarriedOut: string[] = [];
const say = (line: string) => process.stdout.write(`${line}\n`);
const outcomes = { singles: await runAll(singles), combined: await runAll(combined) };
await worlds.stop();
const all = [...outcomes.singles, ...outcomes.combined];
say(`\n${summarize(all)}\n`);
say(violationsOf(all));
if (!values['no-report'] && values.times === '1' && values.only === undefined && !values['no-alone']) report();
process.exitCode = all.every(({ violations }) => violations.length === 0) && notCarriedOut.length === 0 ? 0 : 1;

async function runAll(experiments: readonly Experiment[]): Promise<readonly CarriedOut[]> {
  const wanted = experiments.filter(({ name }) => pattern.test(name));
  const repeated = Array.from({ length: Number(values.times) }, () => wanted).flat();
  const outcomes = await Promise.all(repeated.map((experiment) => carryOut(worlds, experiment).then(tell, giveUp)));
  return outcomes.filter((outcome) => outcome !== null);

  function giveUp(error: Error): null {
    notCarriedOut.push(error.message);
    say(`NONE ${error.message}`);
    return null;
  }
}

function tell(outcome: CarriedOut): CarriedOut {
  const { experiment, violations, spoiled, judgement, tookMs, recoveredMs } = outcome;
  const isFine = violations.length === 0;
  const { delivered, enqueued } = judgement;
  say(
    `${isFine ? 'ok  ' : 'FAIL'} ${experiment.name}: ${delivered} of ${enqueued} delivered, recovered in ${recoveredMs} ms, took ${tookMs} ms`,
  );
  for (const reason of spoiled) say(`     repeated: ${reason}`);
  for (const violation of violations.slice(0, 8)) say(`     ${violation}`);
  if (values.log && !isFine) say(outcome.log.map((line) => `       ${line}`).join('\n'));
  return outcome;
}

function report(): void {
  const last = Number(values.seed) + Number(values.runs) - 1;
  const command = `\`npm run chaos -- --runs ${values.runs} --seed ${values.seed}\``;
  const sections: Section[] = [
    {
      title: 'Summary',
      body: `${command}. ${machineLine()}\n\n${summarize(all)}\n\n${[violationsOf(all), ...notCarriedOut.map((why) => `- ${why}`), repeatedOf(all)].join('\n')}`,
    },
    { title: 'Each fault alone', body: tableOf(outcomes.singles) },
    {
      title: 'Combinations',
      body: `Seeds ${values.seed} to ${last}: two to four faults at random times on a random load.\n\n${tableOf(outcomes.combined)}`,
    },
  ];
  writeReport(reportPath, TITLES, sections);
}
