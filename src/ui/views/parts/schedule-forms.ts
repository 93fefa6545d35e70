/** What the view *Schedules* asks before it changes something at QStash. Pure. */
import type { DeadDelivery } from '../../../domain/delivery.ts';
import { formatCount, plural } from '../../../domain/format.ts';
import type { Schedule } from '../../../domain/schedule.ts';
import { workersFor } from '../../../domain/schedule-plan.ts';
import { outside } from '../../../domain/state-words.ts';
import type { ActionRequest } from '../../actions.ts';
import { environmentField } from '../../confirm.ts';
import type { Form } from '../../dialog.ts';
import { type Line, line, seg } from '../../line.ts';
import type { State } from '../../state.ts';
import { addressed } from '../../words.ts';
import { textLines } from './facts.ts';

/** A resumed schedule needs no question; one that stands still does, because nothing resumes it by itself. */
export function pauseForm(schedule: Schedule): Form {
  const name = outside(schedule.id, 60);
  const isProcessor = workersFor(schedule).includes('queue-processor');
  return asking({
    title: `Pause ${name}`,
    explain: [
      ...said('QStash stops calling it until somebody resumes it: this pause has no end.'),
      ...(isProcessor ? said('No email is sent meanwhile. To stop for a while, pause the queue instead (p).') : []),
    ],
    verb: 'pause the schedule',
    request: { kind: 'schedule', id: schedule.id, change: 'pause' },
  });
}

export function triggerForm(schedule: Schedule): Form {
  return asking({
    title: `Trigger ${outside(schedule.id, 60)}`,
    explain: [
      line('QStash calls it now, there and not here:'),
      ...textLines(outside(schedule.destination, 300), FORM_TEXT, 'accent'),
      line('The message is followed until it is delivered or given up.'),
    ],
    verb: 'trigger',
    request: { kind: 'schedule', id: schedule.id, change: 'trigger' },
  });
}

const LISTED = 6;

export function deadForm(state: State, change: 'retry' | 'delete', chosen: readonly DeadDelivery[]): Form {
  const count = plural(chosen.length, 'dead letter');
  const isMass = chosen.length > 1;
  const more = chosen.length > LISTED ? [line(`… and ${formatCount(chosen.length - LISTED)} more`)] : [];
  const listed = chosen
    .slice(0, LISTED)
    .map(({ scheduleId, destination, reason }) =>
      line(`· ${outside(scheduleId ?? destination, 60)}: `, seg(addressed(reason, state.isMasked, 120), 'muted')),
    );
  return {
    ...asking({
      title: change === 'retry' ? `Deliver ${count} again` : `Delete ${count}`,
      explain: [
        ...listed,
        ...more,
        ...said(
          change === 'retry'
            ? 'QStash publishes each anew, with its retries before it.'
            : 'QStash forgets them for good. No email is lost by that: they are calls of workers.',
        ),
      ],
      verb: change === 'retry' ? `deliver ${count} again` : `delete ${count}`,
      request: { kind: 'dead-delivery', change, ids: chosen.map(({ id }) => id) },
    }),
    fields: isMass || change === 'delete' ? environmentField(state) : [],
    isDangerous: change === 'delete',
  };
}

/** Wrapped to what a form has room for. */
const FORM_TEXT = 66;

function said(text: string): readonly Line[] {
  return textLines(text, FORM_TEXT);
}

function asking(about: {
  readonly title: string;
  readonly explain: readonly Line[];
  readonly verb: string;
  readonly request: ActionRequest;
}): Form {
  const { title, explain, verb, request } = about;
  return {
    kind: 'form',
    title,
    explain,
    fields: [],
    focus: 0,
    verb,
    isDangerous: false,
    purpose: { kind: 'act', request },
  };
}
