/** The queue lock in a real Redis, over TCP. */
import { afterAll, beforeAll, describe } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { lockContract } from '../support/lock-contract.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from '../support/redis.ts';

describe.skipIf(isRedisServerMissing())('the queue lock in a real Redis', () => {
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

  lockContract(() => connection);
});
