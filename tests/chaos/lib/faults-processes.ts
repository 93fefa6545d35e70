/** What befalls the workers' processes and their machine's clock. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Field } from './experiment.ts';
import type { FaultProxy, Passing } from './fault-proxy.ts';

const STEP_MS = 5 * 60_000;

export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 at random moments',
    mayDouble: true,
    begin: async (field, forMs) => {
      const kills = repeatedly(forMs, async () => {
        await delay(150 + 600 * field.random.next());
        await kill(field, field.victim());
      });
      return () => kills;
    },
  },
  {
    name: 'kill -9 right after a send',
    mayDouble: true,
    begin: async (field) => killWhen(field, field.world.proxies.email, ({ body }) => body.includes('"send"')),
  },
  {
    name: 'kill -9 right after results were written',
    mayDouble: true,
    begin: async (field) => killWhen(field, field.world.proxies.postgres, ({ path }) => path.includes('finish_emails')),
  },
  {
    name: 'kill -9 right after a claim',
    begin: async (field) => killWhen(field, field.world.proxies.postgres, ({ path }) => path.includes('claim_emails')),
  },
  {
    name: 'SIGSTOP beyond the lease, then SIGCONT',
    mayDouble: true,
    begin: async (field) => {
      const victim = field.victim();
      field.fleet.stopProcess(victim);
      await field.noteKill(victim);
      await delay(field.timing.leaseSeconds * 1_000 + 500);
      return async () => field.fleet.continueProcess(victim);
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
    begin: async (field) => {
      const victim = field.victim();
      await stepClockOf(field, victim, -STEP_MS);
      await delay(1_500);
      field.fleet.stopProcess(victim);
      await field.noteKill(victim);
      await delay(field.timing.leaseSeconds * 1_000 + 500);
      return async () => field.fleet.continueProcess(victim);
    },
  },
];

async function kill({ fleet, noteKill }: Field, worker: string): Promise<void> {
  fleet.kill(worker);
  await noteKill(worker);
}

/** Kills the caller at one in five of the answers that match, before it hears them. */
async function killWhen(field: Field, proxy: FaultProxy, matches: (passing: Passing) => boolean) {
  const notes: Promise<void>[] = [];
  let pauseUntilMs = 0;
  proxy.onAnswered = (passing) => {
    const isWorker = field.fleet.names.includes(passing.caller);
    if (!isWorker || !matches(passing) || performance.now() < pauseUntilMs || field.random.next() > 0.2) return;
    pauseUntilMs = performance.now() + 400;
    notes.push(kill(field, passing.caller));
  };
  return async () => {
    proxy.onAnswered = null;
    await Promise.all(notes);
  };
}

/** One worker gets a process whose clock jumps a moment after its start, and a true one in the end. */
async function stepClock(field: Field, byMs: number) {
  const victim = field.victim();
  await stepClockOf(field, victim, byMs);
  return async () => undefined;
}

async function stepClockOf({ fleet, random }: Field, victim: string, byMs: number): Promise<void> {
  fleet.change(victim, { clockStep: { afterMs: 600 + 600 * random.next(), byMs } });
}

export async function repeatedly(forMs: number, act: () => Promise<void>): Promise<void> {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) await act();
}
