/** The law that the in-process engine obeys: whatever is asked of it, it answers as a real redis-server does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/domain/time.ts';
import type { Answer, Execute } from '../../src/sandbox/redis/execute.ts';
import { openRedis, type SandboxRedis } from '../../src/sandbox/redis/redis.ts';
import { isRedisServerMissing } from '../support/redis.ts';
import { redisCommand } from '../support/redis-commands.ts';

describe.skipIf(isRedisServerMissing())('the in-process Redis against a real one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'redis-law-'));
  let engine: SandboxRedis;
  let server: SandboxRedis;

  beforeAll(async () => {
    engine = await openRedis({ folder: join(folder, 'engine'), token: 't', clock: systemClock, prefer: 'engine' });
    server = await openRedis({ folder: join(folder, 'server'), token: 't', clock: systemClock, prefer: 'server' });
  });

  afterAll(async () => {
    await engine?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('answers every sequence of commands alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(redisCommand, { minLength: 1, maxLength: 60 }), async (commands) => {
        const [ours, theirs] = await both(commands, 'each');
        expect(ours.map(comparable(commands))).toEqual(theirs.map(comparable(commands)));
      }),
      { numRuns: 1_500 },
    );
  });

  test('answers every transaction alike, the discarded ones too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(redisCommand, { minLength: 1, maxLength: 6 }), async (commands) => {
        const [ours, theirs] = await both(commands, 'atomic');
        expect(ours.map(comparable(commands))).toEqual(theirs.map(comparable(commands)));
      }),
      { numRuns: 500 },
    );
  });

  test.each([1, 20])('lets a key of %i ms expire as the server does', async (ttlMs) => {
    const at = Date.now() + ttlMs;
    for (const { execute } of [engine, server]) {
      await execute(
        [['FLUSHALL'], ['SET', 'k', 'v', 'PXAT', `${at}`], ['RPUSH', 'other', 'x'], ['PEXPIREAT', 'other', `${at}`]],
        'each',
      );
      await expect
        .poll(async () => results(await execute([['EXISTS', 'k', 'other'], ['PTTL', 'k'], ['DBSIZE']], 'each')), {
          timeout: 5_000,
          interval: 5,
        })
        .toEqual([0, -2, 0]);
      expect(
        results(
          await execute(
            [
              ['SET', 'k', 'new', 'NX'],
              ['TTL', 'k'],
              ['LPUSH', 'other', 'y'],
            ],
            'each',
          ),
        ),
      ).toEqual(['OK', -1, 1]);
    }
  });

  async function both(commands: string[][], mode: 'each' | 'atomic'): Promise<[Answer[], Answer[]]> {
    const run = async (execute: Execute) => {
      await execute([['FLUSHALL'], ['SCRIPT', 'FLUSH']], 'each');
      return [await execute(commands, mode)].flat();
    };
    return [await run(engine.execute), await run(server.execute)];
  }
});

function results(answers: Answer | readonly Answer[]): unknown[] {
  return [answers].flat().map((answer) => ('result' in answer ? answer.result : answer));
}

/** Leaves out what may differ: the order of sets and keys, and the moments between the two servers. */
function comparable(commands: readonly string[][]) {
  return (answer: Answer, index: number): unknown => {
    if ('error' in answer) return { error: withoutCase(answer.error) };
    const name = commands[index]?.[0]?.toLowerCase() ?? '';
    if (['keys', 'smembers'].includes(name)) return [...(answer.result as string[])].sort();
    if (name === 'scan') return [...((answer.result as string[][])[1] ?? [])].sort();
    if (['ttl', 'pttl'].includes(name) && Number(answer.result) > 0)
      return toleranceBucket(name, Number(answer.result));
    return answer.result;
  };
}

/** Time left, to within half of the smallest that the commands set apart (100 s). */
function toleranceBucket(name: string, left: number): number {
  return Math.round((name === 'ttl' ? left : left / 1_000) / 50);
}

/** The transport to the server sends command names in upper case, and an unknown one is quoted in the error. */
function withoutCase(error: string): string {
  return error.replaceAll(/unknown command '[^']*'/g, (quoted) => quoted.toLowerCase());
}
