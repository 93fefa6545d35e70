/** QStash: its schedules and the messages it gave up on. The SDK has no timeout and costs 67 ms to load, so it comes late. */
import type { Client } from '@upstash/qstash';
import { z } from 'zod';
import type { Fault } from '../domain/loaded.ts';
import type { DeliveryState, Schedule, ScheduleOverview } from '../domain/schedule.ts';
import { cancelled, FaultError, faultOfStatus, faultOfThrown, SYSTEM, timedOut, unreadable } from './fault.ts';
import { epochMs, jsonOrUndefined, lenient, parseEach } from './parse.ts';

export interface QStashTarget {
  readonly token: string;
  /** Without it the SDK's own: the public QStash. */
  readonly url?: string | null;
  /** How long one request may take. 5,000 ms unless told. */
  readonly timeoutMs?: number;
}

export interface Schedules {
  /** Two requests, in parallel. Throws `FaultError`. */
  read(signal?: AbortSignal): Promise<ScheduleOverview>;
  usage(): { readonly requests: number };
}

/** Nothing is loaded or sent until the first read. */
export function createSchedules(target: QStashTarget): Schedules {
  const timeoutMs = target.timeoutMs ?? 5_000;
  let opened: Promise<Client> | undefined;
  let requests = 0;
  return {
    usage: () => ({ requests }),
    read: async (signal) => {
      try {
        opened ??= openClient(target);
        const client = await opened;
        requests += 2;
        const answers = Promise.all([client.schedules.list(), client.dlq.listMessages({ count: DLQ_PAGE })]);
        const [schedules, deadLetters] = await within(answers, timeoutMs, signal);
        return overviewOf(schedules, deadLetters);
      } catch (error) {
        throw new FaultError(faultOfQstash(error, timeoutMs), { cause: error });
      }
    },
  };
}

const DLQ_PAGE = 100;

/** The SDK with every default that matters chosen (FACTS §3): `devMode` would start a local server, `retry` waits long. */
async function openClient({ token, url }: QStashTarget): Promise<Client> {
  const { Client } = await import('@upstash/qstash');
  const options = { token, retry: false, enableTelemetry: false, devMode: false } as const;
  return new Client(url === undefined || url === null ? options : { ...options, baseUrl: url });
}

/** Maps what the SDK throws. A `QstashError` carries the HTTP status, and the server's answer as its message. */
export function faultOfQstash(error: unknown, timeoutMs?: number): Fault {
  const { status, message } = (error ?? {}) as { status?: unknown; message?: unknown };
  if (typeof status !== 'number') return faultOfThrown(SYSTEM.qstash, error, timeoutMs);
  const said = ErrorAnswer.safeParse(jsonOrUndefined(message)).data?.error ?? '';
  return faultOfStatus(SYSTEM.qstash, status, said);
}

function overviewOf(schedules: unknown, deadLetters: unknown): ScheduleOverview {
  const list = z.array(z.unknown()).safeParse(schedules);
  const letters = DlqAnswer.safeParse(deadLetters);
  if (!list.success || !letters.success) throw new FaultError(unreadable(SYSTEM.qstash, 'no list of schedules'));
  const { values, skipped } = parseEach(ScheduleAnswer, list.data);
  return {
    schedules: values,
    deadLetters: letters.data.messages.length,
    deadLettersTruncated: Boolean(letters.data.cursor),
    skipped,
  };
}

const ErrorAnswer = z.object({ error: z.string() });

const DlqAnswer = z.object({ messages: z.array(z.unknown()), cursor: z.string().nullish() });

const ScheduleAnswer: z.ZodType<Schedule> = z
  .object({
    scheduleId: z.string(),
    cron: z.string(),
    destination: z.string(),
    isPaused: z.boolean().catch(false),
    lastScheduleTime: lenient(epochMs),
    nextScheduleTime: lenient(epochMs),
    lastScheduleStates: lenient(z.record(z.string(), z.string())),
  })
  .transform((answer) => ({
    id: answer.scheduleId,
    cron: answer.cron,
    destination: answer.destination,
    isPaused: answer.isPaused,
    lastRunAtEpochMs: answer.lastScheduleTime,
    nextRunAtEpochMs: answer.nextScheduleTime,
    lastState: worstOf(Object.values(answer.lastScheduleStates ?? {})),
  }));

/** A schedule on a URL group has one state per endpoint. */
function worstOf(states: readonly string[]): DeliveryState {
  if (states.includes('FAIL')) return 'fail';
  if (states.includes('IN_PROGRESS')) return 'in-progress';
  return states.includes('SUCCESS') ? 'success' : 'unknown';
}

/** Ends the wait, not the request: the SDK takes no signal. What it still answers is dropped. */
function within<T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => {
      const fault = deadline.aborted ? timedOut(SYSTEM.qstash, timeoutMs) : cancelled(SYSTEM.qstash);
      reject(new FaultError(fault));
    };
    if (either.aborted) stop();
    else either.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([work, stopped]);
}
