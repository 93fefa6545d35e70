/** `email-ops schedules`: what QStash calls when, and making it so. */
import type { Schedule } from '../domain/schedule.ts';
import { cleanText } from '../domain/text.ts';
import { auditOf } from './audit.ts';
import { type Command, CommandError, EXIT, type Invocation } from './command.ts';
import { connectSystems } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION } from './options.ts';
import { refuseReadOnly } from './pause.ts';
import { lookOf, shown } from './render/look.ts';
import { scheduleLines } from './render/schedules.ts';
import { needSchedules, openChanges } from './schedules-access.ts';
import { sync } from './schedules-sync.ts';
import { vercel } from './schedules-vercel.ts';

export const schedules: Command = {
  name: 'schedules',
  summary: 'list, sync, pause and resume the QStash schedules',
  options: [],
  examples: [
    { line: 'email-ops schedules list', what: 'what is scheduled, next run and last outcome' },
    { line: 'email-ops schedules sync', what: 'show what differs from the three schedules, then make it so' },
    { line: 'email-ops schedules sync --one-tick --yes', what: 'a single schedule that fits the free tier' },
  ],
  subcommands: [listCommand(), sync as Command, switchCommand('pause'), switchCommand('resume'), vercel as Command],
};

function listCommand(): Command {
  return {
    name: 'list',
    summary: 'what is scheduled, with next run and last outcome',
    options: [JSON_OPTION],
    examples: [{ line: 'email-ops schedules list --json', what: 'for another program' }],
    run: async ({ options, io, environment, signal }) => {
      await using systems = await connectSystems(io, { environment, signal });
      const overview = await needSchedules(systems).read(signal);
      if (options.json === true) io.stdout.write(jsonLine(overview));
      else io.stdout.write(shown(scheduleLines(overview, io.now(), lookOf(io)), lookOf(io)));
      return EXIT.ok;
    },
  };
}

function switchCommand(verb: 'pause' | 'resume'): Command {
  const effect = verb === 'pause' ? 'call nobody until they are resumed' : 'go on';
  return {
    name: verb,
    summary: `let schedules ${effect}; without ids, all of ours`,
    arguments: [{ name: '[ids...]', description: 'ids of schedules, as `schedules list` shows them' }],
    options: [],
    examples: [{ line: `email-ops schedules ${verb} email-health-monitor`, what: 'one of them' }],
    run: (invocation) => switchSchedules(verb, invocation),
  };
}

async function switchSchedules(verb: 'pause' | 'resume', invocation: Invocation): Promise<number> {
  const { io, environment, signal } = invocation;
  await using systems = await connectSystems(io, { environment, signal });
  refuseReadOnly(systems);
  const { schedules: known } = await needSchedules(systems).read(signal);
  const chosen = choose(invocation.arguments.flat(), known, await ourIds());
  const changes = await openChanges(systems);
  const audit = auditOf(systems, invocation);
  for (const { id, isPaused } of chosen) {
    if (isPaused === (verb === 'pause')) {
      io.stdout.write(`${cleanText(id, 100)}: ${isPaused ? 'paused' : 'active'} already\n`);
      continue;
    }
    await changes[verb](id);
    await audit(`${verb} schedule`, id);
    io.stdout.write(`${cleanText(id, 100)}: ${verb === 'pause' ? 'paused' : 'active'}\n`);
  }
  return EXIT.ok;
}

function choose(ids: readonly string[], known: readonly Schedule[], ours: readonly string[]): readonly Schedule[] {
  const missing = ids.filter((id) => !known.some((schedule) => schedule.id === id));
  if (missing.length > 0) {
    throw new CommandError(`QStash has no schedule ${missing.join(', ')}. email-ops schedules list shows those it has`);
  }
  const wanted = ids.length > 0 ? ids : ours;
  const chosen = known.filter(({ id }) => wanted.includes(id));
  if (chosen.length === 0)
    throw new CommandError('QStash has none of our schedules. Create them: email-ops schedules sync');
  return chosen;
}

async function ourIds(): Promise<readonly string[]> {
  const { EXPECTED_SCHEDULES, TICK_SCHEDULE } = await import('../domain/schedule.ts');
  return [...EXPECTED_SCHEDULES.map(({ id }) => id), TICK_SCHEDULE.id];
}
