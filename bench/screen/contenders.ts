/** Who is compared: our dashboard over a sandbox, and programs that people watch systems with. A row each. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBinary } from '../../tests/support/real-server.ts';
import { peerVersion } from '../lib/peers.ts';

export interface Contender {
  readonly name: string;
  readonly version: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A chart over time, not only a bar or a table. */
  readonly drawsCharts: boolean;
  /** Null where the interval can be set; otherwise what it is. */
  readonly ownInterval: string | null;
}

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Surroundings {
  /** Of their own for settings, states and caches. */
  readonly folder: string;
  readonly intervalSeconds: number;
  readonly postgresUrl: string | null;
}

/** The Debian packages that peers come from; those that are missing are left out and named. */
export function findPeers(surroundings: Surroundings): { peers: Contender[]; missing: string[] } {
  const { folder, intervalSeconds, postgresUrl } = surroundings;
  const environment = environmentIn(folder);
  const missing: string[] = [];
  const peers: Contender[] = [];
  for (const { program, debian, arguments: words, drawsCharts } of DEBIAN_PEERS) {
    if (findBinary([program]) === null || (program === 'pg_activity' && postgresUrl === null)) {
      missing.push(debian);
      continue;
    }
    const command = [program, ...words(intervalSeconds, postgresUrl ?? '')];
    peers.push({
      name: program,
      version: debianVersion(debian),
      command,
      environment,
      drawsCharts,
      ownInterval: null,
    });
  }
  // The one that has no option for it.
  const settings = join(environment.XDG_CONFIG_HOME ?? folder, 'btop');
  mkdirSync(settings, { recursive: true });
  writeFileSync(join(settings, 'btop.conf'), `update_ms = ${intervalSeconds * 1_000}\n`);
  return { peers: [...peers, gtop(environment)], missing };
}

const DEBIAN_PEERS: readonly {
  readonly program: string;
  readonly debian: string;
  readonly arguments: (intervalSeconds: number, postgresUrl: string) => readonly string[];
  readonly drawsCharts: boolean;
}[] = [
  { program: 'htop', debian: 'htop', arguments: (seconds) => ['-d', String(seconds * 10)], drawsCharts: false },
  // In 256 colours like the others: its own choice, 24 bits, takes more.
  { program: 'btop', debian: 'btop', arguments: () => ['--low-color'], drawsCharts: true },
  {
    program: 'pg_activity',
    debian: 'pg-activity',
    arguments: (seconds, url) => ['--refresh', String(seconds), url],
    drawsCharts: false,
  },
];

function gtop(environment: Contender['environment']): Contender {
  const main = createRequire(new URL('../package.json', import.meta.url)).resolve('gtop/bin/gtop');
  return {
    name: 'gtop',
    version: peerVersion('gtop'),
    command: [process.execPath, main],
    environment,
    drawsCharts: true,
    ownInterval: '1 s, processes every 3 s',
  };
}

/** Ours, built, over the sandbox whose state is in `folder`. */
export function ourDashboard(
  scenario: string,
  { folder, intervalSeconds }: Omit<Surroundings, 'postgresUrl'>,
): Contender {
  const state = join(folder, 'state', 'email-ops');
  mkdirSync(state, { recursive: true });
  // The tour would stand over the screen.
  writeFileSync(join(state, 'tour-seen'), '');
  return {
    name: `email-ops, ${scenario}`,
    version: 'this',
    command: [process.execPath, join(ROOT, 'dist', 'email-ops.cjs'), 'watch', '--interval', `${intervalSeconds}s`],
    environment: environmentIn(folder),
    drawsCharts: true,
    ownInterval: null,
  };
}

/** Nothing of this machine's settings decides what is measured. */
export function environmentIn(folder: string): Record<string, string> {
  const { PATH = '' } = process.env;
  return {
    PATH,
    HOME: folder,
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    BENCH_CACHE: join(folder, 'cache', 'floor'),
  };
}

function debianVersion(name: string): string {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', `\${Version}`, name], { encoding: 'utf8' });
  return stdout?.trim() || 'unknown';
}
