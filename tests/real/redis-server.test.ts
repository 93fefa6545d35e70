/** The sandbox's redis-server as a process: it keeps what it acknowledged, there is never a second one, none is left behind. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/domain/time.ts';
import { type Execute, RedisAway } from '../../src/sandbox/redis/execute.ts';
import { openRedis, type SandboxRedis } from '../../src/sandbox/redis/redis.ts';
import { findRedisServer, startRedisServer } from '../../src/sandbox/redis/server.ts';
import { writeAndKill } from '../support/killed-redis.ts';
import { isRedisServerMissing } from '../support/redis.ts';

const binary = findRedisServer() ?? '';
let folder: string;
const cleanUp: (() => Promise<void>)[] = [];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'redis-server-')));
});

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
  rmSync(folder, { recursive: true, force: true });
});

async function start(where = folder) {
  const server = await startRedisServer(binary, where);
  cleanUp.push(server.stop);
  return server;
}

async function open(prefer?: 'server' | 'engine'): Promise<SandboxRedis> {
  const redis = await openRedis({
    folder,
    token: 't',
    clock: systemClock,
    ...(prefer === undefined ? {} : { prefer }),
  });
  cleanUp.push(redis.stop);
  return redis;
}

async function ask(execute: Execute, ...command: string[]): Promise<unknown> {
  const [answer] = [await execute([command], 'each')].flat();
  return answer !== undefined && 'result' in answer ? answer.result : answer;
}

/** Process ids of the redis-servers that work in this folder. */
function serversIn(where: string): number[] {
  const pids = execFileSync('ps', ['-eo', 'pid=,comm=']).toString().split('\n');
  const servers = pids.filter((line) => line.includes('redis-server')).map((line) => Number.parseInt(line, 10));
  return servers.filter((pid) => {
    try {
      return realpathSync(`/proc/${pid}/cwd`) === where;
    } catch {
      return false;
    }
  });
}

describe.skipIf(isRedisServerMissing())('the sandbox’s redis-server', () => {
  test('keeps its data over a stop and a start, and leaves no process and no socket', async () => {
    const first = await start();
    expect(await ask(first.execute, 'SET', 'k', 'v')).toBe('OK');
    expect(serversIn(folder)).toEqual([first.pid]);
    await first.stop();
    await first.stop();
    expect(serversIn(folder)).toEqual([]);
    expect(readdirSync(folder)).not.toContain('redis.sock');
    const second = await start();
    expect(await ask(second.execute, 'GET', 'k')).toBe('v');
  });

  test('survives kill -9 of itself with everything acknowledged', async () => {
    const first = await start();
    for (let i = 1; i <= 500; i += 1) await ask(first.execute, 'RPUSH', 'all', `${i}`);
    process.kill(first.pid, 'SIGKILL');
    await expect.poll(() => serversIn(folder)).toEqual([]);
    await expect(first.execute([['PING']], 'each')).rejects.toThrow(RedisAway);
    await first.stop();
    expect(await ask((await start()).execute, 'LLEN', 'all')).toBe(500);
  });

  test('survives kill -9 of the sandbox, whose death it does not outlive', async () => {
    const acknowledged = await writeAndKill(folder, 'server', 500);
    await expect.poll(() => serversIn(folder), { timeout: 5_000 }).toEqual([]);
    const redis = await open();
    const last = Number(await ask(redis.execute, 'GET', 'last'));
    expect(last).toBeGreaterThanOrEqual(acknowledged);
    expect([await ask(redis.execute, 'LLEN', 'all'), await ask(redis.execute, 'DBSIZE')]).toEqual([last, last + 2]);
  });

  test('is never there twice: started again at once after kill -9, it has waited for the one before', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const acknowledged = await writeAndKill(folder, 'server', 50);
      const server = await startRedisServer(binary, folder);
      expect(serversIn(folder)).toEqual([server.pid]);
      expect(Number(await ask(server.execute, 'GET', 'last'))).toBeGreaterThanOrEqual(acknowledged);
      await server.stop();
    }
  });

  test('stops an orphan that its watch did not, and takes its data over', async () => {
    const orphan = await start();
    await ask(orphan.execute, 'SET', 'k', 'v');
    const second = await start();
    expect(serversIn(folder)).toEqual([second.pid]);
    expect(second.pid).not.toBe(orphan.pid);
    expect(await ask(second.execute, 'GET', 'k')).toBe('v');
  });

  test('ends an orphan that hangs', async () => {
    const orphan = await start();
    await ask(orphan.execute, 'SET', 'k', 'v');
    process.kill(orphan.pid, 'SIGSTOP');
    const second = await start();
    expect(serversIn(folder)).toEqual([second.pid]);
    expect(await ask(second.execute, 'GET', 'k')).toBe('v');
  });

  test('leaves the server of another folder alone, also when this one is a copy of it', async () => {
    const original = join(folder, 'original');
    const copy = join(folder, 'copy');
    const first = await start(original);
    await ask(first.execute, 'SET', 'k', 'v');
    cpSync(original, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const second = await start(copy);
    expect(serversIn(original)).toEqual([first.pid]);
    expect(existsSync(join(original, 'redis.sock'))).toBe(true);
    expect([await ask(first.execute, 'GET', 'k'), await ask(second.execute, 'GET', 'k')]).toEqual(['v', 'v']);
  });

  test('works in a folder whose path is too long for a socket, and cleans up its other place', async () => {
    const deep = join(folder, 'a'.repeat(60), 'with space and ü', 'b'.repeat(60));
    const places = () => readdirSync(tmpdir()).filter((name) => name.startsWith('email-ops-redis-'));
    const before = places().length;
    const server = await start(deep);
    expect(await ask(server.execute, 'SET', 'k', 'v')).toBe('OK');
    expect(places().length).toBe(before + 1);
    await server.stop();
    expect(places().length).toBe(before);
    expect(await ask((await start(deep)).execute, 'GET', 'k')).toBe('v');
  });

  test('says why it does not start, and leaves nothing running', async () => {
    mkdirSync(join(folder, 'appendonlydir'));
    writeFileSync(join(folder, 'appendonlydir', 'appendonly.aof.manifest'), 'nonsense\n');
    await expect(startRedisServer(binary, folder)).rejects.toThrow(/did not start: .*(manifest|AOF)/i);
    expect(serversIn(folder)).toEqual([]);
    await expect(startRedisServer('/nowhere/redis-server', join(folder, 'other'))).rejects.toThrow(RedisAway);
  });

  test('listens on no port and lets nobody else in', async () => {
    const server = await start();
    const config = (await ask(server.execute, 'CONFIG', 'GET', 'port')) as string[];
    expect(config).toEqual(['port', '0']);
    expect(
      execFileSync('stat', ['-c', '%a', join(folder, 'redis.sock')])
        .toString()
        .trim(),
    ).toBe('700');
  });

  test('is started again by the next command when it died under the running sandbox', async () => {
    const redis = await open();
    await ask(redis.execute, 'SET', 'k', 'v');
    for (let round = 1; round <= 2; round += 1) {
      process.kill(serversIn(folder)[0] ?? Number.NaN, 'SIGKILL');
      await expect.poll(() => serversIn(folder)).toEqual([]);
      const asked = () => ask(redis.execute, 'GET', 'k').catch(() => null);
      await expect
        .poll(async () => (await Promise.all([asked(), asked(), asked()])).at(-1), { timeout: 5_000 })
        .toBe('v');
      expect(serversIn(folder)).toHaveLength(1);
    }
    await redis.stop();
    expect(serversIn(folder)).toEqual([]);
    await expect(redis.execute([['PING']], 'each')).rejects.toThrow(RedisAway);
  });

  test('is chosen again for data that it kept, and the engine for data of the engine', async () => {
    const first = await open('engine');
    await ask(first.execute, 'SET', 'k', 'v');
    await first.stop();
    const second = await open();
    expect(second.engine).toBe('in-process');
    expect(await ask(second.execute, 'GET', 'k')).toBe('v');
    await second.stop();
    rmSync(folder, { recursive: true, force: true });
    const third = await open();
    expect(third.engine).toBe('redis-server');
    expect(existsSync(join(folder, 'appendonlydir'))).toBe(true);
  });
});
