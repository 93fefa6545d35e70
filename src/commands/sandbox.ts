/** `email-ops sandbox`: starts or joins the sandbox, says how other programs reach it, and holds it until told to stop. */

import { setTimeout as delay } from 'node:timers/promises';
import type { JoinedSandbox, ScenarioName } from '../sandbox/launcher.ts';
import { type Command, CommandError, EXIT, type Invocation } from './command.ts';
import type { Io } from './io.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION, wholeNumber } from './options.ts';
import { joinOrFail, outbox } from './sandbox-outbox.ts';
import { progressLine } from './sandbox-progress.ts';

const ALIVE_CHECK_MS = 500;

type Options = { fresh?: boolean; scenario?: ScenarioName; speed?: number; json?: boolean };

export const sandbox: Command<Options> = {
  name: 'sandbox',
  summary: 'run the whole system on this machine, and print how to reach it',
  options: [
    { flags: '--fresh', description: 'throw the data of earlier sandboxes away first' },
    {
      flags: '--scenario <name>',
      description: 'what happens: calm, incident (a provider fails, quota runs out) or flood (100,000 queued)',
      choices: ['calm', 'incident', 'flood'],
    },
    {
      flags: '--speed <factor>',
      description: 'how many times faster than life, 1 to 600 (default 1)',
      parse: wholeNumber(1, 600),
    },
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops sandbox', what: 'start it and print its environment as export lines' },
    { line: 'email-ops sandbox --fresh --scenario incident --speed 60', what: 'an hour of trouble in a minute' },
    { line: 'eval "$(email-ops sandbox status --export)"', what: 'point this shell at the one that runs' },
    { line: 'email-ops sandbox stop', what: 'stop it, whoever started it' },
  ],
  subcommands: [outbox, statusCommand(), stopCommand()],
  run,
};

async function run({ options, io, signal }: Invocation<Options>): Promise<number> {
  const { joinOrStartSandbox } = await import('../sandbox/launcher.ts');
  const progress = progressLine(io, 'Starting the sandbox');
  const { fresh, scenario, speed } = options;
  const joined = await joinOrStartSandbox({
    onProgress: progress.show,
    signal,
    ...(fresh === undefined ? {} : { fresh }),
    ...(scenario === undefined ? {} : { scenario }),
    ...(speed === undefined ? {} : { speed }),
  }).finally(progress.end);
  try {
    warnOfDifference(joined, options, io);
    io.stdout.write(options.json === true ? jsonLine(describe(joined)) : exportLines(joined));
    const how = joined.startedHere ? 'The sandbox runs' : 'Joined the sandbox that runs already';
    io.stderr.write(`# ${how} (pid ${joined.pid}, ${joined.scenario}, speed ${joined.speed}). Ctrl-C lets go of it.\n`);
    const isGone = await untilGone(joined.pid, signal);
    if (isGone) throw new CommandError('The sandbox was stopped from elsewhere');
  } finally {
    await joined.leave();
  }
  return EXIT.ok;
}

function statusCommand(): Command<{ json?: boolean; export?: boolean }> {
  return {
    name: 'status',
    summary: 'say whether a sandbox runs, and where',
    options: [{ flags: '--export', description: 'only the export lines of its environment' }, JSON_OPTION],
    examples: [{ line: 'eval "$(email-ops sandbox status --export)"', what: 'point this shell at the sandbox' }],
    exitCodes: '0 one runs, 1 none runs.',
    run: async ({ options, io }) => {
      const joined = await joinOrFail();
      try {
        if (options.json === true) io.stdout.write(jsonLine(describe(joined)));
        else if (options.export === true) io.stdout.write(exportLines(joined));
        else
          io.stdout.write(`running at ${joined.url} (pid ${joined.pid}, ${joined.scenario}, speed ${joined.speed})\n`);
        return EXIT.ok;
      } finally {
        await joined.leave();
      }
    },
  };
}

function stopCommand(): Command {
  return {
    name: 'stop',
    summary: 'stop the sandbox, whoever started it; its data stays',
    options: [],
    examples: [{ line: 'email-ops sandbox stop', what: 'stop the one that runs' }],
    run: async ({ io }) => {
      const { stopSandbox } = await import('../sandbox/launcher.ts');
      const hasStopped = await stopSandbox();
      io.stdout.write(hasStopped ? 'The sandbox has stopped.\n' : 'No sandbox runs.\n');
      return EXIT.ok;
    },
  };
}

// Its shape is decided when it starts; saying nothing would let people wait for an incident that never comes.
function warnOfDifference(joined: JoinedSandbox, { scenario, speed }: Options, io: Io): void {
  if (joined.startedHere) return;
  const isOther = (scenario ?? joined.scenario) !== joined.scenario || (speed ?? joined.speed) !== joined.speed;
  if (!isOther) return;
  io.stderr.write(
    `# It runs with --scenario ${joined.scenario} --speed ${joined.speed}. For another: email-ops sandbox stop, then start again.\n`,
  );
}

function exportLines({ environment }: JoinedSandbox): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quoteForShell(value)}\n`)
    .join('');
}

function quoteForShell(value: string): string {
  return /^[\w.:/@%+=-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

function describe({ url, pid, scenario, speed, startedHere, environment }: JoinedSandbox) {
  return { url, pid, scenario, speed, startedHere, environment };
}

/** Waits for the signal (false) or for the death of the process (true), whichever is first. */
async function untilGone(pid: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (!isAlive(pid)) return true;
    await delay(ALIVE_CHECK_MS, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
