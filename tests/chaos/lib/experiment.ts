/** One experiment: a load, workers, and faults at their times. It runs until the queue has drained, and is judged then. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connectRedis } from '../../../src/data/redis.ts';
import { connectSupabase } from '../../../src/data/supabase.ts';
import { systemClock, utcDay } from '../../../src/domain/time.ts';
import type { ControlChange } from '../../../src/sandbox/email-function/controls.ts';
import { type Random, seededRandom } from '../../../src/sandbox/random.ts';
import { createWorkers } from '../../../src/workers/registry.ts';
import { type ConsoleWatch, watchConsole } from './console-watch.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { type Enqueued, type Judgement, judge } from './oracle.ts';
import { type Deliverer, startDeliveries } from './qstash.ts';
import { POISON_PREFIX, type Timing, workerSetting } from './settings.ts';
import { watchStalls } from './stalls.ts';
import type { World } from './world.ts';

export interface Load {
  readonly emails: number;
  readonly maxAttempts: number;
  /** How many more kill the process that is about to send them. */
  readonly poison: number;
  /** How many more have an address that every provider refuses. */
  readonly bouncing: number;
}

export interface Experiment {
  readonly name: string;
  readonly seed: string;
  readonly load: Load;
  readonly workers: number;
  /** How many may work at once. */
  readonly slots: number;
  readonly providers: ControlChange;
  readonly dailyLimit: number;
  /** False: as with a function or a provider that ignores idempotency keys. */
  readonly honoursKeys: boolean;
  readonly trigger: 'loop' | 'qstash';
  readonly faults: readonly PlannedFault[];
  readonly timing: Timing;
}

export interface PlannedFault {
  readonly fault: Fault;
  /** After the first email went out. */
  readonly afterMs: number;
  readonly forMs: number;
}

/** Something that breaks and becomes well again. */
export interface Fault {
  readonly name: string;
  /** What the console has to say while it lasts, in its verdict. */
  readonly console?: RegExp;
  /** After it, providers rest for half a minute: that is their circuit, not a lease. */
  readonly restsProviders?: boolean;
  /** Emails that may go out twice where keys are ignored: only a hard kill may do that. */
  readonly mayDouble?: boolean;
  /** What the experiment has to be like for this fault to mean something. */
  readonly needs?: Partial<Omit<Experiment, 'load' | 'faults'>> & { readonly load?: Partial<Load> };
  /** Begins it; the answer ends it. */
  begin(field: Field, forMs: number): Promise<() => Promise<void>>;
}

/** Emails that were in flight or not yet written when their worker was killed: those it held and had begun to send. */
export interface Casualty {
  /** It is awake again: what it begins from now on it should not. */
  over(): void;
  atRisk(): readonly string[];
}

/** What a fault may lay hands on. */
export interface Field {
  readonly world: World;
  readonly fleet: Fleet;
  readonly random: Random;
  readonly timing: Timing;
  /** Null where workers run in a loop. */
  readonly deliverer: Deliverer | null;
  /** A worker by chance. */
  victim(): string;
  /** Notes what a worker holds that was killed, or put to sleep until `over` is called. */
  noteKill(worker: string): Promise<Casualty>;
}

export interface Outcome {
  readonly experiment: Experiment;
  readonly judgement: Judgement;
  /** Hard kills, and the emails in flight at them. */
  readonly kills: number;
  readonly inFlightAtKills: number;
  /** From the end of the last fault until the queue had drained; null when it did not. */
  readonly recoveredMs: number | null;
  readonly tookMs: number;
  /** What must not be: empty is success. */
  readonly violations: readonly string[];
  readonly log: readonly string[];
}

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
  const violations: string[] = [];
  const spoiled: string[] = [];
  const stalls = watchStalls();
  try {
    await until(() => firstSent(world), DRAIN_DEADLINE_MS);
    const sufferings = experiment.faults.map((planned) =>
      suffer(field, planned, watch, violations).catch((error) => spoiled.push(`${planned.fault.name}: ${error}`)),
    );
    await Promise.all(sufferings);
    const wellSinceMs = performance.now();
    const stalledMs = stalls.totalMs();
    isDrained = await until(() => hasDrained(world), DRAIN_DEADLINE_MS);
    recoveredMs = isDrained ? Math.round(performance.now() - wellSinceMs - (stalls.totalMs() - stalledMs)) : null;
  } finally {
    stalls.stop();
    violations.push(...((await deliverer?.stop()) ?? []));
    await time.stop();
    ended = await fleet.end(timing.drainMs);
    violations.push(...(await watch.stop()));
  }
  if (!isDrained) violations.push(`not drained ${DRAIN_DEADLINE_MS / 1_000} s after the last fault`);
  const allowedMs = experiment.faults.some(({ fault }) => fault.restsProviders) ? timing.restMs : timing.recoveryMs;
  if (recoveredMs !== null && recoveredMs > allowedMs) violations.push(`took ${recoveredMs} ms to recover`);
  if (ended.killed > 0) violations.push(`${ended.killed} workers did not drain when told to`);
  violations.push(...fleet.crashes, ...(await syncQuotas(world)));
  const judgement = await judge(world, enqueued, experiment.honoursKeys);
  violations.push(...judgement.lost.map((what) => `lost: ${what}`), ...judgement.wrong.map((what) => `wrong: ${what}`));
  const atRisk = new Set(casualties.flatMap((casualty) => casualty.atRisk()));
  const doubles = doublesBeyond(judgement, { enqueued, atRisk, honoursKeys: experiment.honoursKeys });
  const { unanswered } = fleet;
  const late = experiment.honoursKeys ? [] : doubles.filter(({ id }) => unanswered.has(id));
  // With keys ignored no fault of the plan keeps an answer away so long: the machine did, and the experiment is another one.
  if (late.length > 0) spoiled.push(`${late.length} sends timed out, the machine is too busy`);
  const doubled = doubles
    .filter((each) => !late.includes(each))
    .map(({ id, what }) => `doubled: ${what} (${world.sendsOf(id).join(', ')})`);
  violations.push(...doubled);
  if (utcDay(systemClock.nowEpochMs()) !== day) spoiled.push('midnight passed, and with it the day that is counted');
  if (spoiled.length > 0 && judgement.lost.length + doubled.length === 0) throw new Error(spoiled.join(', '));
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

async function suffer(
  field: Field,
  { fault, afterMs, forMs }: PlannedFault,
  watch: ConsoleWatch,
  violations: string[],
) {
  await delay(afterMs);
  const end = await persist(() => fault.begin(field, forMs));
  const named = fault.console === undefined ? null : watch.expect(fault.console);
  const heard = named?.catch((error: Error) => violations.push(`${fault.name}: ${error.message}`));
  await delay(forMs);
  await heard;
  await persist(end);
}

/** Where another fault stands in the way of this one, it waits. */
async function persist<T>(act: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + 30_000;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await delay(250);
    }
  }
}

async function enqueue(world: World, { emails, maxAttempts, poison, bouncing }: Load): Promise<Enqueued> {
  const of = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}+${n}@example.org`);
  const bad = [...of(POISON_PREFIX, poison), ...of('bounce', bouncing)];
  // Among the others, not in front of them.
  const recipients = of('reader', emails).toSpliced(Math.floor(emails / 3), 0, ...bad);
  const types = ['auth', 'chat', 'newsletter', 'notification'];
  const rows = recipients.map((recipientEmail, n) => ({
    recipientEmail,
    emailType: types[n % types.length],
    maxAttempts,
    templateData: { subject: `Number ${n}`, html: '<p>Hello</p>' },
  }));
  const idByRecipient = new Map<string, string>();
  for (let at = 0; at < rows.length; at += 1_000) {
    const part = rows.slice(at, at + 1_000) as {
      recipientEmail: string;
      [name: string]: string | number | object | undefined;
    }[];
    const [row] = await world.sql<{ answer: { ids: string[] } }[]>`
      select enqueue_emails(${world.sql.json(part as never)}) as answer`;
    for (const [n, id] of (row?.answer.ids ?? []).entries())
      idByRecipient.set(part[n]?.recipientEmail ?? randomUUID(), id);
  }
  return { idByRecipient, undeliverable: new Set(bad) };
}

/** Retries wait for minutes and hours, and open circuits for one; here a quarter of a second is enough for the ones and takes ten seconds for the others. */
function quickenTime(world: World): { stop(): Promise<void> } {
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      // Where Postgres is away just now, time passes later.
      await world.sql`update email_queue set next_retry_at = now() where status = 'queued' and next_retry_at > now()`.catch(
        () => undefined,
      );
      world.skipForFunction(10_000);
      await delay(250);
    }
  };
  const running = loop();
  return {
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}

async function firstSent(world: World): Promise<boolean> {
  return world.emailFunction().outbox.list({ limit: 1 }).length > 0;
}

async function hasDrained(world: World): Promise<boolean> {
  const [row] =
    await world.sql`select exists (select from email_queue where status in ('queued', 'processing')) as waits`;
  return row?.waits === false;
}

/** Rows that a process held when it was killed and that went out, or may still: their results are not written. */
async function unwritten(world: World, pid: number | null, { leaseSeconds }: Timing): Promise<Casualty> {
  if (pid === null) return { over: () => undefined, atRisk: () => [] };
  const killedAtMs = performance.now();
  const rows = await persist(
    () => world.sql<{ id: string }[]>`
    select id from email_queue where status = 'processing' and locked_by like ${`%/${pid}/%`}`,
  );
  if (performance.now() - killedAtMs > leaseSeconds * 1_000) throw new Error('What it held could not be noted in time');
  // What it had sent may still be on its way to the proxy, so that is asked as late as possible.
  const begun = () => rows.map(({ id }) => id).filter((id) => world.startedBy(pid).has(id));
  let known: readonly string[] | null = null;
  return {
    over: () => {
      known = begun();
    },
    atRisk: () => known ?? begun(),
  };
}

/** The same worker as in production, on a way that no fault troubles. */
async function syncQuotas(world: World): Promise<readonly string[]> {
  for (const proxy of Object.values(world.proxies)) await proxy.clear();
  const redis = connectRedis({ kind: 'rest', url: world.proxies.redis.urlFor('sync'), token: world.key });
  const supabase = connectSupabase({ url: world.proxies.postgres.urlFor('sync'), serviceRoleKey: world.key });
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const workers = createWorkers({
    redis,
    supabase,
    emailFunction: { url: world.proxies.email.urlFor('sync'), serviceRoleKey: world.key },
    settings: { batchSize: 100, concurrency: 10, runBudgetMs: 10_000, lockTtlSeconds: 10, slots: 1 },
    clock: systemClock,
    log: silent,
  });
  const result = await workers['quota-sync'].run({ trigger: 'chaos', signal: AbortSignal.timeout(20_000) });
  await Promise.all([redis.close(), supabase.close()]);
  return result.outcome === 'ok' ? [] : [`the quota sync failed: ${result.message}`];
}

function doublesBeyond(
  { doubled }: Judgement,
  { enqueued, atRisk, honoursKeys }: { enqueued: Enqueued; atRisk: ReadonlySet<string>; honoursKeys: boolean },
): readonly { readonly id: string; readonly what: string }[] {
  const idOf = (what: string) => enqueued.idByRecipient.get(what.split(':')[0] ?? '') ?? '';
  return doubled.map((what) => ({ id: idOf(what), what })).filter(({ id }) => honoursKeys || !atRisk.has(id));
}

async function until(isSo: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (performance.now() < deadlineMs) {
    if (await isSo().catch(() => false)) return true;
    await delay(50);
  }
  return false;
}

function withoutKey(body: Buffer): Buffer {
  const { idempotencyKey: _, ...email } = JSON.parse(body.toString());
  return Buffer.from(JSON.stringify(email));
}
