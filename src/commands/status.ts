/** `email-ops status`: one snapshot, for a person or a program, with an exit code for monitoring. */
import { EXIT_CODE_BY_LEVEL, verdictOf } from '../domain/verdict.ts';
import type { Command, Invocation } from './command.ts';
import { connectSystems } from './connect.ts';
import { JSON_OPTION } from './options.ts';
import { lookOf, shown } from './render/look.ts';
import { snapshotJson } from './render/snapshot-json.ts';
import { statusLines } from './render/status.ts';

type Options = { json?: boolean };

export const status: Command<Options> = {
  name: 'status',
  summary: 'one picture of the email system; the exit code tells its health',
  options: [JSON_OPTION],
  examples: [
    { line: 'email-ops status', what: 'a page of text, the verdict and its reasons first' },
    { line: "email-ops status --json | jq '.verdict'", what: 'the verdict alone' },
    { line: 'email-ops status > /dev/null || mail -s "email is ill" ops', what: 'in a cron job' },
  ],
  exitCodes: '0 ok, 1 warning, 2 critical (or wrong usage or configuration), 3 nothing could be reached.',
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment });
  const snapshot = await (await systems.snapshotReader()).read(signal);
  const verdict = verdictOf(snapshot);
  const look = lookOf(io);
  io.stdout.write(
    options.json === true ? `${snapshotJson(snapshot, verdict)}\n` : shown(statusLines(snapshot, verdict, look), look),
  );
  return EXIT_CODE_BY_LEVEL[verdict.level];
}
