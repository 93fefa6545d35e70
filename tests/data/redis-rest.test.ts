import { afterEach, describe, expect, test } from 'vitest';
import { connectRedis, RedisError } from '../../src/data/redis.ts';
import type { FaultCode } from '../../src/domain/loaded.ts';
import { startBadServer } from '../support/bad-server.ts';
import { freePort } from '../support/redis.ts';
import { serve } from '../support/serve.ts';

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function connect(url: string, timeoutMs?: number) {
  const connection = connectRedis(
    { kind: 'rest', url, token: 'tok_secret' },
    timeoutMs === undefined ? {} : { timeoutMs },
  );
  cleanUp.push(() => connection.close());
  return connection;
}

async function answering(respond: (request: Request) => Response | Promise<Response>) {
  const requests: Request[] = [];
  const served = await serve((request) => {
    requests.push(request);
    return respond(request);
  });
  cleanUp.push(() => served.stop());
  return { ...connect(served.url), requests };
}

async function failing(work: Promise<unknown>): Promise<RedisError> {
  const error = await work.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RedisError);
  return error as RedisError;
}

describe('Redis over REST', () => {
  test('sends one plain request a command, without telemetry', async () => {
    const { client, requests } = await answering(() => Response.json({ result: 'T0s=' }));
    expect(await client.get('k')).toBe('OK');
    expect(requests.map(({ url }) => new URL(url).pathname)).toEqual(['/']);
    const headers = [...(requests[0]?.headers.keys() ?? [])];
    expect(headers).toEqual(expect.arrayContaining(['authorization', 'upstash-encoding', 'upstash-sync-token']));
    expect(headers.filter((name) => name.includes('telemetry'))).toEqual([]);
  });

  test.each<[number, string, FaultCode]>([
    [401, '{"error":"WRONGPASS invalid or missing auth token"}', 'unauthorized'],
    [400, '{"error":"ERR max daily request limit exceeded"}', 'rate-limited'],
    [400, '{"error":"ERR syntax error"}', 'protocol'],
    [200, '{"error":"ERR syntax error"}', 'protocol'],
    [502, '<html>Bad gateway</html>', 'protocol'],
    [200, 'not json', 'protocol'],
  ])('HTTP %i with %s is one request and a fault', async (status, body, code) => {
    const { client, requests } = await answering(() => new Response(body, { status }));
    const error = await failing(client.incr('k'));
    expect(error.fault.code).toBe(code);
    expect(requests).toHaveLength(1);
    expect(`${error} ${error.cause}`).not.toMatch(/tok_secret/);
  });

  test('a connection cut before the answer is not tried again: the command may have run', async () => {
    const server = await startBadServer((socket) => socket.destroy());
    cleanUp.push(server.stop);
    const error = await failing(connect(`http://127.0.0.1:${server.port}`).client.incr('k'));
    expect(error.fault.code).toBe('unreachable');
    expect(server.requests()).toBe(1);
  });

  test('nobody listening is unreachable, with the remedy', async () => {
    const error = await failing(connect(`http://127.0.0.1:${await freePort()}`).client.get('k'));
    expect(error.fault).toMatchObject({ code: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
    expect(error.fault.remedy).toMatch(/KV_REST_API_URL/);
  });

  test.each([
    ['never answers', ''],
    ['stops in the middle of an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"resu'],
  ])('a server that %s is a timeout, and never a null', async (_, answer) => {
    const server = await startBadServer((socket) => socket.write(answer));
    cleanUp.push(server.stop);
    const { client } = connect(`http://127.0.0.1:${server.port}`, 100);
    const error = await failing(client.get('k'));
    expect(error.fault).toMatchObject({ code: 'timeout', message: 'Redis did not answer within 100 ms.' });
    expect(server.requests()).toBe(1);
  });

  test('closing cancels what is in flight, and what comes after', async () => {
    const server = await startBadServer(() => {});
    cleanUp.push(server.stop);
    const { client, close, usage } = connect(`http://127.0.0.1:${server.port}`);
    const inFlight = failing(client.get('k'));
    await expect.poll(server.requests).toBe(1);
    await close();
    await close();
    expect((await inFlight).fault.code).toBe('cancelled');
    expect((await failing(client.get('k'))).fault.code).toBe('cancelled');
    expect(usage()).toEqual({ commands: 1, roundTrips: 1 });
  });

  test('something that is no URL is refused at once', () => {
    expect(() => connect('nonsense')).toThrow(RedisError);
    expect(() => connect('redis://127.0.0.1')).toThrow(/not a valid URL/);
  });

  test('the token of consistency that the server gave goes back to it', async () => {
    const { client, requests } = await answering(() =>
      Response.json({ result: null }, { headers: { 'upstash-sync-token': 'seen-1' } }),
    );
    await client.get('k');
    await client.get('k');
    expect(requests.map(({ headers }) => headers.get('upstash-sync-token'))).toEqual(['', 'seen-1']);
  });
});
