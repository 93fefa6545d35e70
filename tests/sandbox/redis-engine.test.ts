import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Engine, openEngine } from '../../src/sandbox/redis/engine.ts';
import type { Answer } from '../../src/sandbox/redis/execute.ts';
import { RedisAway } from '../../src/sandbox/redis/execute.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { writeAndKill } from '../support/killed-redis.ts';
import { redisCommand } from '../support/redis-commands.ts';

let folder: string;
let clock: ManualClock;
let engine: Engine;
const journalPath = () => join(folder, 'engine.jsonl');

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'redis-engine-'));
  clock = manualClock();
  engine = await openEngine({ journalPath: journalPath(), clock });
});

afterEach(async () => {
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(...command: string[]): Promise<unknown> {
  const [answer] = [await engine.execute([command], 'each')].flat();
  return answer !== undefined && 'result' in answer ? answer.result : answer;
}

async function restart(options: { compactAfter?: number } = {}): Promise<void> {
  await engine.stop();
  engine = await openEngine({ journalPath: journalPath(), clock, ...options });
}

describe('time in the in-process Redis', () => {
  test('is the clock’s: a key lives to its last millisecond and not longer', async () => {
    await ask('SET', 'k', 'v', 'PX', '1000');
    clock.advance(1_000);
    expect(await ask('GET', 'k')).toBe('v');
    expect(await ask('PTTL', 'k')).toBe(0);
    clock.advance(1);
    expect(await ask('GET', 'k')).toBeNull();
    expect(await ask('TTL', 'k')).toBe(-2);
    expect(await ask('SET', 'k', 'w', 'NX')).toBe('OK');
  });

  test.each([
    [['RPUSH', 'k', 'x'], ['LRANGE', 'k', '0', '-1'], ['new']],
    [['SADD', 'k', 'x'], ['SMEMBERS', 'k'], ['new']],
  ])('begins anew after expiry what %j had filled', async (fill, read, expected) => {
    await ask(...fill);
    await ask('EXPIRE', 'k', '10');
    clock.advance(10_001);
    await ask(fill[0] ?? '', 'k', 'new');
    expect(await ask(...read)).toEqual(expected);
    expect(await ask('TTL', 'k')).toBe(-1);
  });

  test('is told by TIME, in scripts as well, and moves on only between batches', async () => {
    const seconds = String(Math.floor(clock.nowEpochMs() / 1_000));
    expect(await ask('TIME')).toEqual([seconds, '0']);
    expect(await ask('EVAL', "return redis.call('time')", '0')).toEqual([seconds, '0']);
  });

  test('GT and LT compare with the present deadline', async () => {
    await ask('SET', 'k', 'v', 'EX', '100');
    expect(await ask('EXPIRE', 'k', '50', 'GT')).toBe(0);
    expect(await ask('EXPIRE', 'k', '200', 'GT')).toBe(1);
    expect(await ask('EXPIRE', 'k', '200', 'LT')).toBe(0);
    expect(await ask('TTL', 'k')).toBe(200);
  });
});

describe('what the in-process Redis remembers', () => {
  test('is everything that was answered, with deadlines that go on', async () => {
    await ask('SET', 'k', 'v', 'EX', '100');
    await ask('HINCRBY', 'h', 'n', '5');
    await ask('ZADD', 'z', 'inf', 'top', '1.5', 'low');
    clock.advance(40_000);
    await restart();
    expect(await ask('TTL', 'k')).toBe(60);
    expect(await ask('HGETALL', 'h')).toEqual(['n', '5']);
    expect(await ask('ZRANGE', 'z', '0', '-1', 'WITHSCORES')).toEqual(['low', '1.5', 'top', 'inf']);
  });

  test('is replayed at its time: what expired between two writes is gone between them', async () => {
    await ask('SET', 'n', '41', 'EX', '10');
    clock.advance(10_001);
    await ask('INCR', 'n');
    await restart();
    expect(await ask('GET', 'n')).toBe('1');
    expect(await ask('TTL', 'n')).toBe(-1);
  });

  test('includes what scripts did, by digest, with time and chance in them', async () => {
    const source = "redis.call('rpush', KEYS[1], math.random(1000000), redis.call('time')[1]) return 1";
    const sha = String(await ask('SCRIPT', 'LOAD', source));
    expect(await ask('EVALSHA', sha, '1', 'k')).toBe(1);
    clock.advance(5_000);
    expect(await ask('EVALSHA', sha, '1', 'k')).toBe(1);
    const before = await ask('LRANGE', 'k', '0', '-1');
    clock.advance(5_000);
    await restart();
    expect(await ask('LRANGE', 'k', '0', '-1')).toEqual(before);
  });

  test('costs nothing for reads and refused writes', async () => {
    await ask('SET', 'k', 'v');
    const size = statSync(journalPath()).size;
    await ask('GET', 'k');
    await ask('SET', 'k', 'w', 'NX');
    await ask('DEL', 'none');
    await ask('LPUSH', 'k', 'x');
    await ask('EVAL', "return redis.call('get', KEYS[1])", '1', 'k');
    expect(statSync(journalPath()).size).toBe(size);
  });

  test('is rewritten as the present state when it has grown', async () => {
    await restart({ compactAfter: 100 });
    for (let i = 0; i < 1_000; i += 1) await ask('INCR', 'n');
    await ask('RPUSH', 'list', 'a', 'b');
    await ask('SET', 'short', 'v', 'EX', '100');
    expect(readFileSync(journalPath(), 'utf8').split('\n').length).toBeLessThan(120);
    await restart();
    expect(await ask('GET', 'n')).toBe('1000');
    expect(await ask('LRANGE', 'list', '0', '-1')).toEqual(['a', 'b']);
    expect(await ask('TTL', 'short')).toBe(100);
  });

  test('loses at most what was never answered: a torn last line is cut off', async () => {
    await ask('SET', 'k', 'v');
    await engine.stop();
    appendFileSync(journalPath(), '{"at":1,"run":[["SET","k","to');
    await restart();
    expect(await ask('GET', 'k')).toBe('v');
    await ask('SET', 'k', 'w');
    await restart();
    expect(await ask('GET', 'k')).toBe('w');
  });

  test('is the same wherever it is stopped, whatever was asked of it', async () => {
    const reads = ['string1', 'string2', 'list1', 'list2', 'hash1', 'hash2', 'set1', 'set2', 'zset1', 'zset2'].flatMap(
      (key) => [
        ['TYPE', key],
        ['PTTL', key],
        ['GET', key],
        ['LRANGE', key, '0', '-1'],
        ['HGETALL', key],
        ['SMEMBERS', key],
        ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
      ],
    );
    const state = async () => engine.execute([['DBSIZE'], ...reads], 'each');
    const step = fc.record({ command: redisCommand, thenMs: fc.constantFrom(0, 0, 1, 60_000, 100_000) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isCompacted) => {
        await restart(isCompacted ? { compactAfter: 5 } : {});
        await ask('FLUSHALL');
        for (const { command, thenMs } of steps) {
          await ask(...command);
          clock.advance(thenMs);
        }
        const before = await state();
        await restart();
        expect(await state()).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });

  test('survives kill -9 up to the last answer', async () => {
    await engine.stop();
    const killed = join(folder, 'killed');
    const acknowledged = await writeAndKill(killed, 'engine', 300);
    engine = await openEngine({ journalPath: join(killed, 'engine.jsonl'), clock: { nowEpochMs: Date.now } });
    const last = Number(await ask('GET', 'last'));
    expect(last).toBeGreaterThanOrEqual(acknowledged);
    // Transactions are kept whole: the list, the keys and the counter agree.
    expect([await ask('LLEN', 'all'), await ask('DBSIZE'), await ask('LINDEX', 'all', '-1')]).toEqual([
      last,
      last + 2,
      `${last}`,
    ]);
  });
});

describe('batches in the in-process Redis', () => {
  test('a transaction with a malformed command does nothing at all', async () => {
    const answer = await engine.execute([['SET', 'k', 'v'], ['GET']], 'atomic');
    expect(answer).toEqual({
      error: "EXECABORT Transaction discarded because of: ERR wrong number of arguments for 'get' command",
    });
    expect(await ask('EXISTS', 'k')).toBe(0);
  });

  test('concurrent batches never interleave', async () => {
    const batches = Array.from({ length: 50 }, () =>
      engine.execute(
        [
          ['INCR', 'n'],
          ['EVAL', "return redis.call('incr', KEYS[1])", '1', 'n'],
        ],
        'each',
      ),
    );
    for (const batch of (await Promise.all(batches)) as Answer[][]) {
      const [first, second] = batch.map((answer) => ('result' in answer ? Number(answer.result) : Number.NaN));
      expect(second).toBe(Number(first) + 1);
    }
  });

  test('a script without end is ended', async () => {
    expect(await ask('EVAL', 'while true do end', '0')).toEqual({ error: expect.stringMatching(/^ERR/) });
    expect(await ask('EVAL', 'return 1 + 1', '0')).toBe(2);
  });

  test('a stopped engine says so, and stopping twice is fine', async () => {
    await engine.stop();
    await engine.stop();
    await expect(engine.execute([['PING']], 'each')).rejects.toThrow(RedisAway);
  });
});
