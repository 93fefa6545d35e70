/** Draining the queue: everybody side by side, against the best time there can be, and what it takes of the machine and its servers. */
import { median } from '../lib/stats.ts';
import { type Cell, figure, table } from '../lib/table.ts';
import type { Section } from '../section.ts';
import { CONCURRENCY, drain, type Measured } from './drain.ts';
import { FIXED, HEAVY_TAIL, type Latency, NO_LATENCY } from './latency.ts';
import { type Servers, startServers } from './servers.ts';
import {
  BULLMQ,
  BULLMQ_DURABLE,
  GRAPHILE,
  GRAPHILE_LOG,
  IN_SANDBOX,
  LEGACY,
  OURS,
  OURS_DIRECT,
  PG_BOSS,
  SYSTEMS,
  type System,
} from './systems.ts';
import { measureThroughput, writeIntoDocs } from './throughput.ts';

interface CellPlan {
  readonly latency: Latency;
  readonly count: number;
  readonly runs: number;
  readonly without?: readonly System[];
}

/** With latency they are as fast as their siblings. */
const LATENCY_0_ONLY: readonly System[] = [BULLMQ_DURABLE, GRAPHILE_LOG];

/** Long runs once, short ones more often; 10,000 emails only where they do not take minutes. */
const PLAN: readonly CellPlan[] = [
  { latency: NO_LATENCY, count: 100, runs: 3 },
  { latency: NO_LATENCY, count: 1_000, runs: 3 },
  { latency: NO_LATENCY, count: 10_000, runs: 1, without: [LEGACY] },
  { latency: FIXED, count: 100, runs: 1, without: LATENCY_0_ONLY },
  { latency: FIXED, count: 1_000, runs: 1, without: LATENCY_0_ONLY },
  { latency: HEAVY_TAIL, count: 100, runs: 1, without: LATENCY_0_ONLY },
  { latency: HEAVY_TAIL, count: 1_000, runs: 1, without: LATENCY_0_ONLY },
];

type Results = ReadonlyMap<CellPlan, ReadonlyMap<System, Medians>>;

interface Medians {
  readonly wallMs: number;
  readonly limitMs: number;
  readonly cpuMsPerEmail: number;
  readonly statementsPerEmail: number | null;
  readonly requestsPerEmail: number | null;
  readonly redisPerEmail: number;
  readonly scriptsPerEmail: number;
  readonly peakBytes: number;
}

export const section: Section = {
  name: 'draining',
  title: 'Draining the queue',
  needs: ['graphile-worker', 'pg-boss', 'bullmq'],
  run: async (report) => {
    const servers = await startServers();
    try {
      const results = await measure(servers, report);
      const byDefault = await drain(servers, PG_BOSS, { count: 50, latency: NO_LATENCY });
      const throughput = await measureThroughput(servers, report);
      writeIntoDocs(throughput);
      return { markdown: markdownOf(results, byDefault, throughput) };
    } finally {
      await servers.stop();
    }
  },
};

/** Run by run through all systems, so that what else the machine does at a time falls on everybody. */
async function measure(servers: Servers, report: (line: string) => void): Promise<Results> {
  const results = new Map<CellPlan, Map<System, Medians>>();
  for (const plan of PLAN) {
    const { latency, count, runs, without = [] } = plan;
    const systems = SYSTEMS.filter((system) => !without.includes(system));
    const measured = new Map<System, Measured[]>(systems.map((system) => [system, []]));
    for (let run = 1; run <= runs; run += 1) {
      for (const [system, all] of measured) {
        all.push(await drain(servers, system, { count, latency }));
        if (latency !== NO_LATENCY) report(`${count} emails at ${latency.name}: ${system.name}`);
      }
    }
    report(`${count} emails at ${latency.name}, ${runs} × ${systems.length} runs`);
    results.set(plan, new Map([...measured].map(([system, all]) => [system, mediansOf(all)])));
  }
  return results;
}

function mediansOf(all: readonly Measured[]): Medians {
  const of = (pick: (each: Measured) => number) => median(all.map(pick));
  const perEmail = (pick: (each: Measured) => number | null) =>
    all.some((each) => pick(each) === null) ? null : of((each) => (pick(each) ?? 0) / each.count);
  return {
    wallMs: of(({ wallMs }) => wallMs),
    limitMs: of(({ limitMs }) => limitMs),
    cpuMsPerEmail: of(({ cpuMs, count }) => cpuMs / count),
    statementsPerEmail: perEmail(({ statements }) => statements),
    requestsPerEmail: perEmail(({ requests }) => requests),
    redisPerEmail: of(({ redisCommands, count }) => redisCommands / count),
    scriptsPerEmail: of(({ redisScripts, count }) => redisScripts / count),
    peakBytes: of(({ peakBytes }) => peakBytes),
  };
}

function markdownOf(results: Results, byDefault: Measured, throughput: string): string {
  return `
Concurrency ${CONCURRENCY}. Every worker is a process of its own and sends every email by the same \`fetch\` to the same endpoint on the loopback, whose
first, second, … email takes the same seeded latency for everybody. PostgreSQL and Redis are real; PostgreSQL writes every commit to
disk. email-ops works through Supabase's REST API (\`@supabase/lite\`, a process of its own) as in production, and once with the
sandbox's database; it also writes a log line, the day's quota and the delivery count for every email, the peers only their queue.
Time begins when the worker is told to begin and ends when everything is written.

### Against the limit

The limit is the list schedule: ${CONCURRENCY} lanes, each taking the next email as soon as it is free, and nothing else costs time.

${limitTable(results)}

${limitVerdict(results)}

### Overhead, at latency 0

${overheadTable(results)}

${overheadVerdict(results)}

pg-boss by default, not tuned, takes one email a worker every two seconds: ${byDefault.count} emails took ${figure(byDefault.wallMs / 1_000, 1)} s.

### Throughput by setting

The document of the system tells 100 emails in 30 to 60 s, and about 3,000 an hour: a batch every two minutes. A run of email-ops does not
end with its batch, so the interval decides only how long an email waits that comes while the queue is empty. Providers that take
300 ms an email; every slot is a worker process; computed is concurrency × slots ÷ 0.3 s:

${throughput}`;
}

function limitTable(results: Results): string {
  const plans = PLAN.filter(({ latency }) => latency !== NO_LATENCY);
  const head = [
    'seconds (over the limit)',
    ...plans.map(({ latency, count }) => `${figure(count)} at ${latency.name}`),
  ];
  const limits: Cell[] = ['limit', ...plans.map((plan) => figure(limitOf(results, plan) / 1_000, 2))];
  const rows = SYSTEMS.map((system): Cell[] => [
    system.name,
    ...plans.map((plan) => {
      const medians = results.get(plan)?.get(system);
      return medians === undefined ? null : `${figure(medians.wallMs / 1_000, 2)} (${overLimit(medians)})`;
    }),
  ]);
  return table(head, [limits, ...rows]);
}

function limitVerdict(results: Results): string {
  const lines = PLAN.filter(({ latency, count }) => latency !== NO_LATENCY && count === 1_000).map((plan) => {
    const ours = results.get(plan)?.get(OURS);
    if (ours === undefined) return '';
    const peers = peersOf(results, plan).toSorted(([, a], [, b]) => a.wallMs - b.wallMs);
    const [best] = peers;
    const isWithin = ours.wallMs <= ours.limitMs * 1.02;
    const isAhead = best === undefined || ours.wallMs < best[1].wallMs;
    const ahead =
      best === undefined
        ? ''
        : `; ahead of all of them: ${met(isAhead)}${isAhead ? '' : ` (${best[0].name}: ${overLimit(best[1])})`}`;
    return `- ${plan.latency.name}: within 2 % of the limit: ${met(isWithin)} (${overLimit(ours)})${ahead}`;
  });
  return `Targets at 1,000 emails:\n\n${lines.join('\n')}`;
}

function overheadTable(results: Results): string {
  const plans = PLAN.filter(({ latency }) => latency === NO_LATENCY);
  const head = [
    '',
    ...plans.map(({ count }) => `emails/s, ${figure(count)}`),
    'CPU ms per email',
    'round trips per email',
    'Postgres statements per email',
    'Redis commands per email',
    'peak MB',
    'a crash of the servers loses',
  ];
  const [, middle] = plans;
  const rows = SYSTEMS.map((system): Cell[] => {
    const medians = middle === undefined ? undefined : results.get(middle)?.get(system);
    return [
      system.name,
      ...plans.map((plan) => {
        const each = results.get(plan)?.get(system);
        return each === undefined ? null : figure(plan.count / (each.wallMs / 1_000));
      }),
      figure(medians?.cpuMsPerEmail ?? Number.NaN, 2),
      figure(roundTripsOf(medians) ?? Number.NaN, 3),
      figure(medians?.statementsPerEmail ?? Number.NaN, 2),
      figure(medians?.redisPerEmail ?? Number.NaN, 3),
      figure((medians?.peakBytes ?? Number.NaN) / 1_000_000),
      system.durability,
    ];
  });
  return `${table(head, rows, { words: [0, head.length - 1] })}

CPU, round trips, statements, commands and memory are those of 1,000 emails, of the worker's process or counted at the servers
(\`pg_stat_statements\`, \`INFO commandstats\`). Statements count \`BEGIN\`, \`SET\` and \`COMMIT\` of the REST API too; a round trip is a request that
the worker makes: HTTP requests to the REST API, else statements, and scripts in Redis. Redis commands count those within scripts.`;
}

function overheadVerdict(results: Results): string {
  const plan = PLAN.find(({ latency, count }) => latency === NO_LATENCY && count === 1_000);
  if (plan === undefined) return '';
  const ours = results.get(plan)?.get(OURS);
  if (ours === undefined) return '';
  const peers = peersOf(results, plan);
  const durable = peers.filter(([system]) => system !== BULLMQ && system !== GRAPHILE_LOG);
  const [fastest] = durable.toSorted(([, a], [, b]) => a.wallMs - b.wallMs);
  const logging = results.get(plan)?.get(GRAPHILE_LOG);
  const trips = peers.map(([, medians]) => roundTripsOf(medians) ?? Number.POSITIVE_INFINITY);
  const isFewest = (roundTripsOf(ours) ?? Number.POSITIVE_INFINITY) <= Math.min(...trips);
  const ratio = (peer: Medians | undefined, mine: Medians | undefined) =>
    peer === undefined || mine === undefined ? Number.NaN : peer.wallMs / mine.wallMs;
  const against = (peer: Medians | undefined) => ratio(peer, ours);
  const withoutRest = results.get(plan)?.get(OURS_DIRECT);
  const direct = ratio(fastest?.[1], withoutRest);
  const directLogging = ratio(logging, withoutRest);
  return `Targets at 1,000 emails:

- fewest round trips of all: ${met(isFewest)}
- first, or within 10 % of the first, in emails a second at equal durability: ${met(against(fastest?.[1]) >= 0.9)}: ${figure(against(fastest?.[1]), 2)} × ${fastest?.[0].name ?? ''},
  which keeps only its queue; ${figure(against(logging), 2)} × the same when it also logs each email, as email-ops does
- the same without the REST API: ${met(direct >= 0.9)}: ${figure(direct, 2)} ×, and ${figure(directLogging, 2)} ×`;
}

function peersOf(results: Results, plan: CellPlan): [System, Medians][] {
  return [...(results.get(plan) ?? [])].filter(([system]) => ![OURS, OURS_DIRECT, IN_SANDBOX].includes(system));
}

/** HTTP requests where there are some, else statements; and the scripts that Redis runs. */
function roundTripsOf(medians: Medians | undefined): number | null {
  if (medians === undefined) return null;
  return (medians.requestsPerEmail ?? medians.statementsPerEmail ?? 0) + medians.scriptsPerEmail;
}

function limitOf(results: Results, plan: CellPlan): number {
  return results.get(plan)?.get(GRAPHILE)?.limitMs ?? Number.NaN;
}

function overLimit({ wallMs, limitMs }: Medians): string {
  const percent = (wallMs / limitMs - 1) * 100;
  return `${percent >= 0 ? '+' : '−'}${figure(Math.abs(percent), 1)} %`;
}

function met(isMet: boolean): string {
  return isMet ? '**met**' : '**missed**';
}
