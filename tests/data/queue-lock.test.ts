/** The queue lock in the sandbox's in-process Redis, over REST as Upstash has it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { systemClock } from '../../src/domain/time.ts';
import { openRedis, type SandboxRedis } from '../../src/sandbox/redis/redis.ts';
import { lockContract } from '../support/lock-contract.ts';
import { type Served, serve } from '../support/serve.ts';

describe('the queue lock in the sandbox’s Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'queue-lock-'));
  let redis: SandboxRedis;
  let served: Served;
  let connection: RedisConnection;

  beforeAll(async () => {
    redis = await openRedis({ folder, token: 'token', clock: systemClock, prefer: 'engine' });
    served = await serve(redis.fetch);
    connection = connectRedis({ kind: 'rest', url: served.url, token: 'token' });
  });
  afterAll(async () => {
    await connection?.close();
    await served?.stop();
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  lockContract(() => connection);
});
