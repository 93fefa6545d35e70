/** The report's sections on what takes long: the full queue and the soak. */
import type { Drain } from './million.ts';
import { machineLine, seconds } from './report.ts';
import { holdings, type Soak } from './soak.ts';

export function drainText({ rows, workers, tookMs, completed, logged, counted, steps }: Drain): string {
  const ms = (value: number) => `${Math.round(value)} ms`;
  const table = steps.map((step) =>
    row([
      `${Math.round(step.from * 100)} %`,
      ms(step.claimMedianMs),
      ms(step.claimP95Ms),
      ms(step.finishMedianMs),
      ms(step.overviewMedianMs),
      ms(step.overviewMaxMs),
    ]),
  );
  const head = ['drained', 'claim', 'claim, 95 %', 'finish', 'overview', 'overview, longest'];
  return `${rows.toLocaleString('en')} rows drained by ${workers} workers, 500 at a time, in ${seconds(tookMs)}: ${Math.round(rows / (tookMs / 1_000)).toLocaleString('en')} a second.
Afterwards ${completed.toLocaleString('en')} rows are completed, ${logged.toLocaleString('en')} deliveries logged, and the counters say ${counted.toLocaleString('en')}. ${machineLine()}

${[row(head), row(head.map(() => '---:')), ...table].join('\n')}`;
}

export function soakText({ simulatedHours, samples, end }: Soak): string {
  const { early, late } = holdings(samples);
  const complaints = samples.flatMap((sample) => sample.complaints);
  const rows = [
    ['heap after collection', `${early.heapMb} MB`, `${late.heapMb} MB`],
    ['resident', `${early.residentMb} MB`, `${late.residentMb} MB`],
    ['handles', early.handles, late.handles],
    ['listeners', early.listeners, late.listeners],
  ];
  const isClean = !end.alternate && end.cursor && !end.mouse && end.exitCode === 0;
  return `The console in a terminal with embedded workers, over the sandbox in its incident scenario: ${simulatedHours} simulated hours at 600 times the speed
of life, ${samples.length} samples, keys pressed all the while. ${complaints.length} unhandled rejections and runtime warnings; the terminal was left ${isClean ? 'clean' : 'dirty'}.

${[row(['least held', 'second quarter', 'last quarter']), row(['---', '---:', '---:']), ...rows.map(row)].join('\n')}`;
}

function row(cells: readonly unknown[]): string {
  return `| ${cells.join(' | ')} |`;
}
