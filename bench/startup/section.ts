/** How long it takes to begin, against the floor of Node itself: programs take turns, so that all see the same machine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/domain/time.ts';
import { openRedis } from '../../src/sandbox/redis/redis.ts';
import { startDeployment } from '../../tests/support/deployment.ts';
import { serve } from '../../tests/support/serve.ts';
import { median } from '../lib/stats.ts';
import { figure, table } from '../lib/table.ts';
import type { Section } from '../section.ts';
import { build, createStarter, type Loaded, type Program, type Starter } from './programs.ts';

const ROUNDS = 25;
const FIRST_ROUNDS = 7;
const HELP_TARGET_MS = 40;
const STATUS_TARGET_MB = 120;

const PROGRAMS = {
  'an empty program': null,
  '`--version`': ['--version'],
  '`--help`': ['--help'],
  '`status --help`': ['status', '--help'],
  '`status`': ['status'],
} as const satisfies Readonly<Record<string, Program>>;

type Name = keyof typeof PROGRAMS;

const NAMES = Object.keys(PROGRAMS) as Name[];

interface Measured {
  readonly wallMs: number;
  /** From the empty program of the same round to this one. */
  readonly overMs: number;
  /** Where nothing is kept compiled yet. */
  readonly firstMs: number;
  readonly loaded: Loaded;
}

export const section: Section = {
  name: 'startup',
  title: 'Start-up',
  run: async (report) => {
    build();
    await using stack = new AsyncDisposableStack();
    using starter = createStarter(await startSystems(stack));
    for (const name of NAMES) await starter.time(PROGRAMS[name]);
    const walls = await takeTurns(starter, ROUNDS, false);
    report(`${ROUNDS} rounds`);
    const firsts = await takeTurns(starter, FIRST_ROUNDS, true);
    report(`${FIRST_ROUNDS} rounds with nothing kept compiled`);
    const measured = new Map<Name, Measured>();
    const floor = walls.get('an empty program') ?? [];
    for (const name of NAMES) {
      const own = walls.get(name) ?? [];
      measured.set(name, {
        wallMs: median(own),
        overMs: median(own.map((wallMs, round) => wallMs - (floor[round] ?? Number.NaN))),
        firstMs: median(firsts.get(name) ?? []),
        loaded: await starter.load(PROGRAMS[name]),
      });
    }
    return { markdown: render(measured) };
  },
};

/** A deployment on this machine, Redis by Upstash's REST API as in production; and the variables that point to it. */
async function startSystems(stack: AsyncDisposableStack): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-startup-redis-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const deployment = await startDeployment();
  stack.defer(deployment.stop);
  const token = 'redis-token';
  const redis = await openRedis({ folder, token, clock: systemClock });
  stack.defer(redis.stop);
  const served = await serve(redis.fetch);
  stack.defer(served.stop);
  const { REDIS_URL: _tcp, ...environment } = deployment.environment;
  return { ...environment, KV_REST_API_URL: served.url, KV_REST_API_TOKEN: token };
}

async function takeTurns(starter: Starter, rounds: number, isFirst: boolean): Promise<Map<Name, number[]>> {
  const walls = new Map<Name, number[]>(NAMES.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of NAMES) walls.get(name)?.push(await starter.time(PROGRAMS[name], { isFirst }));
  }
  return walls;
}

function render(measured: ReadonlyMap<Name, Measured>): string {
  const rows = [...measured].map(([name, { wallMs, overMs, firstMs, loaded }]) => [
    name,
    figure(wallMs),
    figure(overMs),
    figure(firstMs),
    figure(loaded.ours),
    figure(loaded.packages),
    figure(loaded.bytes / 1_000),
    figure(loaded.peakBytes / 1_000_000),
  ]);
  const help = measured.get('`--help`')?.overMs ?? Number.NaN;
  const peak = (measured.get('`status`')?.loaded.peakBytes ?? Number.NaN) / 1_000_000;
  return [
    `The built package. Medians of ${ROUNDS} rounds in which the programs take turns; over the floor: the median of the differences to the`,
    `empty program of the same round. First start: nothing is kept compiled yet (${FIRST_ROUNDS} rounds). \`status\` reads a whole deployment on this`,
    'machine: Redis and PostgreSQL through their REST APIs, QStash.',
    '',
    table(
      [
        '',
        'ms',
        'over the floor, ms',
        'first start, ms',
        'files of ours',
        'of packages',
        'kB of code',
        'peak memory, MB',
      ],
      rows,
    ),
    '',
    `**Target: \`--help\` within ${HELP_TARGET_MS} ms of an empty program: ${help <= HELP_TARGET_MS ? 'kept' : 'MISSED'}, ${figure(help)} ms.**`,
    `**Target: \`status\` within ${STATUS_TARGET_MB} MB: ${peak <= STATUS_TARGET_MB ? 'kept' : 'MISSED'}, ${figure(peak)} MB.**`,
  ].join('\n');
}
