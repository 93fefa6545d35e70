/** `email-ops doctor`: looks at every system from here and says for each fault what to do. */

import type { Check, GroupResult } from './checks/check.ts';
import { checkClocks } from './checks/clocks.ts';
import { checkConfiguration, problemChecks } from './checks/configuration.ts';
import { checkTerminal } from './checks/terminal.ts';
import { type Command, ConfigError, EXIT, type Invocation } from './command.ts';
import { connectSystems, type Systems } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION } from './options.ts';
import { groupLines, summaryLine } from './render/doctor.ts';
import { lookOf, shown } from './render/look.ts';

type Options = { json?: boolean };

export const doctor: Command<Options> = {
  name: 'doctor',
  summary: 'check every system and say for each fault what to do',
  options: [JSON_OPTION],
  examples: [
    { line: 'email-ops doctor', what: 'every system, variable and schedule, and this terminal' },
    { line: 'email-ops doctor --json | jq \'.checks[] | select(.state == "failed")\'', what: 'only the faults' },
  ],
  exitCodes: '0 no fault (warnings are none), 1 a fault, 2 wrong usage or configuration.',
  run,
};

interface Group {
  readonly title: string;
  readonly result: Promise<GroupResult>;
}

async function run(invocation: Invocation<Options>): Promise<number> {
  const { io, environment, signal } = invocation;
  try {
    await using systems = await connectSystems(io, { environment, signal });
    const checks = await report(await groupsOf(systems, invocation), invocation);
    // What was cut short was not found to be at fault.
    signal.throwIfAborted();
    return checks.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const groups = [
      ready('Configuration', problemChecks(error.problems)),
      ready('Terminal', checkTerminal(io, environment)),
    ];
    await report(groups, invocation);
    return EXIT.usage;
  }
}

/** All at once: the slowest decides how long it takes, and nothing waits for what is down. */
async function groupsOf(systems: Systems, { io, environment, signal }: Invocation<Options>): Promise<Group[]> {
  const { config, variables, redis, supabase, schedules, clock } = systems;
  const [redisChecks, postgresChecks, functionChecks, qstashChecks] = await Promise.all([
    import('./checks/redis.ts'),
    import('./checks/postgres.ts'),
    import('./checks/email-function.ts'),
    import('./checks/qstash.ts'),
  ]);
  const outside = [
    { title: 'Redis', result: redisChecks.checkRedis(redis, config.readOnly) },
    { title: 'Postgres', result: postgresChecks.checkPostgres(supabase, clock) },
    { title: 'Email function', result: functionChecks.checkEmailFunction(config, signal) },
    { title: 'QStash', result: qstashChecks.checkQstash(config, schedules, signal) },
  ];
  const clocks = Promise.all(outside.map(({ result }) => result)).then((results) => ({
    checks: checkClocks(results.flatMap((result) => result.clocks ?? [])),
  }));
  return [
    ready('Configuration', checkConfiguration(config, variables)),
    ...outside,
    { title: 'Clocks', result: clocks },
    ready('Terminal', checkTerminal(io, environment)),
  ];
}

function ready(title: string, checks: readonly Check[]): Group {
  return { title, result: Promise.resolve({ checks }) };
}

/** Prints each group as soon as it and those before it are known; with `--json` all of it at the end. */
async function report(groups: readonly Group[], { options, io }: Invocation<Options>): Promise<Check[]> {
  const look = lookOf(io);
  const all: (Check & { readonly group: string })[] = [];
  for (const { title, result } of groups) {
    const { checks } = await result;
    all.push(...checks.map((check) => ({ group: title, ...check })));
    if (options.json !== true) io.stdout.write(shown(groupLines(title, checks, look), look));
  }
  if (options.json === true) io.stdout.write(jsonLine({ checks: all }));
  else io.stdout.write(shown(['', summaryLine(all, look)], look));
  return all;
}
