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
      const casualty = await unwritten(world, { pid: fleet.pid(worker), begunBy: fleet.begunBy }, timing);
      casualties.push(casualty);
      return casualty;
    },
  };
  let isDrained = false;
  let recoveredMs: number | null = null;
  let ended = { drained: 0, killed: 0 };
  // What took too long, which only means something on a machine that does what it is told.
  const slow: string[] = [];
  const fallen: string[] = [];
  const spoiled: string[] = [];
  let felt = 0;
  const stalls = watchStalls();
  try {
    await until(() => firstSent(world), DRAIN_DEADLINE_MS);
    const sufferings = experiment.faults.map((planned) =>
      suffer(field, planned, { watch, slow, struck: () => casualties.filter(({ held }) => held > 0).length }).catch(
        (error) => spoiled.push(`${planned.fault.name}: ${error}`) < 0,
      ),
    );
    felt = (await Promise.all(sufferings)).filter(Boolean).length;
    const wellSinceMs = performance.now();
    const stalledMs = stalls.totalMs();
    isDrained = await until(() => hasDrained(world), DRAIN_DEADLINE_MS);
    recoveredMs = isDrained ? Math.round(performance.now() - wellSinceMs - (stalls.totalMs() - stalledMs)) : null;
  } finally {
    fallen.push(...((await deliverer?.stop()) ?? []));
    await time.stop();
    ended = await fleet.end(timing.drainMs);
    const seen = await watch.stop();
    fallen.push(...seen.falls);
    slow.push(...seen.slow);
    stalls.stop();
  }
  if (!isDrained) slow.push(`not drained ${DRAIN_DEADLINE_MS / 1_000} s after the last fault`);
  const allowedMs = experiment.faults.some(({ fault }) => fault.restsProviders) ? timing.restMs : timing.recoveryMs;
  if (recoveredMs !== null && recoveredMs > allowedMs) slow.push(`took ${recoveredMs} ms to recover`);
  if (ended.killed > 0) slow.push(`${ended.killed} workers did not drain when told to`);
  const unsynced = await syncQuotas(world);
  slow.push(...unsynced);
  const judgement = await judge(world, enqueued, experiment.honoursKeys);
  const atRisk = casualties.flatMap((casualty) => casualty.atRisk());
  const doubles = doublesBeyond(judgement, { atRisk, honoursKeys: experiment.honoursKeys });
  const { unanswered } = fleet;
  const late = experiment.honoursKeys ? [] : doubles.filter(({ id }) => unanswered.has(id));
  // With keys ignored no fault of the plan keeps an answer away so long: the machine did, and the experiment is another one.
  if (late.length > 0)
    spoiled.push(
      `${late.length} sends timed out, the machine is too busy: ${late.map(({ id }) => world.sendsOf(id).join(', ')).join('; ')}`,
    );
  const doubled = doubles
    .filter((each) => !late.includes(each))
    .map(({ id, recipient, sends }) => `doubled: ${recipient}: sent ${sends} times (${world.sendsOf(id).join(', ')})`);
  spoiled.push(...fleet.unstartable);
  if (slow.length > 0 && stalls.isStarved()) spoiled.push(`the machine is too busy: ${slow.join(', ')}`);
  if (experiment.faults.length === 1 && felt === 0) spoiled.push('the fault came when all was sent');
  const isMidnight = utcDay(systemClock.nowEpochMs()) !== day;
  if (isMidnight) spoiled.push('midnight passed, and with it the day that is counted');
  // What is not written yet when it is judged makes counts differ; so does a new day. Nothing excuses the rest.
  const wrong = judgement.wrong.map((what) => `wrong: ${what}`);
  const mayMiscount = !isDrained || ended.killed > 0 || unsynced.length > 0 || isMidnight;
  const hard = [
    ...judgement.lost.map((what) => `lost: ${what}`),
    ...doubled,
    ...fleet.crashes,
    ...fallen,
    ...(mayMiscount ? [] : wrong),
  ];
  if (spoiled.length > 0 && hard.length === 0) throw new Error(spoiled.join(', '));
  const violations = [...hard, ...slow, ...(mayMiscount ? wrong : [])];
  return {
    experiment,
    judgement,
    kills: fleet.kills(),
    inFlightAtKills: new Set(atRisk).size,
    felt,
    recoveredMs,
    tookMs: Math.round(performance.now() - startedAtMs),
    violations,
    log: fleet.log,
  };
}

interface Witness {
  readonly watch: ConsoleWatch;
  readonly slow: string[];
  /** How many workers with emails in hand were struck so far. */
  struck(): number;
}

/** Answers whether the fault met emails under way. */
async function suffer(field: Field, { fault, afterMs, forMs }: PlannedFault, { watch, slow, struck }: Witness) {
  await delay(afterMs);
  const struckBefore = struck();
  const end = await persist(() => fault.begin(field, forMs));
  // Under way as long as nobody can say that they are not.
  const isUnderWay = !(await hasDrained(field.world).catch(() => false));
  const named = fault.console === undefined ? null : watch.expect(fault.console);
  const heard = named?.catch((error: Error) => slow.push(`${fault.name}: ${error.message}`));
  await delay(forMs);
  await heard;
  await persist(end);
  return fault.strikes === true ? struck() > struckBefore : isUnderWay;
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
