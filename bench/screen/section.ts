/** The section "The screen": what watching costs a terminal, a processor and memory, beside other programs and the least possible. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { joinOrStartSandbox, stopSandbox } from '../../src/sandbox/launcher.ts';
import type { Size } from '../../src/ui/layout.ts';
import { isPostgresMissing, type PostgresCluster, startPostgres } from '../../tests/support/postgres.ts';
import { median } from '../lib/stats.ts';
import type { Section } from '../section.ts';
import { analysePaint, analyseWatching, type Paint, type Watching } from './analysis.ts';
import { type Contender, environmentIn, findPeers, ourDashboard, ROOT } from './contenders.ts';
import { recordPaint, recordWatching } from './recording.ts';
import { type Measured, reportOf } from './report.ts';
import { SETTINGS, SIZES } from './settings.ts';

export const section: Section = {
  name: 'screen',
  title: 'The screen',
  needs: ['gtop'],
  run: async (report) => {
    build(report);
    const folder = mkdtempSync(join(tmpdir(), 'email-ops-bench-screen-'));
    const postgres = isPostgresMissing() ? null : await startPostgres();
    try {
      return { markdown: await measure(folder, postgres, report) };
    } finally {
      await postgres?.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

/** What is measured is what is installed. */
function build(report: (line: string) => void): void {
  report('npm run build');
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'build.mjs')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm run build failed: ${stderr}`);
}

async function measure(
  folder: string,
  postgres: PostgresCluster | null,
  report: (line: string) => void,
): Promise<string> {
  const { intervalSeconds } = SETTINGS;
  const postgresUrl = postgres?.url ?? null;
  const { peers, missing } = findPeers({ folder: join(folder, 'peers'), intervalSeconds, postgresUrl });
  if (missing.length > 0) report(`without ${missing.join(', ')}: apt-get install ${missing.join(' ')}`);
  const measured: Measured[] = [];
  for (const scenario of ['calm', 'incident'] as const) {
    const home = join(folder, scenario);
    const ours = ourDashboard(scenario, { folder: home, intervalSeconds });
    const sandbox = join(home, 'state', 'email-ops', 'sandbox');
    const isIncident = scenario === 'incident';
    const joined = await joinOrStartSandbox({
      folder: sandbox,
      scenario,
      speed: isIncident ? SETTINGS.incidentSpeed : 1,
    });
    try {
      if (isIncident) await delay(SETTINGS.incidentSeconds * 1_000);
      measured.push(await measureOne(ours, report));
    } finally {
      await joined.leave();
      await stopSandbox(sandbox);
    }
  }
  for (const peer of peers) measured.push(await measureOne(peer, report, { load: postgres }));
  report('the empty program with blessed');
  const empty: Contender = {
    name: 'an empty program with blessed',
    version: '',
    command: [process.execPath, fileURLToPath(new URL('./empty-blessed.cjs', import.meta.url))],
    environment: environmentIn(join(folder, 'empty')),
    drawsCharts: false,
    ownInterval: null,
  };
  const floor = await Promise.all(SIZES.map((size) => paintOf(empty, size)));
  return reportOf({ measured, floor, missing });
}

/** Both sizes at once: they take little, and what they send does not depend on it. First paints one after the other. */
async function measureOne(
  contender: Contender,
  report: (line: string) => void,
  { load }: { load: PostgresCluster | null } = { load: null },
): Promise<Measured> {
  report(contender.name);
  const paints: (Paint | null)[] = [];
  for (const size of SIZES) paints.push(await paintOf(contender, size));
  const working = contender.name === 'pg_activity' && load !== null ? keepBusy(load) : null;
  const { warmSeconds, windowSeconds } = SETTINGS;
  const watchings = await Promise.all(
    SIZES.map(async (size): Promise<Watching> => {
      const recording = await recordWatching({ ...contender, size }, warmSeconds, windowSeconds);
      return analyseWatching(recording, size);
    }),
  );
  await working?.stop();
  return { contender, paints, watchings };
}

/** The median of several starts; the first, which fills caches, is not counted. */
async function paintOf(contender: Contender, size: Size): Promise<Paint | null> {
  const words = contender.name.startsWith('email-ops') ? / SANDBOX +(OK|WARNING|CRITICAL) / : null;
  const paints: Paint[] = [];
  for (let round = 0; round <= SETTINGS.paints; round += 1) {
    const recording =
      words === null
        ? await recordPaint({ ...contender, size }, 4)
        : await recordWatching({ ...contender, size }, 0, 1.5);
    const paint = await analysePaint(recording, size, words);
    if (paint !== null && round > 0) paints.push(paint);
  }
  if (paints.length === 0) return null;
  const times = paints.flatMap(({ wordsMs }) => (wordsMs === null ? [] : [wordsMs]));
  return {
    paintedMs: median(paints.map(({ paintedMs }) => paintedMs)),
    bytes: median(paints.map(({ bytes }) => bytes)),
    wordsMs: times.length === 0 ? null : median(times),
  };
}

/** Sessions that come and go, so that there is activity to show. */
function keepBusy({ sql }: PostgresCluster): { stop(): Promise<void> } {
  let isStopped = false;
  const sessions = Array.from({ length: 4 }, async (_, index) => {
    while (!isStopped) await sql`select pg_sleep(${0.3 + index * 0.4}), ${index}::int`;
  });
  return {
    stop: async () => {
      isStopped = true;
      await Promise.all(sessions);
    },
  };
}
