/** Makes the scenario happen: mail arrives, providers change, as the tables in `scenarios.ts` say. */
import { PROVIDERS, type Provider } from '../domain/email.ts';
import { KNOWN_LIMITS } from '../domain/quota.ts';
import { type Clock, MINUTE_MS, SECOND_MS, utcDay } from '../domain/time.ts';
import { drawCount, makeEmail, type SandboxEmail } from './mail.ts';
import { type Phase, type ProviderChange, phasesBetween, type Scenario } from './scenarios.ts';

export interface ScenarioPorts {
  enqueue(emails: readonly SandboxEmail[]): Promise<void>;
  setProvider(provider: Provider, change: ProviderChange): Promise<void>;
  /** Writes the day's limits where they are missing. */
  ensureLimits(day: string, limits: Readonly<Record<Provider, Limits>>): Promise<void>;
  /** Lowers the day's limit to what is already sent, or puts the given one back. */
  useUpQuota(provider: Provider, day: string): Promise<void>;
  restoreQuota(provider: Provider, day: string, limits: Limits): Promise<void>;
}

export interface Limits {
  readonly daily: number;
  readonly monthly: number;
}

export interface ScenarioOptions {
  readonly scenario: Scenario;
  readonly speed: number;
  readonly random: () => number;
  readonly clock: Clock;
  readonly ports: ScenarioPorts;
  readonly log: (line: string) => void;
}

const BACKLOG_CHUNK = 1_000;

/** Runs one second of the scenario after the other. `tick` is called by a timer, or by a test that moves the clock. */
export function createScenarioEngine(options: ScenarioOptions): {
  fillBacklog(): Promise<void>;
  tick(): Promise<void>;
} {
  const { scenario, speed, random, clock, ports, log } = options;
  const startedAtEpochMs = clock.nowEpochMs();
  let lastTickAtEpochMs = startedAtEpochMs;
  let minutesDone = Number.NEGATIVE_INFINITY;
  let arrivalsPerMinute = 0;
  let limitedDay = '';

  const begin = async (phase: Phase, day: string) => {
    log(`scenario: ${phase.what}`);
    arrivalsPerMinute = phase.arrivalsPerMinute ?? arrivalsPerMinute;
    for (const [provider, change] of Object.entries(phase.providers ?? {})) {
      await ports.setProvider(provider as Provider, change);
    }
    if (phase.quotaGone !== undefined) await ports.useUpQuota(phase.quotaGone, day);
    if (phase.quotaRestored !== undefined) {
      await ports.restoreQuota(phase.quotaRestored, day, limitsOf(scenario, phase.quotaRestored));
    }
  };

  return {
    fillBacklog: async () => {
      for (let left = scenario.initialBacklog; left > 0; left -= BACKLOG_CHUNK) {
        await ports.enqueue(Array.from({ length: Math.min(left, BACKLOG_CHUNK) }, () => makeEmail(random)));
      }
    },
    tick: async () => {
      const now = clock.nowEpochMs();
      const day = utcDay(now);
      if (day !== limitedDay) {
        await ports.ensureLimits(day, allLimits(scenario));
        limitedDay = day;
      }
      const minutes = ((now - startedAtEpochMs) / MINUTE_MS) * speed;
      for (const phase of phasesBetween(scenario, minutesDone, minutes)) await begin(phase, day);
      minutesDone = minutes;
      // A laptop that slept owes no hours of mail.
      const elapsedMs = Math.min(now - lastTickAtEpochMs, 10 * SECOND_MS);
      lastTickAtEpochMs = now;
      const arriving = drawCount((arrivalsPerMinute * speed * elapsedMs) / MINUTE_MS, random);
      if (arriving > 0) await ports.enqueue(Array.from({ length: arriving }, () => makeEmail(random)));
    },
  };
}

function limitsOf(scenario: Scenario, provider: Provider): Limits {
  const { daily, monthly } = KNOWN_LIMITS[provider];
  return { daily: daily * scenario.limitFactor, monthly: monthly * scenario.limitFactor };
}

/** The limits of every provider in a scenario. */
export function allLimits(scenario: Scenario): Readonly<Record<Provider, Limits>> {
  return Object.fromEntries(PROVIDERS.map((provider) => [provider, limitsOf(scenario, provider)])) as Record<
    Provider,
    Limits
  >;
}
