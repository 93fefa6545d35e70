/**
 * The sandbox's QStash: what `@upstash/qstash` calls, as a web-standard handler, with real signed deliveries to this machine.
 * Its journals keep schedules, pending messages, dead letters, log and keys across a kill.
 */
import { type Clock, SECOND_MS, systemClock } from '../../domain/time.ts';
import { createApi } from './api.ts';
import { createDeliver } from './delivery.ts';
import { createDispatcher } from './dispatcher.ts';
import { createPublish } from './publisher.ts';
import { moveTo } from './readdress.ts';
import type { Keys } from './records.ts';
import { createSchedules } from './schedules.ts';
import { openStore } from './store.ts';
import { createTimetable } from './timetable.ts';

/** The clock is looked at this often even when nothing is due: it may jump, after a sleep for example. */
const LONGEST_NAP_MS = SECOND_MS;

export interface QStashOptions {
  /** Where the journals live; made if missing. */
  readonly folder: string;
  /** What callers must present as bearer token. */
  readonly token: string;
  readonly clock?: Clock;
  /** Cron intervals and backoffs are divided by it; 1 by default. */
  readonly speed?: number;
  /** Path it is mounted under, taken off requests. */
  readonly basePath?: string;
  /** Calls the destinations. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface QStash {
  fetch(request: Request): Promise<Response>;
  /** The signing keys now. */
  readonly keys: Keys;
  /** Says where the sandbox listens now, before `start`: what waits for its former address goes there. */
  moveTo(origin: string): void;
  /** Begins to fire schedules and deliver. */
  start(): void;
  /** For tests instead of `start`: does what is due by the clock, and resolves when those deliveries have ended. */
  runDue(): Promise<void>;
  /** Ends deliveries under way (they stay pending) and closes the journals. Idempotent. */
  stop(): Promise<void>;
}

export function createQStash(options: QStashOptions): QStash {
  const { clock = systemClock, speed = 1, basePath = '' } = options;
  const store = openStore(options.folder, clock);
  const publish = createPublish(store, clock, () => wake());
  const schedules = createSchedules({ store, timetable: createTimetable(clock, speed), clock, publish });
  const deliver = createDeliver({
    fetch: options.fetch ?? globalThis.fetch,
    clock,
    signingKey: () => store.keys().current,
  });
  const dispatcher = createDispatcher({ store, schedules, publish, deliver, clock, speed, onSettled: () => wake() });
  const api = createApi({ store, schedules, publish, clock }, { token: options.token, basePath });

  let state: 'idle' | 'started' | 'stopped' = 'idle';
  let timer: NodeJS.Timeout | undefined;
  let isWoken = false;
  let stopped: Promise<void> | undefined;

  /** Looks again at once; further calls before that cost nothing. */
  function wake(): void {
    if (isWoken) return;
    isWoken = true;
    nap(0);
  }

  function nap(ms: number): void {
    clearTimeout(timer);
    if (state === 'started') timer = setTimeout(turn, ms);
  }

  function turn(): void {
    isWoken = false;
    // Each delivery wakes us again by its end; nothing here waits for them.
    void dispatcher.runDue();
    const dueEpochMs = dispatcher.nextDueEpochMs() ?? Number.POSITIVE_INFINITY;
    if (!isWoken) nap(Math.min(LONGEST_NAP_MS, Math.max(0, dueEpochMs - clock.nowEpochMs())));
  }

  return {
    fetch: async (request) => {
      const response = await api(request);
      wake();
      return response;
    },
    get keys() {
      return store.keys();
    },
    moveTo: (origin) => moveTo(store, origin),
    start: () => {
      if (state !== 'idle') return;
      state = 'started';
      nap(0);
    },
    runDue: () => dispatcher.runDue(),
    stop: () => {
      stopped ??= (async () => {
        state = 'stopped';
        clearTimeout(timer);
        await dispatcher.stop();
        store.close();
      })();
      return stopped;
    },
  };
}
