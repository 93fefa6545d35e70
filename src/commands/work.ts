/** `email-ops work`: the workers on their schedules, without a screen, until told to stop; then drains. */
import type { WorkerName } from '../domain/run.ts';
import { WORKERS } from '../domain/run.ts';
import type { Scheduler } from '../workers/scheduler.ts';
import { type Command, EXIT, type Invocation, UsageError } from './command.ts';
import { connectSystems } from './connect.ts';
import { keepTelling } from './notifier.ts';
import { refuseReadOnly } from './pause.ts';
import { logTo, openWorkers, untilAborted } from './workers.ts';

/** The longest that a drain takes: sends in flight time out before. */
const DRAIN_MS = 60_000;

type Options = { forceLocal?: boolean; only?: readonly WorkerName[] };

export const work: Command<Options> = {
  name: 'work',
  summary: 'run the workers on their schedules, without a screen',
  options: [
    { flags: '--force-local', description: 'also those that QStash calls already' },
    { flags: '--only <workers>', description: 'only these, separated by commas', parse: parseWorkers },
  ],
  examples: [
    { line: 'email-ops work', what: 'all workers that no active QStash schedule calls, until SIGTERM' },
    { line: 'email-ops work --only queue-processor --force-local', what: 'one more place that sends' },
  ],
  exitCodes:
    '0 stopped by a signal and drained, 2 wrong configuration, 3 a system that the workers need is not configured.',
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  const log = logTo(io);
  await using systems = await connectSystems(io, { environment, signal });
  refuseReadOnly(systems);
  const workers = await openWorkers(systems, log);
  const { WORKER_TABLE } = await import('../workers/registry.ts');
  const { createScheduler } = await import('../workers/scheduler.ts');
  const { keepLocalSchedule } = await import('../workers/local-schedule.ts');
  const wanted = WORKER_TABLE.filter(({ name }) => options.only?.includes(name) ?? true);
  const scheduler = createScheduler(
    wanted.map(({ name, cron }) => ({ name, cron, worker: workers[name] })),
    log,
    { runAtStart: ['queue-processor'] },
  );
  log.info(
    `[schedule] ${wanted.map(({ name, cron }) => `${name} ${cron}`).join(', ')} (UTC), ${place(systems.config)}.`,
  );
  const { schedules } = systems;
  await keepLocalSchedule(scheduler, { schedules, forceLocal: options.forceLocal ?? false, log, signal });
  const telling = keepTelling(systems, log, signal);
  await untilAborted(signal);
  await drain(scheduler, (line) => log.info(line));
  await telling;
  return EXIT.ok;
}

async function drain(scheduler: Scheduler, say: (line: string) => void): Promise<void> {
  const running = scheduler.states().filter(({ runningSinceEpochMs }) => runningSinceEpochMs !== null);
  if (running.length > 0) say(`[schedule] Stopping; waiting for ${running.map(({ name }) => name).join(', ')}.`);
  await scheduler.stop(AbortSignal.timeout(DRAIN_MS));
  say('[schedule] Stopped.');
}

function place({ environment }: { environment: { name: string } }): string {
  return `environment ${environment.name}`;
}

function parseWorkers(text: string): readonly WorkerName[] {
  return text.split(',').map((name) => {
    const known = WORKERS.find((worker) => worker === name.trim());
    if (known === undefined) throw new UsageError(`'${name.trim()}' is no worker; use ${WORKERS.join(', ')}`);
    return known;
  });
}
