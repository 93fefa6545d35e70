/** The section "The screen": what watching costs a terminal, a processor and memory, beside other programs and the least possible. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { joinOrStartSandbox, stopSandbox } from '../../src/sandbox/launcher.ts';
import { isPostgresMissing, type PostgresCluster, startPostgres } from '../../tests/support/postgres.ts';
import type { Section } from '../section.ts';
import { analyseWatching, type Paint, type Watching } from './analysis.ts';
import { type Contender, findPeers, ourDashboard, ROOT } from './contenders.ts';
import { emptyProgram, paintsOf } from './first-paint.ts';
import { recordWatching } from './recording.ts';
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
      measured.push(await measureOne(ours, report, { beside: [emptyProgram(join(folder, 'empty'))] }));
    } finally {
      await joined.leave();
      await stopSandbox(sandbox);
    }
  }
  for (const peer of peers) measured.push(await measureOne(peer, report, { load: postgres }));
  return reportOf({ measured, missing });
}

/** Both sizes at once: they take little, and what they send does not depend on it. First paints one after the other. */
async function measureOne(
  contender: Contender,
  report: (line: string) => void,
  { load = null, beside = [] }: { load?: PostgresCluster | null; beside?: readonly Contender[] } = {},
): Promise<Measured> {
  report(contender.name);
  const paints: (Paint | null)[] = [];
  const floor: (Paint | null)[] = [];
  for (const size of SIZES) {
    const [ours = null, ...others] = await paintsOf([contender, ...beside], size);
    paints.push(ours);
    floor.push(...others);
  }
  const working = contender.name === 'pg_activity' && load !== null ? keepBusy(load) : null;
  const { warmSeconds, windowSeconds } = SETTINGS;
  const watchings = await Promise.all(
    SIZES.map(async (size): Promise<Watching> => {
      const recording = await recordWatching({ ...contender, size }, warmSeconds, windowSeconds);
      return analyseWatching(recording, size);
    }),
  );
  await working?.stop();
  return { contender, paints, floor, watchings };
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
