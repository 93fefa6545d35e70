/** What the Schedules view does at QStash: pause, resume, trigger; deliver dead letters again, or delete them. All audited. */
import { runRemotely } from '../../data/remote-run.ts';
import { createScheduleChanges } from '../../data/schedule-changes.ts';
import type { MessageState } from '../../domain/delivery.ts';
import { formatAge, plural } from '../../domain/format.ts';
import type { Schedule } from '../../domain/schedule.ts';
import { workersFor } from '../../domain/schedule-plan.ts';
import { cleanText, maskEmailsIn } from '../../domain/text.ts';
import type { ActionContext, ActionOutcome, Actions } from '../../ui/actions.ts';
import type { Systems } from '../connect.ts';

export interface ScheduleActionsOptions {
  readonly systems: Systems;
  /** Writes the audit list; answers what is to be added to the outcome, empty where all went well. */
  readonly audit: (action: string, target: string, outcome?: string) => Promise<string>;
  /** Something at QStash is different now: the next look should not wait for its minute. */
  readonly onChanged: () => void;
}

export function scheduleActions(options: ScheduleActionsOptions): Actions {
  const { systems, audit, onChanged } = options;
  const { qstash } = systems.config;
  if (qstash === null || systems.schedules === null) return {};
  const { schedules: reader } = systems;
  const changes = createScheduleChanges(qstash);

  const found = async (id: string, signal: AbortSignal): Promise<Schedule | null> =>
    (await reader.read(signal)).schedules.find((schedule) => schedule.id === id) ?? null;

  return {
    schedule: async ({ id, change }, context) => {
      const schedule = await found(id, context.signal);
      onChanged();
      const name = cleanText(id, 60);
      if (schedule === null) return { level: 'warning', text: `QStash has no schedule ${name} any more` };
      switch (change) {
        case 'trigger':
          return trigger(schedule, context, options);
        case 'pause':
        case 'resume': {
          const wanted = change === 'pause';
          if (schedule.isPaused === wanted)
            return { level: 'ok', text: `${name} is ${wanted ? 'paused' : 'active'} already` };
          await changes[change](id);
          const missing = await audit(`${change} schedule`, id);
          const effect = wanted ? 'is paused: QStash calls nobody until it is resumed (P)' : 'goes on';
          return { level: 'ok', text: `${name} ${effect}${missing}` };
        }
        default:
          return change satisfies never;
      }
    },
    'dead-delivery': async ({ change, ids }) => {
      const count = await (change === 'retry' ? changes.redeliver(ids) : changes.deleteDead(ids));
      onChanged();
      const done = change === 'retry' ? 'handed to QStash again' : 'deleted at QStash';
      const text = `${plural(count, 'dead letter')} ${done}`;
      const missing = await audit(`${change} dead delivery`, ids.join(' '), count === ids.length ? 'ok' : text);
      const gone = ids.length - count;
      if (gone <= 0) return { level: 'ok', text: `${text}${missing}` };
      return { level: 'warning', text: `${text}; ${gone} of ${ids.length} were not there any more${missing}` };
    },
  };
}

/** Long enough for a run, its drain and a retry; QStash goes on without us. */
const FOLLOW_MS = 330_000;

async function trigger(
  { id, destination }: Schedule,
  { signal, onProgress }: ActionContext,
  { systems, audit, onChanged }: ScheduleActionsOptions,
): Promise<ActionOutcome> {
  const { qstash } = systems.config;
  const name = cleanText(id, 60);
  if (qstash === null || workersFor({ id, destination }).length === 0)
    return { level: 'warning', text: `${name} is none of ours: what it sends is not known here` };
  const startedAtEpochMs = systems.clock.nowEpochMs();
  const since = () => formatAge(systems.clock.nowEpochMs() - startedAtEpochMs);
  const told = await runRemotely(qstash, {
    destination,
    signal,
    followMs: FOLLOW_MS,
    onState: (state) => onProgress({ text: STATE_WORDS[state] }),
  }).catch(async (error: unknown) => {
    await audit('trigger', id, error instanceof Error ? error.message : 'failed');
    throw error;
  });
  onChanged();
  const missing = await audit('trigger', id, told.outcome === 'delivered' ? 'ok' : told.outcome);
  const why = told.error === null ? '' : `: ${maskEmailsIn(cleanText(told.error, 300))}`;
  switch (told.outcome) {
    case 'delivered':
      return { level: 'ok', text: `${name} was triggered: delivered after ${since()}${missing}` };
    case 'failed':
      return { level: 'critical', text: `${name} was triggered: QStash gave up after ${since()}${why}${missing}` };
    case 'cancelled':
      return { level: 'warning', text: `${name} was triggered: somebody cancelled the message${missing}` };
    case 'unknown':
      return {
        level: 'warning',
        text: `${name} was triggered: not over after ${since()}, QStash goes on${why}${missing}`,
      };
    default:
      return told.outcome satisfies never;
  }
}

const STATE_WORDS: Readonly<Record<MessageState, string>> = {
  created: 'QStash has it',
  active: 'is being delivered',
  delivered: 'delivered',
  error: 'the delivery failed, another try follows',
  retry: 'the delivery failed, waits for another try',
  failed: 'QStash gave up',
  cancelled: 'cancelled',
};
