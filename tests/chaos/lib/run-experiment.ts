/** Carries out one experiment: it runs until the queue has drained, and is judged then. */
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, utcDay } from '../../../src/domain/time.ts';
import { seededRandom } from '../../../src/sandbox/random.ts';
import { type Casualty, doublesBeyond, unwritten } from './casualties.ts';
import { type ConsoleWatch, watchConsole } from './console-watch.ts';
import type { Experiment, Field, Outcome, PlannedFault } from './experiment.ts';
import { startFleet } from './fleet.ts';
import { enqueue, quickenTime, syncQuotas } from './load.ts';
import { judge } from './oracle.ts';
import { persist, until } from './patience.ts';
import { startDeliveries } from './qstash.ts';
import { workerSetting } from './settings.ts';
import { watchStalls } from './stalls.ts';
import type { World } from './world.ts';

const DRAIN_DEADLINE_MS = 150_000;

/** Throws when the harness or the machine spoiled it, so that it says nothing about the system. */
export async function runExperiment(world: World, experiment: Experiment): Promise<Outcome> {
  const startedAtMs = performance.now();
  const day = utcDay(systemClock.nowEpochMs());
  const { seed, load, timing } = experiment;
  const random = seededRandom(seed);
  await world.reset({ seed, providers: experiment.providers, dailyLimit: experiment.dailyLimit });
  if (!experiment.honoursKeys) world.proxies.email.rewrite = withoutKey;
  const enqueued = await enqueue(world, load);
  const settings = new Map(
    Array.from({ length: experiment.workers }, (_, n) => [`w${n + 1}`, workerSetting(world, `w${n + 1}`, experiment)]),
  );
  const fleet = startFleet(settings);
  const deliverer = experiment.trigger === 'qstash' ? startDeliveries(fleet) : null;
  const watch = watchConsole(world, timing);
  const time = quickenTime(world);
  const casualties: Casualty[] = [];
  const field: Field = {
    world,
    fleet,
    random,
    timing,
    deliverer,
    victim: () => fleet.names[Math.floor(random.next() * fleet.names.length)] ?? 'w1',
    noteKill: async (worker) => {
      const casualty = await unwritten(world, fleet.pid(worker), timing);
      casualties.push(casualty);
      return casualty;
    },
  };
  let isDrained = false;
  let recoveredMs: number | null = null;
  let ended = { drained: 0, killed: 0 };
  // What took too long, which only means something on a machine that does what it is told.
  const slow: string[] = [];
  const violations: string[] = [];
  const spoiled: string[] = [];
  const stalls = watchStalls();
  try {
    await until(() => firstSent(world), DRAIN_DEADLINE_MS);
    const sufferings = experiment.faults.map((planned) =>
      suffer(field, planned, watch, slow).catch((error) => spoiled.push(`${planned.fault.name}: ${error}`)),
    );
    await Promise.all(sufferings);
    const wellSinceMs = performance.now();
    const stalledMs = stalls.totalMs();
    isDrained = await until(() => hasDrained(world), DRAIN_DEADLINE_MS);
    recoveredMs = isDrained ? Math.round(performance.now() - wellSinceMs - (stalls.totalMs() - stalledMs)) : null;
  } finally {
    violations.push(...((await deliverer?.stop()) ?? []));
    await time.stop();
    ended = await fleet.end(timing.drainMs);
    const seen = await watch.stop();
    violations.push(...seen.falls);
    slow.push(...seen.slow);
    stalls.stop();
  }
  if (!isDrained) slow.push(`not drained ${DRAIN_DEADLINE_MS / 1_000} s after the last fault`);
  const allowedMs = experiment.faults.some(({ fault }) => fault.restsProviders) ? timing.restMs : timing.recoveryMs;
  if (recoveredMs !== null && recoveredMs > allowedMs) slow.push(`took ${recoveredMs} ms to recover`);
  if (ended.killed > 0) slow.push(`${ended.killed} workers did not drain when told to`);
  slow.push(...(await syncQuotas(world)));
  const judgement = await judge(world, enqueued, experiment.honoursKeys);
  const atRisk = new Set(casualties.flatMap((casualty) => casualty.atRisk()));
  const doubles = doublesBeyond(judgement, { enqueued, atRisk, honoursKeys: experiment.honoursKeys });
  const { unanswered } = fleet;
  const late = experiment.honoursKeys ? [] : doubles.filter(({ id }) => unanswered.has(id));
  // With keys ignored no fault of the plan keeps an answer away so long: the machine did, and the experiment is another one.
  if (late.length > 0) spoiled.push(`${late.length} sends timed out, the machine is too busy`);
  const doubled = doubles
    .filter((each) => !late.includes(each))
    .map(({ id, what }) => `doubled: ${what} (${world.sendsOf(id).join(', ')})`);
  spoiled.push(...fleet.unstartable);
  if (slow.length > 0 && stalls.isStarved()) spoiled.push(`the machine is too busy: ${slow.join(', ')}`);
  if (utcDay(systemClock.nowEpochMs()) !== day) spoiled.push('midnight passed, and with it the day that is counted');
  if (spoiled.length > 0 && judgement.lost.length + doubled.length === 0) throw new Error(spoiled.join(', '));
  violations.unshift(...judgement.lost.map((what) => `lost: ${what}`), ...doubled, ...fleet.crashes, ...slow);
  violations.push(...judgement.wrong.map((what) => `wrong: ${what}`));
  return {
    experiment,
    judgement,
    kills: fleet.kills(),
    inFlightAtKills: atRisk.size,
    recoveredMs,
    tookMs: Math.round(performance.now() - startedAtMs),
    violations,
    log: fleet.log,
  };
}

async function suffer(field: Field, { fault, afterMs, forMs }: PlannedFault, watch: ConsoleWatch, slow: string[]) {
  await delay(afterMs);
  const end = await persist(() => fault.begin(field, forMs));
  const named = fault.console === undefined ? null : watch.expect(fault.console);
  const heard = named?.catch((error: Error) => slow.push(`${fault.name}: ${error.message}`));
  await delay(forMs);
  await heard;
  await persist(end);
}

async function firstSent(world: World): Promise<boolean> {
  return world.emailFunction().outbox.list({ limit: 1 }).length > 0;
}

async function hasDrained(world: World): Promise<boolean> {
  const [row] =
    await world.sql`select exists (select from email_queue where status in ('queued', 'processing')) as waits`;
  return row?.waits === false;
}

function withoutKey(body: Buffer): Buffer {
  const { idempotencyKey: _, ...email } = JSON.parse(body.toString());
  return Buffer.from(JSON.stringify(email));
}
