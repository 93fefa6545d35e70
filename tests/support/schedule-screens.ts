/** The views Schedules and Runs in states to look at: as expected, an incident, the one tick, what failed, what is live. */
import type { AuditTrail } from '../../src/domain/audit.ts';
import type { DeadDelivery, Delivery } from '../../src/domain/delivery.ts';
import { loaded } from '../../src/domain/loaded.ts';
import { type Schedule, TICK_SCHEDULE } from '../../src/domain/schedule.ts';
import type { Snapshot } from '../../src/domain/snapshot.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../src/domain/time.ts';
import type { Size } from '../../src/ui/layout.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import type { Look } from '../../src/ui/theme.ts';
import {
  afterEvents,
  calmSnapshot,
  connected,
  failedSnapshot,
  incidentSnapshot,
  keys,
  staleSnapshot,
} from './dashboard.ts';
import { NOON } from './snapshot.ts';

export const PROCESSOR = 'email-queue-processor';

export function aDelivery(changes: Partial<Delivery> = {}): Delivery {
  return {
    messageId: 'msg_1',
    state: 'delivered',
    createdAtEpochMs: NOON - 2 * MINUTE_MS,
    lastAtEpochMs: NOON - 2 * MINUTE_MS + 3_200,
    attempts: 1,
    nextAttemptAtEpochMs: null,
    error: null,
    ...changes,
  };
}

export function aDeadDelivery(number: number, changes: Partial<DeadDelivery> = {}): DeadDelivery {
  return {
    id: `${NOON - number * MINUTE_MS}-${number}`,
    messageId: `msg_dead_${number}`,
    scheduleId: PROCESSOR,
    destination: 'https://foodshare.club/api/email/worker/queue-processor',
    createdAtEpochMs: NOON - number * MINUTE_MS - 13 * SECOND_MS,
    diedAtEpochMs: NOON - number * MINUTE_MS,
    responseStatus: 500,
    reason: 'HTTP 500: Postgres did not answer within 5 s.',
    ...changes,
  };
}

/** In the view of this name, with everything a console can do. */
export function inView(view: string, snapshot: Snapshot, changes: Parameters<typeof connected>[1] = {}): State {
  const state = connected(snapshot, changes);
  const able: State = { ...state, available: new Set([...state.available, 'dead-delivery'] as const) };
  return afterEvents(able, { type: 'command', name: 'view', argument: view });
}

export function loadedDeliveries(deliveries: readonly Delivery[], scheduleId = PROCESSOR): UiEvent {
  const request = { kind: 'deliveries', scheduleId } as const;
  return {
    type: 'loaded',
    view: 'schedules',
    kind: 'deliveries',
    request,
    result: { ok: true, value: { deliveries, skipped: 0 } },
  };
}

export function loadedDead(
  messages: readonly DeadDelivery[],
  next: string | null = null,
  cursor: string | null = null,
): UiEvent {
  const request = { kind: 'dead-deliveries', cursor } as const;
  const value = { messages, cursor: next, skipped: 0 };
  return { type: 'loaded', view: 'schedules', kind: 'dead-deliveries', request, result: { ok: true, value } };
}

export function loadedAudit(entries: AuditTrail['entries']): UiEvent {
  const request = { kind: 'audit', limit: 500 } as const;
  return { type: 'loaded', view: 'runs', kind: 'audit', request, result: { ok: true, value: { entries, skipped: 0 } } };
}

export function withSchedules(snapshot: Snapshot, schedules: readonly Schedule[], deadLetters = 0): Snapshot {
  return {
    ...snapshot,
    schedules: loaded({ schedules, deadLetters, deadLettersTruncated: false, skipped: 0 }, NOON),
  };
}

export function schedulesOf(snapshot: Snapshot): readonly Schedule[] {
  return snapshot.schedules.state === 'failed' ? [] : snapshot.schedules.value.schedules;
}

export function aTick(changes: Partial<Schedule> = {}): Schedule {
  return {
    id: TICK_SCHEDULE.id,
    cron: TICK_SCHEDULE.cron,
    destination: `https://foodshare.club${TICK_SCHEDULE.path}`,
    isPaused: false,
    method: 'POST',
    retries: 1,
    lastRunAtEpochMs: NOON,
    nextRunAtEpochMs: NOON + 2 * MINUTE_MS,
    lastState: 'success',
    ...changes,
  };
}

const DELIVERIES = [
  aDelivery({ messageId: 'a', state: 'active', createdAtEpochMs: NOON - SECOND_MS, lastAtEpochMs: NOON - SECOND_MS }),
  aDelivery({ messageId: 'b' }),
  aDelivery({
    messageId: 'c',
    createdAtEpochMs: NOON - 4 * MINUTE_MS,
    lastAtEpochMs: NOON - 4 * MINUTE_MS + 15_400,
    attempts: 2,
    error: 'HTTP 500: Redis did not answer within 2 s.',
  }),
  aDelivery({ messageId: 'd', createdAtEpochMs: NOON - 6 * MINUTE_MS, lastAtEpochMs: NOON - 6 * MINUTE_MS + 900 }),
];

const FAILING = [
  aDelivery({
    messageId: 'a',
    state: 'retry',
    createdAtEpochMs: NOON - 11 * MINUTE_MS,
    nextAttemptAtEpochMs: NOON + 40 * SECOND_MS,
    error: 'HTTP 500: Postgres did not answer within 5 s.',
  }),
  aDelivery({
    messageId: 'b',
    state: 'failed',
    createdAtEpochMs: NOON - 13 * MINUTE_MS,
    lastAtEpochMs: NOON - 13 * MINUTE_MS + 14_000,
    attempts: 2,
    error: 'HTTP 500: Postgres did not answer within 5 s.',
  }),
  aDelivery({ messageId: 'c', createdAtEpochMs: NOON - 15 * MINUTE_MS, lastAtEpochMs: NOON - 15 * MINUTE_MS + 2_000 }),
];

/** One missing, one paused, one too many, one of somebody else. */
function brokenSchedules(): Snapshot {
  const incident = incidentSnapshot();
  const [processor, monitor] = schedulesOf(incident);
  if (processor === undefined || monitor === undefined) throw new Error('the incident has no schedules');
  const schedules = [
    { ...processor, lastState: 'fail' as const, cron: '*/2 * * * *' },
    { ...monitor, isPaused: true },
    { ...processor, id: 'scd_7YxZ1', cron: '*/10 * * * *', lastRunAtEpochMs: NOON },
    {
      ...processor,
      id: 'nightly-backup',
      cron: '0 3 * * *',
      destination: 'https://backup.example.org/run',
      lastRunAtEpochMs: null,
    },
  ];
  return withSchedules(incident, schedules, 3);
}

const DEAD = [
  aDeadDelivery(13),
  aDeadDelivery(27, { responseStatus: null, reason: 'fetch failed: ECONNREFUSED' }),
  aDeadDelivery(24 * 60 + 5, {
    scheduleId: null,
    reason: 'HTTP 401: The signature does not fit, says anna@example.org.',
  }),
];

const AUDIT: AuditTrail['entries'] = [
  {
    atEpochMs: NOON - 4 * MINUTE_MS,
    by: 'ada',
    host: 'ops-1',
    action: 'pause schedule',
    target: 'email-health-monitor',
    outcome: 'ok',
  },
  {
    atEpochMs: NOON - 9 * MINUTE_MS,
    by: 'grace',
    host: 'ops-2',
    action: 'pause',
    target: `pause/grace@ops-2/${NOON}/resend%20outage`,
    outcome: 'ok',
  },
  {
    atEpochMs: NOON - 31 * MINUTE_MS,
    by: 'grace',
    host: 'ops-2',
    action: 'retry',
    target: '37 emails: 452 mailbox of anna@example.org is full',
    outcome: '36 retried, 1 was not failed any more',
  },
  {
    atEpochMs: NOON - DAY_MS,
    by: 'ada',
    host: 'ops-1',
    action: 'unmask',
    target: 'addresses in the console',
    outcome: 'ok',
  },
];

const LIVE: UiEvent = {
  type: 'live',
  live: [
    {
      worker: 'queue-processor',
      trigger: 'console',
      startedAtEpochMs: NOON - 14 * SECOND_MS,
      text: '37/100 sent, 1 failed, 9 in flight',
    },
  ],
};

const LOG: readonly UiEvent[] = [
  ['[email-worker] Processing 100 emails...', 14] as const,
  ['[email-worker] 1 email moved to the dead letters.', 9] as const,
  ['[health-monitor] 3 of 4 providers healthy, 1,312 emails waiting.', 4] as const,
].map(([text, ago]) => ({
  type: 'log',
  line: {
    atEpochMs: NOON - ago * SECOND_MS,
    source: text.startsWith('[health') ? 'health-monitor' : 'queue-processor',
    text,
  },
}));

type Make = (size: Size, look: Look) => State;

export const SCHEDULE_SCREENS: Readonly<Record<string, Make>> = {
  'schedules-calm': (size, look) =>
    afterEvents(inView('schedules', calmSnapshot(), { size, look }), loadedDeliveries(DELIVERIES), loadedDead([])),
  'schedules-incident': (size, look) =>
    afterEvents(inView('schedules', brokenSchedules(), { size, look }), loadedDeliveries(FAILING), loadedDead(DEAD)),
  'schedules-one-tick': (size, look) =>
    afterEvents(
      inView('schedules', withSchedules(calmSnapshot(), [aTick()]), { size, look }),
      loadedDeliveries(DELIVERIES, TICK_SCHEDULE.id),
      loadedDead([]),
    ),
  'schedules-delete': (size, look) =>
    afterEvents(
      inView('schedules', brokenSchedules(), { size, look }),
      loadedDeliveries(FAILING),
      loadedDead(DEAD),
      ...keys('G', 'V', 'x'),
    ),
  'schedules-details': (size, look) =>
    afterEvents(
      inView('schedules', brokenSchedules(), { size, look }),
      loadedDeliveries(FAILING),
      loadedDead(DEAD),
      ...keys('enter'),
    ),
  'schedules-reading': (size, look) => inView('schedules', calmSnapshot(), { size, look }),
  'schedules-failed': (size, look) => inView('schedules', failedSnapshot(), { size, look }),
  'runs-calm': (size, look) => inView('runs', calmSnapshot(), { size, look }),
  'runs-incident': (size, look) => afterEvents(inView('runs', incidentSnapshot(), { size, look }), ...LOG),
  'runs-live': (size, look) => afterEvents(inView('runs', incidentSnapshot(), { size, look }), LIVE, ...LOG),
  'runs-filter': (size, look) =>
    afterEvents(inView('runs', incidentSnapshot(), { size, look }), ...LOG, ...keys('/', ...'worker:queue')),
  'runs-details': (size, look) =>
    afterEvents(inView('runs', incidentSnapshot(), { size, look }), LIVE, ...LOG, ...keys('enter')),
  'runs-actions': (size, look) =>
    afterEvents(inView('runs', incidentSnapshot(), { size, look }), ...LOG, ...keys('n'), loadedAudit(AUDIT)),
  'runs-log': (size, look) =>
    afterEvents(inView('runs', incidentSnapshot(), { size, look }), ...LOG, ...keys('n', 'n')),
  'runs-stale': (size, look) => inView('runs', staleSnapshot(), { size, look }),
  'runs-failed': (size, look) => inView('runs', failedSnapshot(), { size, look }),
};
