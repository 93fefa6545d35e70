/**
 * A queue processor in a process of its own, with what an experiment needs of it: short leases and timeouts, a clock that
 * jumps, emails that kill it, and QStash's endpoint instead of a loop. `node worker-child.ts '<json>'`, one JSON line per event.
 */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createCountSentToday } from '../../../src/data/day-counts.ts';
import { createDeliveries } from '../../../src/data/deliveries.ts';
import { createDueTimes } from '../../../src/data/due-times.ts';
import { createEmailFunction } from '../../../src/data/email-function.ts';
import { FaultError } from '../../../src/data/fault.ts';
import { createOverview } from '../../../src/data/overview.ts';
import { createProviderGateway } from '../../../src/data/providers.ts';
import { createQueue } from '../../../src/data/queue.ts';
import { createQueueLock } from '../../../src/data/queue-lock.ts';
import { connectRedis } from '../../../src/data/redis.ts';
import { createRunRecorder } from '../../../src/data/run-recorder.ts';
import { connectSupabase } from '../../../src/data/supabase.ts';
import { systemClock } from '../../../src/domain/time.ts';
import { createQueueProcessor } from '../../../src/workers/queue-processor.ts';
import type { QueueProcessorOptions } from '../../../src/workers/queue-processor-ports.ts';
import { createWorkerRoutes } from '../../../src/workers/routes.ts';
import { createTick } from '../../../src/workers/tick.ts';
import { serve } from '../../support/serve.ts';

export interface WorkerSetting {
  readonly urls: { readonly redis: string; readonly postgres: string; readonly email: string };
  readonly key: string;
  readonly slots: number;
  readonly options: QueueProcessorOptions;
  readonly timeoutsMs: { readonly redis: number; readonly postgres: number; readonly email: number };
  /** Its clock jumps by so much, so long after the start. */
  readonly clockStep: { readonly afterMs: number; readonly byMs: number } | null;
  /** With it, runs begin by signed deliveries only. */
  readonly endpoint: { readonly signingKey: string; readonly baseUrl: string } | null;
}

/** An email to an address that begins so kills the process that is about to send it. */
export const POISON = 'poison';

const setting = JSON.parse(process.argv[2] ?? '{}') as WorkerSetting;
const { key, slots, options, timeoutsMs, clockStep, endpoint } = setting;
/** What comes through a proxy shows which process it was: another one of the same name may follow. */
const through = (url: string) => `${url}~${process.pid}`;
if (clockStep !== null) stepClock(clockStep);
// Who started us is gone, however it went.
process.stdin.on('end', () => process.exit(1)).resume();
const told = new AbortController();
process.once('SIGTERM', () => told.abort());
const say = (value: unknown) => writeSync(1, `${JSON.stringify(value)}\n`);
const log = (line: string) => say({ log: line });
const logger = { info: () => undefined, warn: log, error: log };

const redis = connectRedis(
  { kind: 'rest', url: through(setting.urls.redis), token: key },
  { timeoutMs: timeoutsMs.redis },
);
const supabase = connectSupabase({
  url: through(setting.urls.postgres),
  serviceRoleKey: key,
  timeoutMs: timeoutsMs.postgres,
});
const mail = createEmailFunction({
  url: through(setting.urls.email),
  serviceRoleKey: key,
  timeoutMs: timeoutsMs.email,
});
const worker = createQueueProcessor(
  {
    queue: createQueue(supabase.client),
    overview: createOverview(supabase.client, systemClock),
    lock: createQueueLock(redis.client, systemClock, slots),
    mail: {
      route: mail.route,
      send: async (email, signal) => {
        if (email.to.startsWith(POISON)) {
          say({ poisoned: true });
          process.kill(process.pid, 'SIGKILL');
        }
        // Written before it returns: whatever becomes of this process then, it is known that it had begun.
        say({ sending: email.idempotencyKey });
        try {
          return await mail.send(email, signal);
        } catch (error) {
          // Of an answer that never came nobody knows what it would have been; other faults tell that nothing was lost.
          const isTimeout = error instanceof FaultError && error.fault.code === 'timeout';
          if (isTimeout) say({ unanswered: email.idempotencyKey });
          throw error;
        }
      },
    },
    providers: createProviderGateway(supabase.client),
    recorder: createRunRecorder(redis.client, systemClock, createCountSentToday(supabase.client, systemClock)),
    clock: systemClock,
    logger,
  },
  options,
);

say({ begins: process.pid });
await (endpoint === null ? loop() : answerDeliveries(endpoint));
await Promise.all([redis.close(), supabase.close()]);
process.stdin.destroy();

async function loop(): Promise<void> {
  while (!told.signal.aborted) {
    const { outcome, processed, message } = await worker.run({ trigger: 'chaos', signal: told.signal });
    if (processed > 0 || outcome === 'failed') say({ outcome, processed, message });
    if (processed === 0) await delay(100, undefined, { signal: told.signal }).catch(() => undefined);
  }
}

async function answerDeliveries({ signingKey, baseUrl }: { signingKey: string; baseUrl: string }): Promise<void> {
  const workers = { 'queue-processor': worker, 'health-monitor': worker, 'quota-sync': worker };
  const routes = createWorkerRoutes({
    workers,
    tick: createTick(workers, { dueTimes: createDueTimes(redis.client), clock: systemClock }),
    deliveries: createDeliveries(redis.client),
    log: logger,
    signal: told.signal,
    signingKeys: { current: signingKey, next: 'another-key' },
    baseUrl,
    cronSecret: null,
    isDevelopment: false,
  });
  const runs = new Set<Promise<Response>>();
  const served = await serve((request) => {
    const run = routes['queue-processor'](request).finally(() => runs.delete(run));
    runs.add(run);
    return run;
  });
  say({ listens: served.url });
  if (!told.signal.aborted) await new Promise((resolve) => told.signal.addEventListener('abort', resolve));
  await Promise.allSettled(runs);
  await served.stop();
}

/** As somebody who sets the machine's clock does it: wall time jumps, monotonic time does not. */
function stepClock({ afterMs, byMs }: { afterMs: number; byMs: number }): void {
  const RealDate = Date;
  const steppedAtMs = performance.now() + afterMs;
  const now = () => RealDate.now() + (performance.now() < steppedAtMs ? 0 : byMs);
  globalThis.Date = class extends RealDate {
    static override now = now;
    constructor(...args: [] | [number | string]) {
      if (args.length === 0) super(now());
      else super(...(args as [number]));
    }
  } as DateConstructor;
}
