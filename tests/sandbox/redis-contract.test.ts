/** The in-process engine behind the bridge, over HTTP, by the unmodified SDK. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from '@upstash/redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { systemClock } from '../../src/domain/time.ts';
import { openRedis, type SandboxRedis } from '../../src/sandbox/redis/redis.ts';
import { redisContract } from '../support/redis-contract.ts';
import { type Served, serve } from '../support/serve.ts';

describe('the in-process Redis over REST', () => {
  const folder = mkdtempSync(join(tmpdir(), 'redis-contract-'));
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

  test('is the in-process one', () => {
    expect(redis.engine).toBe('in-process');
  });

  test('serves the SDK with its own defaults: auto-pipelining, parsing, sync token', async () => {
    const plain = new Redis({ url: served.url, token: 'token', enableTelemetry: false });
    const [set, hash, pong] = await Promise.all([
      plain.set('k', { a: [1, 'é'] }),
      plain.hset('h', { n: 1 }),
      plain.ping(),
    ]);
    expect([set, hash, pong]).toEqual(['OK', 1, 'PONG']);
    expect(await plain.get('k')).toEqual({ a: [1, 'é'] });
    expect(await plain.hgetall('h')).toEqual({ n: 1 });
    expect(await plain.multi().set('a', 1).get('a').exec()).toEqual(['OK', 1]);
    expect(plain.readYourWritesSyncToken).toMatch(/^sandbox-/);
  });

  test('serves the SDK without base64', async () => {
    const plain = new Redis({ url: served.url, token: 'token', enableTelemetry: false, responseEncoding: false });
    await plain.set('k', 'Grüße');
    expect(await plain.get('k')).toBe('Grüße');
  });

  redisContract(() => connection);
});
