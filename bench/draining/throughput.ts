/** How fast our queue processor is by batch, concurrency and slots: computed, and measured where a provider takes 300 ms an email. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { figure, table } from '../lib/table.ts';
import { startWorker } from '../lib/worker-process.ts';
import { FIXED } from './latency.ts';
import type { Servers } from './servers.ts';
import { OURS, ourVariant, settingOf } from './systems.ts';

interface Row {
  readonly batchSize: number;
  readonly concurrency: number;
  readonly slots: number;
}

const ROWS: readonly Row[] = [
  { batchSize: 100, concurrency: 10, slots: 1 },
  { batchSize: 500, concurrency: 10, slots: 1 },
  { batchSize: 100, concurrency: 20, slots: 1 },
  { batchSize: 500, concurrency: 20, slots: 1 },
  { batchSize: 500, concurrency: 20, slots: 2 },
  { batchSize: 500, concurrency: 20, slots: 4 },
];
const DOCS = fileURLToPath(new URL('../../docs/deploying.md', import.meta.url));
const MARK = '<!-- measured by npm run bench -->';
/** So many seconds of work at the computed speed. */
const SECONDS = 6;

/** The table of what was measured, as Markdown: it stands in RESULTS.md and in docs/deploying.md. */
export async function measureThroughput(servers: Servers, report: (line: string) => void): Promise<string> {
  const rows: (string | number)[][] = [];
  for (const row of ROWS) {
    const { batchSize, concurrency, slots } = row;
    const computed = (concurrency * slots) / (FIXED.medianMs / 1_000);
    const perSecond = await measureRow(servers, row, Math.round(computed * SECONDS));
    rows.push([
      batchSize,
      concurrency,
      slots,
      figure(computed, 1),
      figure(perSecond, 1),
      figure(Math.floor((perSecond * 3_600) / 1_000) * 1_000),
    ]);
    report(`batch ${batchSize}, concurrency ${concurrency}, slots ${slots}: ${figure(perSecond, 1)} emails a second`);
  }
  const head = ['batch', 'concurrency', 'slots', 'computed, emails a second', 'measured', 'emails an hour'];
  return table(head, rows, { words: [] });
}

/** Puts the table where the guide to deploying has it, between two marks, so that there is one source of it. */
export function writeIntoDocs(measured: string): void {
  const text = readFileSync(DOCS, 'utf8');
  const [before, , after] = text.split(MARK);
  if (before === undefined || after === undefined) throw new Error(`docs/deploying.md has not two marks ${MARK}`);
  writeFileSync(DOCS, `${before}${MARK}\n${measured}\n${MARK}${after}`);
}

/** Emails a second, from the first that arrived to the last that was answered. */
async function measureRow(servers: Servers, { batchSize, concurrency, slots }: Row, count: number): Promise<number> {
  await OURS.fill(servers, count);
  await servers.endpoint.reset(FIXED, count);
  const variant = ourVariant({ batchSize, slots, isShared: true });
  const setting = { ...settingOf(OURS, servers, count, concurrency), ...variant };
  const workers = await Promise.all(Array.from({ length: slots }, () => startWorker(OURS.script, setting)));
  await Promise.all(workers.map((worker) => worker.drain(120_000)));
  const arrivals = await servers.endpoint.arrivals();
  const from = arrivals[0]?.atEpochMs ?? 0;
  const to = Math.max(...arrivals.map(({ answeredAtEpochMs }) => answeredAtEpochMs ?? 0));
  return arrivals.length / ((to - from) / 1_000);
}
