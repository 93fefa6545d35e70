import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { createSnapshotReader } from '../../src/data/snapshot.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { REDIS_COMMANDS } from '../../src/domain/cost.ts';
import { systemClock } from '../../src/domain/time.ts';
import { createWorkers, type Workers } from '../../src/workers/registry.ts';
import { isMailStackMissing, type MailStack, startMailStack } from '../support/mail-stack.ts';

/** `email-ops cost` computes with these; here they are counted. A command more or less is no lie, twice as many would be. */
describe.skipIf(isMailStackMissing())('the Redis commands that the costs are computed with', () => {
  let stack: MailStack;
  let redis: RedisConnection;
  let supabase: SupabaseConnection;
  let workers: Workers;

  beforeAll(async () => {
    stack = await startMailStack();
    await stack.reset();
    redis = connectRedis({ kind: 'tcp', url: stack.redisUrl });
    supabase = connectSupabase({ url: stack.rest.url, serviceRoleKey: stack.rest.key });
    workers = createWorkers({
      redis,
      supabase,
      emailFunction: { url: stack.mailUrl, serviceRoleKey: stack.rest.key },
      settings: { batchSize: 100, concurrency: 10, runBudgetMs: 240_000, lockTtlSeconds: 30, slots: 1 },
      clock: systemClock,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    });
  });
  afterAll(async () => {
    await redis?.close();
    await supabase?.close();
    await stack?.stop();
  });

  const counted = async (work: () => Promise<unknown>): Promise<number> => {
    const before = redis.usage().commands;
    await work();
    return redis.usage().commands - before;
  };
  const run = (worker: keyof Workers) => () =>
    workers[worker].run({ trigger: 'schedule', signal: new AbortController().signal });

  it.each([
    ['queue-processor', REDIS_COMMANDS.perProcessorRun],
    ['health-monitor', REDIS_COMMANDS.perMonitorRun],
    ['quota-sync', REDIS_COMMANDS.perQuotaRun],
  ] as const)('of a %s that has nothing to do', async (worker, expected) => {
    await run(worker)();
    const commands = await counted(run(worker));
    expect(commands).toBeGreaterThan(expected - 3);
    expect(commands).toBeLessThanOrEqual(expected);
  });

  it('of an email', async () => {
    await stack.enqueue(300);
    const commands = (await counted(run('queue-processor'))) - REDIS_COMMANDS.perProcessorRun;
    expect(commands / 300).toBeLessThanOrEqual(REDIS_COMMANDS.perEmail);
  });

  it('of a look at the whole picture, and of one where nothing has changed or a worker has run', async () => {
    const reader = createSnapshotReader({
      redis,
      supabase,
      qstash: null,
      clock: systemClock,
      environment: { name: 'test', isSandbox: false },
    });
    await reader.read();
    expect(await counted(() => reader.read())).toBe(REDIS_COMMANDS.perLook);
    const look = () => reader.read(undefined, { goodForMs: 3_600_000 });
    expect(await counted(look)).toBe(REDIS_COMMANDS.perRefresh);
    for (const worker of ['queue-processor', 'health-monitor', 'quota-sync'] as const) {
      await run(worker)();
      expect((await counted(look)) - REDIS_COMMANDS.perRefresh).toBe(REDIS_COMMANDS.perRunSeen[worker]);
    }
    reader.close();
  });
});
