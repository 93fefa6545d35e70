import { afterEach, describe, expect, test } from 'vitest';
import { connectRedis, RedisError } from '../../src/data/redis.ts';
import { startBadServer } from '../support/bad-server.ts';
import { freePort } from '../support/redis.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function connect(url: string, timeoutMs = 2_000) {
  const connection = connectRedis({ kind: 'tcp', url }, { timeoutMs });
  cleanUp.push(() => connection.close());
  return connection;
}

async function failing(work: Promise<unknown>): Promise<RedisError> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RedisError);
  return error as RedisError;
}

describe('Redis over TCP', () => {
  test('nobody listening is unreachable at once, every time', async () => {
    const { client } = connect(`redis://user:tok_secret@127.0.0.1:${await freePort()}`);
    for (let i = 0; i < 3; i += 1) {
      const error = await failing(client.get('k'));
      expect(error.fault).toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
      expect(`${error} ${error.cause} ${JSON.stringify(error)}`).not.toMatch(/tok_secret/);
    }
  });

  test('a socket that is not there is unreachable', async () => {
    expect((await failing(connect('/nowhere/redis.sock').client.ping())).fault.code).toBe('unreachable');
  });

  test.each(['redis', 'rediss'])(
    'a black hole behind %s:// is a timeout, for concurrent commands too',
    async (scheme) => {
      const server = await startBadServer(() => {});
      cleanUp.push(server.stop);
      const { client } = connect(`${scheme}://127.0.0.1:${server.port}`, 100);
      const errors = await Promise.all([failing(client.get('k')), failing(client.incr('k')), failing(client.ping())]);
      expect(errors.map(({ fault }) => fault.code)).toContain('timeout');
      for (const { fault } of errors) expect(['timeout', 'unreachable']).toContain(fault.code);
    },
  );

  test('a black hole that wants a password first is a timeout', async () => {
    const server = await startBadServer(() => {});
    cleanUp.push(server.stop);
    const { client } = connect(`redis://:tok_secret@127.0.0.1:${server.port}`, 100);
    expect((await failing(client.get('k'))).fault.code).toBe('timeout');
  });

  test('a connection cut before the answer is not tried again: the command may have run', async () => {
    const server = await startBadServer((socket) => socket.destroy());
    cleanUp.push(server.stop);
    const error = await failing(connect(`redis://127.0.0.1:${server.port}`).client.incr('k'));
    expect(error.fault.code).toBe('unreachable');
    expect(server.requests()).toBe(1);
  });

  test('something that is not Redis is a fault in time', async () => {
    const server = await startBadServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    cleanUp.push(server.stop);
    const error = await failing(connect(`redis://127.0.0.1:${server.port}`, 300).client.incr('k'));
    expect(['protocol', 'unreachable', 'timeout']).toContain(error.fault.code);
  });

  test.each(['http://127.0.0.1', 'nonsense', ''])(
    '%j is not a URL of Redis, and says what one looks like',
    async (url) => {
      const error = await failing(connect(url).client.ping());
      expect(error.fault.code).toBe('not-configured');
      expect(error.fault.remedy).toMatch(/rediss:\/\//);
    },
  );

  test('closing cancels what is in flight, and what comes after', async () => {
    const server = await startBadServer(() => {});
    cleanUp.push(server.stop);
    const { client, close } = connect(`redis://127.0.0.1:${server.port}`);
    const inFlight = failing(client.get('k'));
    await expect.poll(server.requests).toBe(1);
    await close();
    expect((await inFlight).fault.code).toBe('cancelled');
    expect((await failing(client.get('k'))).fault.code).toBe('cancelled');
  });
});
