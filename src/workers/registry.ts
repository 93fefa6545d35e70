/** The one table of workers: commands, scheduler, endpoints and docs are made from it. Adding a worker is a row here. */
import { hostname } from 'node:os';
import { createCountSentToday } from '../data/day-counts.ts';
import { createEmailFunction, type EmailFunctionTarget } from '../data/email-function.ts';
import { createMonitorStore } from '../data/monitor-store.ts';
import { createOverview } from '../data/overview.ts';
import { createProviderGateway } from '../data/providers.ts';
import { createQueue } from '../data/queue.ts';
import { createQueueLock } from '../data/queue-lock.ts';
import { createQuotaDays } from '../data/quota-days.ts';
import { createQuotaStore } from '../data/quota-store.ts';
import type { RedisConnection } from '../data/redis.ts';
import { createRunRecorder } from '../data/run-recorder.ts';
import type { SupabaseConnection } from '../data/supabase.ts';
import { type AlertThresholds, DEFAULT_ALERT_THRESHOLDS } from '../domain/alert-rules.ts';
import type { Provider } from '../domain/email.ts';
import { WORKERS, type WorkerName } from '../domain/run.ts';
import { expectedScheduleOf } from '../domain/schedule.ts';
import { type Clock, MINUTE_MS } from '../domain/time.ts';
import { createHealthMonitor } from './health-monitor.ts';
import { createQueueProcessor } from './queue-processor.ts';
import { createQuotaSync } from './quota-sync.ts';
import type { Logger, Worker } from './worker.ts';

/** What workers are made of. The connections stay the caller's. */
export interface WorkerSystems {
  readonly redis: RedisConnection;
  readonly supabase: SupabaseConnection;
  readonly emailFunction: EmailFunctionTarget;
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly log: Logger;
}

/** As the configuration has them. */
export interface WorkerSettings {
  readonly batchSize: number;
  readonly concurrency: number;
  readonly runBudgetMs: number;
  readonly lockTtlSeconds: number;
  readonly slots: number;
  /** Where a provider takes more or less than is known of it. */
  readonly ratesPerSecond?: Partial<Record<Provider, number>>;
  readonly alerts?: Partial<AlertThresholds>;
}

export interface WorkerRow {
  readonly name: WorkerName;
  readonly summary: string;
  /** Five fields, UTC. */
  readonly cron: string;
  readonly path: string;
  create(systems: WorkerSystems): Worker;
}

export const WORKER_TABLE: readonly WorkerRow[] = [
  {
    name: 'queue-processor',
    summary: 'send what is due in the queue',
    ...scheduleOf('queue-processor'),
    create: ({ redis, supabase, emailFunction, settings, clock, log }) =>
      createQueueProcessor(
        {
          queue: createQueue(supabase.client),
          overview: createOverview(supabase.client, clock),
          lock: createQueueLock(redis.client, clock, settings.slots),
          mail: createEmailFunction(emailFunction),
          providers: createProviderGateway(supabase.client),
          recorder: createRunRecorder(redis.client, clock, createCountSentToday(supabase.client, clock)),
          clock,
          logger: log,
        },
        settings,
      ),
  },
  {
    name: 'health-monitor',
    summary: 'check providers and queue, raise alerts, record metrics',
    ...scheduleOf('health-monitor'),
    create: ({ redis, supabase, emailFunction, settings, clock, log }) => {
      const mail = createEmailFunction(emailFunction);
      const overview = createOverview(supabase.client, clock);
      return createHealthMonitor(
        {
          checkHealth: (signal) => mail.health('full', signal),
          readOverview: async (signal) => (await overview.read(signal)).overview,
          store: createMonitorStore(redis.client),
        },
        { clock, log, host: hostname(), thresholds: thresholdsOf(settings) },
      );
    },
  },
  {
    name: 'quota-sync',
    summary: 'keep the providers’ quotas and counts up to date',
    ...scheduleOf('quota-sync'),
    create: ({ redis, supabase, emailFunction, settings, clock, log }) => {
      const mail = createEmailFunction(emailFunction);
      return createQuotaSync(
        {
          // Without alerts: the function repeats each only once an hour, and they are the monitor's to read.
          checkHealth: (signal) => mail.health('ping', signal),
          days: createQuotaDays(supabase.client),
          countSent: createCountSentToday(supabase.client, clock),
          store: createQuotaStore(redis.client),
        },
        { clock, log, host: hostname(), cooldownMs: thresholdsOf(settings).cooldownMs },
      );
    },
  },
];

export type Workers = Readonly<Record<WorkerName, Worker>>;

/** All of them, wired. Nothing is sent before the first run. */
export function createWorkers(systems: WorkerSystems): Workers {
  return Object.fromEntries(WORKER_TABLE.map((row) => [row.name, row.create(systems)])) as Record<WorkerName, Worker>;
}

export function isWorkerName(name: string): name is WorkerName {
  return WORKERS.includes(name as WorkerName);
}

/** The workers of before take it for so long and never renew it. */
const LEGACY_LOCK_TTL_MS = 5 * MINUTE_MS;

/** A healthy worker gives the lock back after its budget, its last sends, and at worst its TTL. */
function thresholdsOf({ alerts = {}, lockTtlSeconds, runBudgetMs }: WorkerSettings): AlertThresholds {
  const lockTtlMs = Math.max(lockTtlSeconds * 1_000, LEGACY_LOCK_TTL_MS);
  return { ...DEFAULT_ALERT_THRESHOLDS, lockTtlMs, lockHeldMs: runBudgetMs + lockTtlMs + MINUTE_MS, ...alerts };
}

function scheduleOf(name: WorkerName): { readonly cron: string; readonly path: string } {
  const { cron, path } = expectedScheduleOf(name);
  return { cron, path };
}
