/** How long things take in an experiment: production's relations, in seconds instead of minutes. */
import type { Experiment } from './experiment.ts';
import type { WorkerSetting } from './worker-child.ts';
import type { World } from './world.ts';

export interface Timing {
  readonly leaseSeconds: number;
  readonly lockTtlSeconds: number;
  readonly timeoutsMs: { readonly redis: number; readonly postgres: number; readonly email: number };
  /** How long workers may take to drain. */
  readonly drainMs: number;
  /** One lease, the lock's TTL, and time to send what is left. */
  readonly recoveryMs: number;
  /** The same where providers rest before they are tried again: 30 s, as in production. */
  readonly restMs: number;
  /** Between two refreshes of the console. */
  readonly refreshMs: number;
}

export const TIMING: Timing = {
  leaseSeconds: 3,
  lockTtlSeconds: 4,
  timeoutsMs: { redis: 800, postgres: 1_500, email: 1_200 },
  drainMs: 25_000,
  recoveryMs: 60_000,
  restMs: 95_000,
  refreshMs: 500,
};

/** Where keys are ignored only a hard kill may double: there no send times out on a busy machine. */
export const PATIENT_TIMING: Timing = {
  ...TIMING,
  leaseSeconds: 10,
  timeoutsMs: { redis: 2_000, postgres: 5_000, email: 4_500 },
};

/** As worker-child.ts knows it; importing that file would start a worker. */
export const POISON_PREFIX = 'poison';

export function workerSetting(world: World, name: string, experiment: Experiment): WorkerSetting {
  const { timing, slots, trigger } = experiment;
  const { redis, postgres, email } = world.proxies;
  return {
    urls: { redis: redis.urlFor(name), postgres: postgres.urlFor(name), email: email.urlFor(name) },
    key: world.key,
    slots,
    options: {
      batchSize: 50,
      concurrency: 10,
      runBudgetMs: 20_000,
      leaseSeconds: timing.leaseSeconds,
      lockTtlSeconds: timing.lockTtlSeconds,
      sendTimeoutMs: timing.timeoutsMs.email,
      listenEveryMs: 500,
    },
    timeoutsMs: timing.timeoutsMs,
    clockStep: null,
    endpoint: trigger === 'qstash' ? QSTASH : null,
  };
}

export const QSTASH = { signingKey: 'signing-key-for-chaos', baseUrl: 'https://foodshare.example' } as const;
