/** `email-ops resume`: lifts a pause, after a question when it is somebody else's. */
import { createQueueLock } from '../data/queue-lock.ts';
import { formatAge } from '../domain/format.ts';
import { cleanText } from '../domain/text.ts';
import { auditOf } from './audit.ts';
import { type Command, CommandError, EXIT, type Invocation } from './command.ts';
import { confirm } from './confirm.ts';
import { connectSystems, needRedis } from './connect.ts';
import { operatorOf } from './operator.ts';
import { JSON_OPTION } from './options.ts';
import { nameOf, pauseJson, refuseReadOnly } from './pause.ts';

type Options = { yes?: boolean; json?: boolean };

export const resume: Command<Options> = {
  name: 'resume',
  summary: 'lift a pause, so that the workers go on',
  options: [{ flags: '-y, --yes', description: 'do not ask when the pause is somebody else’s' }, JSON_OPTION],
  examples: [
    { line: 'email-ops resume', what: 'lift your pause' },
    { line: 'email-ops resume --yes', what: 'lift whoever’s pause it is' },
  ],
  exitCodes: '0 nothing is paused any more, 1 the pause stands, 3 Redis could not be reached.',
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment, signal });
  refuseReadOnly(systems);
  const redis = needRedis(systems).client;
  const lock = createQueueLock(redis, systems.clock, systems.config.worker.slots);
  const operator = operatorOf(environment);
  const { pause } = await lock.state();
  if (pause === null) {
    io.stdout.write(options.json === true ? pauseJson('running', null) : 'Nothing is paused.\n');
    return EXIT.ok;
  }
  const isOurs = pause.operator === operator.name && pause.host === operator.host;
  const why = pause.reason === '' ? '' : ` (${cleanText(pause.reason, 200)})`;
  const since = formatAge(io.now() - pause.startedAtEpochMs);
  if (!isOurs && options.yes !== true) {
    const question = `The pause is by ${nameOf(pause)}${why}, since ${since}. Lift it?`;
    if (!(await confirm(io, question, signal))) throw new CommandError('The pause stands');
  }
  const isLifted = await lock.resume(pause.value);
  await auditOf(systems, { io, environment })('resume', pause.value, isLifted ? 'ok' : 'It had ended already.');
  if (options.json === true) io.stdout.write(pauseJson('running', null));
  else
    io.stdout.write(
      `Resumed after ${since}. The workers go on at their next run; at once: email-ops run queue-processor\n`,
    );
  return EXIT.ok;
}
