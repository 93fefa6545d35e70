/** What it costs: counted at the servers, for a run, an hour of watching, a day and a month; against the worker that is deployed today. */
import { DAYS_PER_MONTH, PRICES } from '../../src/domain/cost.ts';
import { EXPECTED_SCHEDULES } from '../../src/domain/schedule.ts';
import { DAY_MS } from '../../src/domain/time.ts';
import { figure, table } from '../lib/table.ts';
import type { Section } from '../section.ts';
import { type Kept, measureBudget } from './budget.ts';
import { type LegacyJob, openLegacy } from './legacy.ts';
import { type Hours, type Watched, watch } from './watching.ts';
import { type Counts, openWorld, run, type World } from './world.ts';

export const section: Section = {
  name: 'cost',
  title: 'What it costs',
  run: async (report) => {
    const budget = measureBudget(BUDGET_PER_MINUTE, BUDGET_SECONDS);
    // Awaited below; should a count fail before, that is told and not this.
    budget.catch(() => undefined);
    await using world = await openWorld();
    const runs = await countRuns(world);
    report('runs are counted');
    const countAll = async (all: Readonly<Record<string, Hours>>) => {
      const watched = new Map<string, Watched>();
      for (const [name, hours] of Object.entries(all)) {
        watched.set(name, await watch(world, hours));
        report(`${name}, ${hours.hours} h: counted`);
      }
      return watched;
    };
    const hours = await countAll(HOURS);
    const days = await countAll(DAYS);
    const kept = await budget;
    const parts = [runTable(runs), hourTable(hours), dayTable(runs, { hours, days }), budgetText(kept)];
    return { markdown: parts.join('\n\n') };
  },
};

const BUDGET_PER_MINUTE = 100;
const BUDGET_SECONDS = 90;
const EMAILS = 100;

const HOURS = {
  'left alone, all is well': { hours: 1, keys: 'never', workers: 'embedded' },
  'the hour after the last key': { hours: 1, keys: 'before', workers: 'embedded' },
  'in use, a key every 30 s': { hours: 1, keys: 'always', workers: 'embedded' },
  'an incident, nobody there': { hours: 1, keys: 'never', workers: 'embedded', isIncident: true },
  'without the cadence: everything every 5 s': { hours: 1, keys: 'never', workers: 'embedded', isNaive: true },
} as const satisfies Readonly<Record<string, Hours>>;

const DAYS = {
  'workers embedded': { hours: 24, keys: 'two-hours', workers: 'embedded' },
  'workers by QStash': { hours: 24, keys: 'two-hours', workers: 'qstash' },
} as const satisfies Readonly<Record<string, Hours>>;

interface RunRow {
  readonly what: string;
  readonly ours: Counts;
  readonly legacy: Counts | null;
}

async function countRuns(world: World): Promise<readonly RunRow[]> {
  const legacy = openLegacy(world);
  const counted = async (what: string, worker: Parameters<typeof run>[1], emails = 0): Promise<RunRow> => {
    // The first run of anything looks around; the second is as all that follow.
    await world.stack.reset();
    await run(world, worker);
    if (emails > 0) await world.stack.enqueue(emails);
    const ours = await world.counted(() => run(world, worker));
    if (worker === 'quota-sync') return { what, ours, legacy: null };
    const job: LegacyJob = worker;
    await world.stack.reset();
    await legacy(job);
    if (emails > 0) await world.stack.enqueue(emails);
    return { what, ours, legacy: await world.counted(() => legacy(job)) };
  };
  return [
    await counted('queue-processor, nothing to do', 'queue-processor'),
    await counted(`queue-processor, ${EMAILS} emails`, 'queue-processor', EMAILS),
    await counted('health-monitor', 'health-monitor'),
    await counted('quota-sync', 'quota-sync'),
  ];
}

function runTable(rows: readonly RunRow[]): string {
  const cells = (counts: Counts | null) =>
    counts === null
      ? [null, null, null, null]
      : [figure(counts.redis), figure(counts.redisBytes), figure(counts.postgres), figure(counts.functions)];
  const head = ['One run', 'Redis', 'bytes', 'Postgres', 'function', 'legacy: Redis', 'bytes', 'Postgres', 'function'];
  const scripts = rows.map(({ what, ours }) => `${what} ${ours.inScripts}`).join(', ');
  return [
    '### A worker’s run',
    '',
    'Redis: commands as they were sent (MONITOR at a real redis-server), bytes at its door as Redis speaks, both ways. Postgres: requests',
    'through the REST API. Function: calls of the email function. Legacy: the worker that is deployed today, on the same servers; it has',
    'no quota sync, records no runs and looks at neither queue nor lock for alerts.',
    '',
    table(
      head,
      rows.map(({ what, ours, legacy }) => [what, ...cells(ours), ...cells(legacy)]),
    ),
    '',
    `Besides, inside of scripts: ${scripts}. Whether Upstash bills those, its pages leave open; here a script is one command.`,
  ].join('\n');
}

function hourTable(watched: ReadonlyMap<string, Watched>): string {
  const rows = [...watched].map(([name, { refreshes, lookingRedis, redis, redisBytes, lookingPostgres }]) => [
    name,
    figure(refreshes),
    figure(lookingRedis),
    (lookingRedis / refreshes).toFixed(1),
    figure(redis),
    figure(redisBytes / 1_000),
    figure(lookingPostgres),
    figure(redis * 24 * DAYS_PER_MONTH),
    share(redis * 24),
  ]);
  const head = [
    'An hour of the dashboard',
    'refreshes',
    'Redis commands to look',
    'per refresh',
    'with the workers',
    'kB',
    'Postgres requests to look',
    'a month of it',
    'of the free tier',
  ];
  return [
    '### An hour of watching',
    '',
    'The real reader, the dashboard’s own reducer deciding when it reads again, all three workers on their schedules in the same hour. The',
    'clock that they are given is moved on second by second, so an hour takes seconds; every command of that hour is really sent.',
    '',
    table(head, rows),
  ].join('\n');
}

/** What a day takes of each. */
type Day = Pick<Counts, 'redis' | 'inScripts' | 'postgres' | 'functions'>;

function dayTable(
  runs: readonly RunRow[],
  { hours, days }: Readonly<Record<'hours' | 'days', ReadonlyMap<string, Watched>>>,
): string {
  const emails = emailsOf(runs, 'ours');
  const dayOf = (name: keyof typeof DAYS) => sumOf([[1, days.get(name) ?? NOTHING], ...emails]);
  const naive = hours.get('without the cadence: everything every 5 s' satisfies keyof typeof HOURS) ?? NOTHING;
  const byQstash = dayOf('workers by QStash');
  const rows: readonly (readonly [string, Day])[] = [
    ['a console all day (2 h in use), workers embedded', dayOf('workers embedded')],
    ['a console all day (2 h in use), workers by QStash', byQstash],
    ['the workers alone', workersAlone(runs, 'ours')],
    ['a console all day without the cadence', sumOf([[24, naive], ...emails])],
    ['the legacy workers alone: no quota sync, no console', workersAlone(runs, 'legacy')],
  ];
  const isKept = byQstash.redis * DAYS_PER_MONTH <= PRICES.redis.freeCommandsPerMonth;
  const messages = EXPECTED_SCHEDULES.reduce((sum, { intervalMs }) => sum + DAY_MS / intervalMs, 0);
  return [
    '### A day and a month',
    '',
    'A whole day counted in the same way, in use from nine to eleven, and a thousand emails besides, as a run of a hundred takes more than one with',
    `nothing to do. A month is ${DAYS_PER_MONTH} days. Prices of ${PRICES.asOf}: ${figure(PRICES.redis.freeCommandsPerMonth)} commands a month are free, then $${(PRICES.redis.perCommand * 100_000).toFixed(2)} for 100,000.`,
    '',
    table(
      ['', 'Redis a day', 'a month', 'of the free tier', 'dollars a month', 'Postgres a day', 'function calls a day'],
      rows.map(([what, { redis, postgres, functions }]) => [
        what,
        figure(redis),
        figure(redis * DAYS_PER_MONTH),
        share(redis),
        dollars(redis * DAYS_PER_MONTH),
        figure(postgres),
        figure(functions),
      ]),
    ),
    '',
    `**Target: a console open all day beside all three workers stays inside the free tier: ${isKept ? 'kept' : 'MISSED'}.**`,
    `Were the commands inside of scripts billed as well, ${bothBilled(rows.slice(0, 2).map(([, day]) => day))}.`,
    `Three QStash schedules are ${figure(messages)} messages a day, where ${figure(PRICES.qstash.freeMessagesPerDay)} are free; \`schedules sync --one-tick\` makes them 720.`,
  ].join('\n');
}

function bothBilled(days: readonly Day[]): string {
  const months = days.map(({ redis, inScripts }) => (redis + inScripts) * DAYS_PER_MONTH);
  return `the first two rows would be ${months.map((count) => `${figure(count)} a month ($${dollars(count)})`).join(' and ')}`;
}

const NOTHING: Day = { redis: Number.NaN, inScripts: Number.NaN, postgres: Number.NaN, functions: Number.NaN };

type Part = readonly [times: number, Day];

function sumOf(parts: readonly Part[]): Day {
  const sum = (field: keyof Day) => parts.reduce((total, [times, counts]) => total + times * counts[field], 0);
  return { redis: sum('redis'), inScripts: sum('inScripts'), postgres: sum('postgres'), functions: sum('functions') };
}

/** A thousand emails, over what the runs with nothing to do take. */
function emailsOf(runs: readonly RunRow[], whose: 'ours' | 'legacy'): readonly Part[] {
  const [idle, busy] = runs.map((row) => row[whose] ?? NOTHING);
  return [
    [1_000 / EMAILS, busy ?? NOTHING],
    [-1_000 / EMAILS, idle ?? NOTHING],
  ];
}

function workersAlone(runs: readonly RunRow[], whose: 'ours' | 'legacy'): Day {
  const parts = EXPECTED_SCHEDULES.flatMap(({ worker, intervalMs }): Part[] => {
    const counts = runs.find(({ what }) => what.startsWith(worker))?.[whose];
    return counts == null ? [] : [[DAY_MS / intervalMs, counts]];
  });
  return sumOf([...parts, ...emailsOf(runs, whose)]);
}

function share(commandsPerDay: number): string {
  return `${figure((commandsPerDay * DAYS_PER_MONTH * 100) / PRICES.redis.freeCommandsPerMonth)} %`;
}

function dollars(perMonth: number): string {
  const { freeCommandsPerMonth, perCommand } = PRICES.redis;
  return figure(Math.max(0, perMonth - freeCommandsPerMonth) * perCommand, 2);
}

function budgetText({ perMinute, seconds, worstMinute, refreshes }: Kept): string {
  return [
    '### A budget',
    '',
    `\`watch --json --budget ${perMinute}/minute\` for ${seconds} s of real time: ${figure(refreshes)} refreshes; in the worst sixty seconds ${figure(worstMinute)} commands.`,
    `**Target: never more than the budget: ${worstMinute <= perMinute ? 'kept' : 'MISSED'}.**`,
  ].join('\n');
}
