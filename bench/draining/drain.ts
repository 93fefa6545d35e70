/** One measurement: fills a system's queue, lets its worker drain it, and counts what that took at the servers. */
import { setTimeout as delay } from 'node:timers/promises';
import { connectRedis } from '../../src/data/redis.ts';
import { type Drained, startWorker, type WorkerSetting } from '../lib/worker-process.ts';
import { type Latency, latenciesOf, limitMs } from './latency.ts';
import type { Servers } from './servers.ts';
import { countStatements } from './statements.ts';
import { type System, settingOf } from './systems.ts';

export interface Measured extends Drained {
  readonly count: number;
  readonly limitMs: number;
  /** What PostgreSQL executed, BEGIN, SET and COMMIT included; null where it was not used. */
  readonly statements: number | null;
  /** What Redis executed, also within scripts. */
  readonly redisCommands: number;
  /** Scripts that Redis was asked to run, each a round trip. */
  readonly redisScripts: number;
}

export const CONCURRENCY = 10;

/** Throws when an email is missing or was sent twice: then there is nothing to measure. */
export async function drain(
  servers: Servers,
  system: System,
  {
    count,
    latency,
    changed = {},
    flags = [],
  }: { count: number; latency: Latency; changed?: Partial<WorkerSetting>; flags?: readonly string[] },
): Promise<Measured> {
  const setting = { ...settingOf(system, servers, count, CONCURRENCY), ...changed };
  await system.fill(servers, count);
  await servers.endpoint.reset(latency, count);
  const limit = limitMs(latenciesOf(latency, count), setting.concurrency);
  const worker = await startWorker(system.script, setting, flags);
  const counters = await startCounting(servers, system);
  const drained = await worker.drain(limit * 20 + 120_000);
  const counted = await counters.read();
  await verify(servers, system, count);
  return { ...drained, ...counted, count, limitMs: limit };
}

async function verify(servers: Servers, system: System, count: number): Promise<void> {
  const arrivals = await servers.endpoint.arrivals();
  const repeated = arrivals.filter(({ isRepeat }) => isRepeat).length;
  // A peer may say that it is done a moment before its last statement; that moment is given to it.
  const deadline = Date.now() + 5_000;
  let left = await system.left(servers);
  while (left > 0 && Date.now() < deadline) {
    await delay(20);
    left = await system.left(servers);
  }
  if (arrivals.length === count && repeated === 0 && left === 0) return;
  throw new Error(`${system.name}: ${arrivals.length} of ${count} sent, ${repeated} of them twice, ${left} not done.`);
}

async function startCounting(servers: Servers, { database, redis }: System) {
  const statements = database === undefined ? null : await countStatements(database(servers).sql);
  const server = connectRedis({ kind: 'tcp', url: (redis === 'plain' ? servers.redis : servers.durableRedis).url });
  await server.client.exec(['CONFIG', 'RESETSTAT']);
  return {
    read: async () => {
      const info = String(await server.client.exec(['INFO', 'commandstats']));
      await server.close();
      const calls = callsOf(info);
      return {
        statements: (await statements?.read()) ?? null,
        redisCommands: sum(calls.filter(({ name }) => !/^(info|config|client|hello)/.test(name))),
        redisScripts: sum(calls.filter(({ name }) => /^(eval|evalsha|fcall)$/.test(name))),
      };
    },
  };
}

/** Of lines such as `cmdstat_get:calls=12,usec=…`. */
function callsOf(info: string): readonly { readonly name: string; readonly calls: number }[] {
  return [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => ({
    name,
    calls: Number(calls),
  }));
}

function sum(calls: readonly { readonly calls: number }[]): number {
  return calls.reduce((total, each) => total + each.calls, 0);
}
