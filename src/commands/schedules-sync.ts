/** `email-ops schedules sync`: makes QStash's schedules match, showing first what would change and what it costs. */

import type { ScheduleChanges } from '../data/schedule-changes.ts';
import { formatCount } from '../domain/format.ts';
import {
  FREE_MESSAGES_PER_DAY,
  isUpToDate,
  planSync,
  type ScheduleChange,
  type SyncPlan,
} from '../domain/schedule-plan.ts';
import { auditOf } from './audit.ts';
import { type Command, CommandError, EXIT, type Invocation } from './command.ts';
import { confirm } from './confirm.ts';
import { connectSystems, type Systems } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION } from './options.ts';
import { refuseReadOnly } from './pause.ts';
import { lookOf, shown } from './render/look.ts';
import { needSchedules, openChanges } from './schedules-access.ts';

type Options = { oneTick?: boolean; yes?: boolean; dryRun?: boolean; json?: boolean };

export const sync: Command<Options> = {
  name: 'sync',
  summary: 'create, update and remove our schedules so that they match',
  options: [
    {
      flags: '--one-tick',
      description: 'one schedule that runs whatever is due, instead of three: 720 messages a day',
    },
    { flags: '--dry-run', description: 'only show what would change' },
    { flags: '-y, --yes', description: 'do not ask' },
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops schedules sync', what: 'show the difference, ask, do it' },
    { line: 'email-ops schedules sync --one-tick --yes', what: 'for the free tier of QStash' },
  ],
  exitCodes: '0 they match, 1 declined, or some could not be changed, 3 QStash could not be reached.',
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment, signal });
  const plan = await readPlan(systems, options.oneTick === true, signal);
  if (options.json === true) io.stdout.write(jsonLine(plan));
  else io.stdout.write(shown(planLines(plan), lookOf(io)));
  if (options.dryRun === true || isUpToDate(plan)) return EXIT.ok;
  refuseReadOnly(systems);
  if (options.yes !== true && !(await confirm(io, 'Make these changes?', signal))) {
    io.stderr.write('Nothing was changed.\n');
    return EXIT.failed;
  }
  await carryOutPlan(plan, systems, { io, environment });
  if (options.json !== true) io.stdout.write('Done.\n');
  return EXIT.ok;
}

/** What QStash has against what it should have. @throws CommandError without an address for the schedules to call */
export async function readPlan(systems: Systems, isOneTick: boolean, signal: AbortSignal): Promise<SyncPlan> {
  const { baseUrl } = systems.config.worker;
  if (baseUrl === null) {
    throw new CommandError(
      'EMAIL_WORKER_BASE_URL is not set: it says where the schedules should call, such as https://foodshare.club',
    );
  }
  const { schedules } = await needSchedules(systems).read(signal);
  return planSync(schedules, baseUrl, isOneTick);
}

/** Each change that was made is written to the audit list. */
export async function carryOutPlan(
  plan: SyncPlan,
  systems: Systems,
  by: Pick<Invocation, 'io' | 'environment'>,
): Promise<void> {
  const changes = await openChanges(systems);
  const audit = auditOf(systems, by);
  for (const change of plan.changes) {
    await carryOut(change, changes);
    if (change.kind !== 'keep') await audit(`${change.kind} schedule`, idOf(change));
  }
}

/** New ones before old ones go: for a moment both may call, which the lock bears; neither calling would lose ticks. */
async function carryOut(change: ScheduleChange, changes: ScheduleChanges): Promise<void> {
  switch (change.kind) {
    case 'create':
      await changes.put(change.schedule);
      if (change.isPaused) await pauseOrTakeBack(change.schedule.id, changes);
      return;
    case 'update':
      await changes.put(change.schedule);
      // Overwriting may wake a schedule that somebody paused on purpose.
      if (change.isPaused) await changes.pause(change.schedule.id);
      return;
    case 'remove':
      return changes.remove(change.id);
    case 'keep':
      return;
  }
}

/** QStash creates schedules active. One that cannot be paused goes again, rather than run what somebody stopped. */
async function pauseOrTakeBack(id: string, changes: ScheduleChanges): Promise<void> {
  try {
    await changes.pause(id);
  } catch (error) {
    await changes.remove(id).catch(() => undefined);
    throw error;
  }
}

function idOf(change: ScheduleChange): string {
  return 'schedule' in change ? change.schedule.id : change.id;
}

export function planLines(plan: SyncPlan): readonly string[] {
  return [
    ...plan.changes.flatMap(changeLines),
    ...wokenLine(plan),
    ...plan.strangers.map(
      ({ id, destination }) => `? ${id}  calls ${destination} as well, and is not ours: left alone`,
    ),
    '',
    costLine(plan),
    ...(isUpToDate(plan) ? ['Everything matches: nothing to do.'] : []),
  ];
}

function changeLines(change: ScheduleChange): readonly string[] {
  switch (change.kind) {
    case 'create': {
      const { id, cron, destination, retries } = change.schedule;
      const standing = change.isPaused ? ', paused as what it replaces' : '';
      return [`+ ${id}  ${cron}  ${destination}  (retries ${retries}${standing})`];
    }
    case 'update':
      return [
        `~ ${change.schedule.id}${change.isPaused ? '  (stays paused)' : ''}`,
        ...change.changes.map((text) => `    ${text}`),
      ];
    case 'remove':
      return [`- ${change.id}`];
    case 'keep':
      return [`= ${change.id}${change.isPaused ? '  (paused: email-ops schedules resume)' : ''}`];
  }
}

function wokenLine({ woken, changes }: SyncPlan): readonly string[] {
  if (woken.length === 0) return [];
  const created = changes.flatMap((change) => (change.kind === 'create' ? [change.schedule.id] : []));
  const [are, them] = woken.length === 1 ? ['is', 'its worker'] : ['are', 'their workers'];
  return [`! ${woken.join(', ')} ${are} paused, but ${created.join(', ')} starts active and calls ${them} again`];
}

function costLine({ messagesPerDay, fitsFreeTier }: SyncPlan): string {
  const cost = `${formatCount(messagesPerDay)} QStash messages a day, the free tier has ${formatCount(FREE_MESSAGES_PER_DAY)}`;
  return fitsFreeTier ? `${cost}: it fits.` : `${cost}: it does not fit. --one-tick makes it 720.`;
}
