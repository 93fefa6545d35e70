/** What every Redis behind `connectRedis` must do, whichever it is: one table of cases, run by several tests. */
import { expect, test } from 'vitest';
import { type RedisConnection, RedisError } from '../../src/data/redis.ts';

type Redis = RedisConnection['client'];

interface Case {
  readonly name: string;
  run(redis: Redis): Promise<void>;
}

/** Declares the cases as tests; each begins with an empty database. */
export function redisContract(connection: () => RedisConnection): void {
  for (const { name, run } of CASES) {
    test(name, async () => {
      await connection().client.flushall();
      await run(connection().client);
    });
  }

  test('counts commands and round trips as they are billed', async () => {
    const { client, usage } = connection();
    const before = usage();
    await client.get('a');
    await client.pipeline().get('a').get('b').ttl('c').exec();
    await client.multi().incr('n').incr('n').exec();
    await expect(client.lpush('n', 'x')).rejects.toThrow(RedisError);
    expect(usage()).toEqual({ commands: before.commands + 7, roundTrips: before.roundTrips + 4 });
  });
}

const COMPARE_AND_DELETE =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";

const CASES: readonly Case[] = [
  {
    name: 'hands values on as the text that they are',
    run: async (redis) => {
      for (const text of [
        '123',
        '{"a":1}',
        '',
        'OK',
        'null',
        'Grüße 🥕',
        '"quoted"',
        'UE9ORw==',
        'line\nbreak\u0000',
      ]) {
        await redis.set('k', text);
        expect(await redis.get('k')).toBe(text);
      }
    },
  },
  {
    name: 'answers null for what is not there',
    run: async (redis) => {
      expect(await redis.get('none')).toBeNull();
      expect(await redis.hget('none', 'field')).toBeNull();
      expect(await redis.mget('none', 'neither')).toEqual([null, null]);
      expect(await redis.eval('return nil', [], [])).toBeNull();
    },
  },
  {
    name: 'takes a lock once',
    run: async (redis) => {
      expect(await redis.set('lock', 'mine', { nx: true, ex: 300 })).toBe('OK');
      expect(await redis.set('lock', 'theirs', { nx: true, ex: 300 })).toBeNull();
      expect(await redis.get('lock')).toBe('mine');
      expect(await redis.ttl('lock')).toBe(300);
    },
  },
  {
    name: 'releases a lock by script only for its holder',
    run: async (redis) => {
      await redis.set('lock', 'mine');
      expect(await redis.eval(COMPARE_AND_DELETE, ['lock'], ['theirs'])).toBe(0);
      expect(await redis.eval(COMPARE_AND_DELETE, ['lock'], ['mine'])).toBe(1);
      expect(await redis.exists('lock')).toBe(0);
    },
  },
  {
    name: 'runs a script by its digest, sent in full when the server does not have it',
    run: async (redis) => {
      const script = redis.createScript(`return {ARGV[1], 1, KEYS[1]} -- ${Math.random()}`);
      expect(await script.exec(['k'], ['a'])).toEqual(['a', 1, 'k']);
      expect(await script.exec(['k'], ['b'])).toEqual(['b', 1, 'k']);
    },
  },
  {
    name: 'answers hashes as fields and values in turn',
    run: async (redis) => {
      await redis.hset('h', { processed: 5, failed: 'x' });
      expect(await redis.hgetall('h')).toEqual(['processed', '5', 'failed', 'x']);
      expect(await redis.hincrby('h', 'processed', 3)).toBe(8);
      expect(await redis.hgetall('none')).toEqual([]);
    },
  },
  {
    name: 'keeps a list newest first and trimmed',
    run: async (redis) => {
      for (const alert of ['one', 'two', 'three']) await redis.lpush('alerts', alert);
      await redis.ltrim('alerts', 0, 1);
      expect(await redis.lrange('alerts', 0, -1)).toEqual(['three', 'two']);
    },
  },
  {
    name: 'reads a time series by score, from the newest too',
    run: async (redis) => {
      await redis.zadd(
        'series',
        { score: 1764000000000, member: '{"a":1}' },
        { score: 1764000060000, member: '{"b":2}' },
      );
      expect(await redis.zrange('series', 1764000000001, '+inf', { byScore: true })).toEqual(['{"b":2}']);
      expect(await redis.zrange('series', 0, -1, { rev: true, withScores: true })).toEqual([
        '{"b":2}',
        '1764000060000',
        '{"a":1}',
        '1764000000000',
      ]);
      expect(await redis.zremrangebyscore('series', '-inf', 1764000000000)).toBe(1);
    },
  },
  {
    name: 'answers a pipeline command by command, errors in their places',
    run: async (redis) => {
      await redis.set('text', 'x');
      const answers = await redis.pipeline().get('text').lpush('text', 'y').ttl('none').exec({ keepErrors: true });
      expect(answers).toMatchObject([
        { result: 'x' },
        { error: 'WRONGTYPE Operation against a key holding the wrong kind of value' },
        { result: -2 },
      ]);
    },
  },
  {
    name: 'runs a transaction as one, and a runtime error does not stop the rest',
    run: async (redis) => {
      await redis.set('text', 'x');
      const answers = await redis.multi().incr('n').incr('text').incr('n').exec({ keepErrors: true });
      expect(answers).toMatchObject([
        { result: 1 },
        { error: 'ERR value is not an integer or out of range' },
        { result: 2 },
      ]);
    },
  },
  {
    name: 'discards a transaction that holds a malformed command',
    run: async (redis) => {
      // Not a word for the option of SET, but one missing altogether: only that is refused before EXEC.
      const transaction = redis.multi().incr('n').hset('h', {});
      await expect(transaction.exec()).rejects.toThrow(/EXECABORT/);
      expect(await redis.get('n')).toBeNull();
    },
  },
  {
    name: 'keeps concurrent transactions and pipelines apart',
    run: async (redis) => {
      const runs = Array.from({ length: 20 }, () => redis.multi().incr('n').incr('n').get('n').exec());
      const seen = (await Promise.all(runs)).map(([first, second, third]) => [first, second, Number(third)]);
      for (const [first, second, third] of seen)
        expect([second, third]).toEqual([Number(first) + 1, Number(first) + 1]);
      expect(await redis.get('n')).toBe('40');
    },
  },
  {
    name: 'says what went wrong without repeating the values',
    run: async (redis) => {
      await redis.set('text', 'x');
      const failure = await redis.lpush('text', 'secret anna@example.org').catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RedisError);
      expect(String(failure)).toMatch(/WRONGTYPE/);
      expect(JSON.stringify([String(failure), (failure as RedisError).fault])).not.toMatch(/secret|anna/);
      expect((failure as RedisError).cause).toBeUndefined();
    },
  },
  {
    name: 'carries large values whole',
    run: async (redis) => {
      const large = 'ä🥕'.repeat(200_000);
      await redis.set('large', large);
      expect(await redis.get('large')).toBe(large);
    },
  },
  {
    name: 'lets go of what has expired',
    run: async (redis) => {
      await redis.set('short', 'x', { px: 20 });
      await expect.poll(() => redis.get('short'), { timeout: 3_000, interval: 5 }).toBeNull();
    },
  },
];
