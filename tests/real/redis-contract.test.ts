/** A real redis-server, behind the sandbox's bridge and straight over TCP, held to the same contract as the engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { systemClock } from '../../src/domain/time.ts';
import { openRedis, type SandboxRedis } from '../../src/sandbox/redis/redis.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';
import { redisContract } from '../support/redis-contract.ts';
import { type Served, serve } from '../support/serve.ts';

describe.skipIf(isRedisServerMissing())('a real Redis over REST', () => {
  const folder = mkdtempSync(join(tmpdir(), 'redis-contract-'));
  let redis: SandboxRedis;
  let served: Served;
  let connection: RedisConnection;

  beforeAll(async () => {
    redis = await openRedis({ folder, token: 'token', clock: systemClock });
    served = await serve(redis.fetch);
    connection = connectRedis({ kind: 'rest', url: served.url, token: 'token' });
  });

  afterAll(async () => {
    await connection?.close();
    await served?.stop();
    await redis?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is preferred where it is installed', () => {
    expect(redis.engine).toBe('redis-server');
  });

  redisContract(() => connection);
});

describe.skipIf(isRedisServerMissing())('a real Redis over TCP', () => {
  let server: RedisServer;
  let connection: RedisConnection;

  beforeAll(async () => {
    server = await startRedisServer();
    connection = connectRedis({ kind: 'tcp', url: server.url });
  });

  afterAll(async () => {
    await connection?.close();
    await server?.stop();
  });

  redisContract(() => connection);
});
