/** What befalls the workers' processes and their machine's clock. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Field } from './experiment.ts';
import type { FaultProxy, Passing } from './fault-proxy.ts';
import { until } from './patience.ts';

const STEP_MS = 5 * 60_000;
const LATEST_STEP_MS = 1_200;
const OBSTRUCTED_MS = 20_000;
const LONGEST_WAIT_MS = 5_000;

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 at random moments',
    mayDouble: true,
    strikes: true,
    begin: async (field, forMs) => {
      return repeatedly(forMs, async () => {
        await delay(150 + 600 * field.random.next());
        await kill(field, field.victim());
      });
    },
  },
  {
    name: 'kill -9 right after a send',
    mayDouble: true,
    strikes: true,
    begin: async (field) => killWhen(field, field.world.proxies.email, ({ body }) => body.includes('"send"')),
  },
  {
    name: 'kill -9 right after results were written',
    mayDouble: true,
    strikes: true,
    begin: async (field) => killWhen(field, field.world.proxies.postgres, ({ path }) => path.includes('finish_emails')),
  },
  {
    name: 'kill -9 right after a claim',
    strikes: true,
    begin: async (field) => killWhen(field, field.world.proxies.postgres, ({ path }) => path.includes('claim_emails')),
  },
  {
    name: 'SIGSTOP beyond the lease, then SIGCONT',
    mayDouble: true,
    strikes: true,
    begin: async (field) => {
      const victim = field.victim();
      await untilItSends(field, victim);
      field.fleet.stopProcess(victim);
      const casualty = await field.noteKill(victim);
      await delay(field.timing.leaseSeconds * 1_000 + 500);
      return async () => {
        casualty.over();
        field.fleet.continueProcess(victim);
      };
    },
  },
  {
    name: 'SIGTERM in the middle',
    begin: async ({ fleet, victim }) => {
      fleet.drain(victim());
      return async () => undefined;
    },
  },
  { name: 'clock stepped +5 min for one worker', begin: (field) => stepClock(field, STEP_MS) },
  { name: 'clock stepped −5 min for one worker', begin: (field) => stepClock(field, -STEP_MS) },
  {
    name: 'clock stepped −5 min, and asleep beyond the lease',
    mayDouble: true,
    strikes: true,
    // It starts anew before it can fall asleep, and there must be something left for it then.
    needs: { load: { emails: 700 } },
    begin: async (field) => {
      const victim = field.victim();
      await stepClockOf(field, victim, -STEP_MS);
      await delay(1_500);
      await untilItSends(field, victim);
      field.fleet.stopProcess(victim);
      const casualty = await field.noteKill(victim);
      await delay(field.timing.leaseSeconds * 1_000 + 500);
      return async () => {
        casualty.over();
        field.fleet.continueProcess(victim);
        await setRight(field, victim);
      };
    },
  },
];

async function kill({ fleet, noteKill }: Field, worker: string): Promise<void> {
  fleet.kill(worker);
  await noteKill(worker);
}

/** Until it is in the middle of its emails. Not for long: where all is sent it has none any more. */
async function untilItSends({ world, fleet }: Field, worker: string): Promise<void> {
  await until(async () => {
    const pid = fleet.pid(worker) ?? 0;
    const rows = await world.sql<{ id: string }[]>`
      select id from email_queue where status = 'processing' and locked_by like ${`%/${pid}/%`}`;
    return rows.some(({ id }) => fleet.begunBy(pid).has(id));
  }, LONGEST_WAIT_MS);
}

/** Kills the caller at the first of the answers that match and then at one in five, before it hears them. */
async function killWhen(field: Field, proxy: FaultProxy, matches: (passing: Passing) => boolean) {
  const notes: (() => Promise<void>)[] = [];
  let pauseUntilMs = 0;
  const isMeant = () => notes.length === 0 || field.random.next() <= 0.2;
  proxy.onAnswered = (passing) => {
    const isWorker = field.fleet.names.includes(passing.caller);
    if (!isWorker || !matches(passing) || performance.now() < pauseUntilMs || !isMeant()) return;
    pauseUntilMs = performance.now() + 400;
    notes.push(later(kill(field, passing.caller)));
  };
  return async () => {
    proxy.onAnswered = null;
    await Promise.all(notes.map((noted) => noted()));
  };
}

/** One worker gets a process whose clock jumps a moment after its start, and a true one in the end. */
async function stepClock(field: Field, byMs: number) {
  const victim = field.victim();
  await stepClockOf(field, victim, byMs);
  return () => setRight(field, victim);
}

/**
 * Workers that run by themselves have to manage with a wrong clock to the end. One that is called cannot: what was signed at
 * another time is no valid call, so there the fault ends, once it has begun.
 */
async function setRight({ fleet, deliverer }: Field, victim: string): Promise<void> {
  if (deliverer === null) return;
  if (fleet.endpoint(victim) === null) throw new Error(`${victim} does not listen yet.`);
  await delay(LATEST_STEP_MS);
  fleet.change(victim, { clockStep: null });
}

async function stepClockOf({ fleet, random }: Field, victim: string, byMs: number): Promise<void> {
  fleet.change(victim, { clockStep: { afterMs: LATEST_STEP_MS * (0.5 + 0.5 * random.next()), byMs } });
}

/** Does it again and again for so long, and once at least where another fault stands in its way; what it answers waits for the end. */
export function repeatedly(forMs: number, act: () => Promise<void>): () => Promise<void> {
  const endMs = performance.now() + forMs;
  const loop = async (): Promise<void> => {
    for (let isDone = false; performance.now() < endMs || !isDone; ) {
      try {
        await act();
        isDone = true;
      } catch (error) {
        if (performance.now() > endMs + OBSTRUCTED_MS) throw error;
        await delay(50);
      }
    }
  };
  return later(loop());
}

/** Waits for it when asked to. Nobody listens before, so that it must not reject by itself. */
function later(running: Promise<unknown>): () => Promise<void> {
  const end = running.then(
    () => null,
    (error: unknown) => ({ error }),
  );
  return async () => {
    const failed = await end;
    if (failed !== null) throw failed.error;
  };
}
