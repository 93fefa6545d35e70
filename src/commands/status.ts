/** `email-ops status`: one snapshot, for a person or a program, with an exit code for monitoring. */
import type { Snapshot } from '../domain/snapshot.ts';
import { EXIT_CODE_BY_LEVEL, type Verdict, verdictOf } from '../domain/verdict.ts';
import { type Command, ConfigError, type Invocation } from './command.ts';
import { connectSystems } from './connect.ts';
import { JSON_OPTION } from './options.ts';
import { lookOf, shown } from './render/look.ts';
import { monitoringLine, unknownLine } from './render/monitoring.ts';
import { snapshotJson } from './render/snapshot-json.ts';
import { statusLines } from './render/status.ts';

type Options = { json?: boolean; check?: boolean };

export const status: Command<Options> = {
  name: 'status',
  summary: 'one picture of the email system; the exit code tells its health',
  options: [
    JSON_OPTION,
    {
      flags: '--check',
      description: 'one line with figures for Nagios or Icinga; 3 for whatever keeps it from telling',
    },
  ],
  examples: [
    { line: 'email-ops status', what: 'a page of text, the verdict and its reasons first' },
    { line: "email-ops status --json | jq '.verdict'", what: 'the verdict alone' },
    { line: 'email-ops status --check', what: 'as a check of Nagios or Icinga' },
    { line: 'email-ops status > /dev/null || mail -s "email is ill" ops', what: 'in a cron job' },
  ],
  exitCodes: '0 ok, 1 degraded (a warning), 2 critical (or wrong usage or configuration), 3 nothing could be reached.',
  run,
};

async function run(invocation: Invocation<Options>): Promise<number> {
  const { options, io, environment, signal } = invocation;
  try {
    await using systems = await connectSystems(io, { environment, signal });
    const snapshot = await (await systems.snapshotReader()).read(signal);
    const verdict = verdictOf(snapshot);
    io.stdout.write(textOf(snapshot, verdict, invocation));
    return EXIT_CODE_BY_LEVEL[verdict.level];
  } catch (error) {
    // 2 would be a critical email system, which nobody knows.
    if (options.check !== true || !(error instanceof ConfigError)) throw error;
    io.stdout.write(`${unknownLine(error.problems.join('; '))}\n`);
    return EXIT_CODE_BY_LEVEL.unreachable;
  }
}

function textOf(snapshot: Snapshot, verdict: Verdict, { options, io }: Invocation<Options>): string {
  if (options.check === true) return `${monitoringLine(snapshot, verdict)}\n`;
  if (options.json === true) return `${snapshotJson(snapshot, verdict)}\n`;
  const look = lookOf(io);
  return shown(statusLines(snapshot, verdict, look), look);
}
