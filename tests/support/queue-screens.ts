/** The Queue view in states worth storing: an incident's list, a selection to be discarded, groups of errors, details, no answer. */
import type { QueueItem } from '../../src/domain/queue-page.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import type { Size } from '../../src/ui/layout.ts';
import type { LoadRequest } from '../../src/ui/loaders.ts';
import { reduce } from '../../src/ui/reduce.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import type { Look } from '../../src/ui/theme.ts';
import { connected, incidentSnapshot, keys } from './dashboard.ts';
import { aListedDeadLetter, aListedEmail, anErrorGroup, details } from './queue-items.ts';
import { NOON } from './snapshot.ts';

const KINDS: readonly Partial<Extract<QueueItem, { kind: 'email' }>>[] = [
  { emailType: 'auth', subject: 'Your sign-in code' },
  {
    emailType: 'chat',
    subject: 'Anna replied to you: \u{1f35e} 面包',
    status: 'processing',
    attempts: 1,
    lockedBy: 'ops-1',
  },
  {
    emailType: 'review_reminder',
    subject: 'Two reviews are waiting',
    status: 'failed',
    attempts: 3,
    lastError: '550 5.1.1 no mailbox for someone@example.org',
  },
  {
    emailType: 'newsletter',
    attempts: 2,
    lastError: '452 4.2.2 mailbox is full',
    nextRetryAtEpochMs: NOON + 12 * MINUTE_MS,
  },
  { emailType: 'welcome', subject: 'Welcome to FoodShare', status: 'completed', attempts: 1 },
  {
    emailType: 'feedback',
    subject: 'How was the pick-up?',
    status: 'failed',
    attempts: 1,
    lastError: 'bad',
    isDiscarded: true,
  },
];

const ITEMS: readonly QueueItem[] = Array.from({ length: 90 }, (_, n) =>
  aListedEmail(n, KINDS[n % KINDS.length] ?? {}),
);
const LETTERS: readonly QueueItem[] = Array.from({ length: 4 }, (_, n) => aListedDeadLetter(n));

const BODY = [
  'Two reviews are waiting',
  '',
  'Hello Maria, how was the bread?',
  '',
  'Tell them <https://foodshare.example/r/1>',
];

type Make = (size: Size, look: Look) => State;

const pressed =
  (...names: readonly string[]): Make =>
  (size, look) =>
    keys('2', ...names).reduce(answered, connected(incidentSnapshot(), { size, look }));

export const QUEUE_SCREENS: Readonly<Record<string, Make>> = {
  'queue-list': pressed('down', 'down'),
  'queue-discard': pressed('v', 'down', 'v', 'x'),
  'queue-groups': pressed('e', 'down'),
  'queue-details': pressed('down', 'down', 'enter'),
  'queue-dead': pressed('left'),
  'queue-filter': pressed('/', 'i', 's', ':', 'x'),
  'queue-failed': (size, look) => {
    const [state, effects] = reduce(connected(incidentSnapshot(), { size, look }), keys('2')[0] as UiEvent);
    const error = { code: 'timeout', message: 'Postgres did not answer within 5 s.', remedy: 'Look at its activity.' };
    return effects.reduce(
      (known, effect) => (effect.kind === 'load' ? reduce(known, failed(effect.request, error))[0] : known),
      state,
    );
  },
};

/** One event, and the answers to everything that is asked upon it. */
function answered(state: State, event: UiEvent): State {
  const [next, effects] = reduce(state, event);
  return effects.reduce(
    (known, effect) => (effect.kind === 'load' ? answered(known, answerTo(effect.request)) : known),
    next,
  );
}

function answerTo(request: LoadRequest): UiEvent {
  const answer = { type: 'loaded', view: 'queue', kind: request.kind, request };
  return { ...answer, result: { ok: true, value: valueFor(request) } } as UiEvent;
}

function failed(request: LoadRequest, fault: object): UiEvent {
  const answer = { type: 'loaded', view: 'queue', kind: request.kind, request };
  return { ...answer, result: { ok: false, fault } } as UiEvent;
}

function valueFor(request: LoadRequest): unknown {
  switch (request.kind) {
    case 'queue-page': {
      const items = request.query.status === 'dead' ? LETTERS : ITEMS;
      return { items, skipped: 0, hasMore: items === ITEMS, isForwardOnly: false };
    }
    case 'queue-groups': {
      const groups = [
        anErrorGroup(),
        anErrorGroup({
          status: 'queued',
          errorKind: '452 4.2.2 mailbox is full',
          count: 12,
          emailTypes: ['newsletter'],
        }),
        anErrorGroup({ errorKind: '', count: 2 }),
      ];
      return { groups, emails: 51, hasMore: false };
    }
    case 'email': {
      const item = ITEMS.find(({ id }) => id === request.id);
      return item?.kind === 'email' ? details(item, BODY) : null;
    }
    default:
      return null;
  }
}
