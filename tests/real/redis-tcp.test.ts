import { afterEach, describe, expect, test } from 'vitest';
import { connectRedis, RedisError } from '../../src/data/redis.ts';
import { isRedisServerMissing, startRedisServer } from '../support/redis.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function start(options: Parameters<typeof startRedisServer>[0] = {}) {
  const server = await startRedisServer(options);
  cleanUp.push(server.stop);
  return server;
}

function connect(url: string, timeoutMs = 2_000) {
  const connection = connectRedis({ kind: 'tcp', url }, { timeoutMs });
  cleanUp.push(() => connection.close());
  return connection.client;
}

async function failing(work: Promise<unknown>): Promise<RedisError> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RedisError);
  return error as RedisError;
}

describe.skipIf(isRedisServerMissing())('a real Redis over TCP', () => {
  test('fails while the server is away and works again when it is back', async () => {
    const first = await start();
    const client = connect(first.url);
    expect(await client.set('k', 'v')).toBe('OK');
    await first.stop();
    for (let i = 0; i < 3; i += 1) expect((await failing(client.get('k'))).fault.code).toBe('unreachable');
    await start({ port: first.port });
    expect(await client.get('k')).toBeNull();
  });

  test('fails when the server dies over a command, without doing it again', async () => {
    const server = await start();
    const client = connect(server.url);
    await client.ping();
    const slow = failing(client.eval("redis.call('incr', KEYS[1]) while true do end", ['n'], []));
    const other = connect(server.url, 100);
    // A server that is busy with a script does not answer others: that is how we see that it runs.
    expect((await failing(other.set('k', 'v'))).fault.code).toBe('timeout');
    await server.stop();
    expect(['unreachable', 'timeout']).toContain((await slow).fault.code);
    await start({ port: server.port });
    expect(await client.get('n')).toBeNull();
  });

  test('a wrong password is unauthorized, and says so again and again', async () => {
    const server = await start({ args: ['--requirepass', 'right'], password: 'right' });
    const client = connect(server.url.replace('right', 'wrong'));
    for (let i = 0; i < 2; i += 1) {
      const { fault } = await failing(client.get('k'));
      expect(fault.code).toBe('unauthorized');
      expect(fault.remedy).toMatch(/REDIS_URL/);
      expect(fault.message).not.toMatch(/wrong$/);
    }
    expect((await failing(connect(`redis://127.0.0.1:${server.port}`).get('k'))).fault.code).toBe('unauthorized');
    expect(await connect(server.url).ping()).toBe('PONG');
  });

  test('speaks through a unix socket, and to the database of the URL', async () => {
    const server = await start();
    await connect(server.socketPath).set('k', 'zero');
    expect(await connect(server.url).get('k')).toBe('zero');
    expect(await connect(`${server.url}/1`).get('k')).toBeNull();
  });

  test('one slow answer does not mix up the ones after it', async () => {
    const server = await start();
    const client = connect(server.url, 150);
    const busy =
      "local t = redis.call('time') repeat local n = redis.call('time') until (n[1] - t[1]) * 1000000 + n[2] - t[2] > 400000 return 'late'";
    expect((await failing(client.eval(busy, [], []))).fault.code).toBe('timeout');
    await expect.poll(() => client.set('k', 'v').catch(() => null), { timeout: 3_000, interval: 20 }).toBe('OK');
    expect(await Promise.all([client.get('k'), client.incr('n'), client.get('k')])).toEqual(['v', 1, 'v']);
  });

  test('leaves no connection behind when closed', async () => {
    const server = await start();
    const watcher = connect(server.url);
    const connection = connectRedis({ kind: 'tcp', url: server.url });
    await connection.client.ping();
    const clients = async () =>
      /connected_clients:(\d+)/.exec(String(await watcher.eval("return redis.call('info', 'clients')", [], [])))?.[1];
    expect(await clients()).toBe('2');
    await connection.close();
    await expect.poll(clients, { timeout: 3_000, interval: 10 }).toBe('1');
  });
});
