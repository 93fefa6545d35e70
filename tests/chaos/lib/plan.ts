/** Which experiments there are: each fault alone, and random combinations from a seed. */
import { seededRandom } from '../../../src/sandbox/random.ts';
import { ENOUGH } from '../../support/mail-stack.ts';
import type { Experiment, Fault, Load } from './experiment.ts';
import { NETWORK_FAULT_TABLE, PARTIAL_NETWORK_FAULTS } from './faults-network.ts';
import { PROCESS_FAULTS } from './faults-processes.ts';
import { PROVIDER_FAULTS } from './faults-providers.ts';
import { POSTGRES_FAULTS, REDIS_FAULTS } from './faults-servers.ts';
import { QSTASH_FAULTS } from './qstash.ts';
import { PATIENT_TIMING, TIMING } from './settings.ts';

const NOTHING: Omit<Fault, 'name'> = { begin: async () => async () => undefined };

/** Workers in numbers, and nothing else. */
const CROWDS: readonly Fault[] = [
  { ...NOTHING, name: 'two workers', needs: { workers: 2, slots: 2 } },
  { ...NOTHING, name: 'eight workers', needs: { workers: 8, slots: 8 } },
  { ...NOTHING, name: 'eight workers and one lock', needs: { workers: 8, slots: 1 } },
];

/** What a hard kill costs where the function or its provider ignores idempotency keys. */
const WITHOUT_KEYS: readonly Fault[] = PROCESS_FAULTS.filter(({ mayDouble }) => mayDouble).map((fault) => ({
  ...fault,
  name: `${fault.name}, keys ignored`,
  needs: { ...fault.needs, honoursKeys: false, timing: PATIENT_TIMING },
}));

export const FAULT_GROUPS: Readonly<Record<string, readonly Fault[]>> = {
  crowds: CROWDS,
  processes: PROCESS_FAULTS,
  'keys ignored': WITHOUT_KEYS,
  network: NETWORK_FAULT_TABLE,
  redis: REDIS_FAULTS,
  postgres: POSTGRES_FAULTS,
  providers: PROVIDER_FAULTS,
  qstash: QSTASH_FAULTS,
};

const LOAD: Load = { emails: 300, maxAttempts: 50, poison: 0, bouncing: 0 };

const USUAL: Omit<Experiment, 'name' | 'seed' | 'faults'> = {
  load: LOAD,
  workers: 2,
  slots: 2,
  providers: { medianMs: 120, p99Ms: 200 },
  dailyLimit: ENOUGH,
  honoursKeys: true,
  trigger: 'loop',
  timing: TIMING,
};

/** One fault alone, in short form. */
export function alone(fault: Fault): Experiment {
  const { load = {}, ...needs } = fault.needs ?? {};
  return {
    ...USUAL,
    ...needs,
    load: { ...LOAD, ...load },
    name: fault.name,
    seed: `alone/${fault.name}`,
    faults: [{ fault, afterMs: 0, forMs: 1_500 }],
  };
}

/** Poison needs few attempts to be found out, and whoever suffers much beside it needs many: it is for itself. */
const COMBINABLE = Object.fromEntries(
  Object.entries(FAULT_GROUPS).map(([group, faults]) => [group, faults.filter(({ needs }) => !needs?.load?.poison)]),
);

/** Two to four faults at random times, on a random load with one to eight workers; the same for the same seed. */
export function combination(seed: number): Experiment {
  const random = seededRandom(`combination/${seed}`);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.next() * values.length)] as T;
  const between = (low: number, high: number) => Math.floor(low + random.next() * (high - low + 1));
  const honoursKeys = random.next() < 0.8;
  const isCalled = random.next() < 0.25;
  const { qstash = [], crowds: _, 'keys ignored': __, ...others } = COMBINABLE;
  const pool = [...Object.values(others), PARTIAL_NETWORK_FAULTS, ...(isCalled ? [qstash] : [])];
  const faults = Array.from({ length: between(2, 4) }, () => {
    const usable = honoursKeys ? pick(pool) : pick([PROCESS_FAULTS, REDIS_FAULTS]);
    return { fault: pick(usable), afterMs: between(0, 1_500), forMs: between(500, 3_000) };
  });
  const workers = pick([1, 2, 2, 3, 8]);
  const needs = faults.map(({ fault }) => fault.needs?.load ?? {});
  return {
    ...USUAL,
    name: `combination ${seed}: ${faults.map(({ fault }) => fault.name).join(' + ')}`,
    seed: `combination/${seed}`,
    load: Object.assign({ ...LOAD, emails: between(100, 500) }, ...needs, { maxAttempts: 50 }),
    workers,
    slots: pick([1, workers]),
    honoursKeys,
    timing: honoursKeys ? TIMING : PATIENT_TIMING,
    trigger: isCalled ? 'qstash' : 'loop',
    // What the console should name is only clear when one thing is wrong.
    faults: faults.map(({ fault: { console: _, ...fault }, ...when }) => ({ fault, ...when })),
  };
}
