/** A throwaway redis-server on a free port and a unix socket, without persistence. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis } from '../../src/data/redis.ts';
import { spawnWatched } from '../../src/sandbox/watched-process.ts';
import { findBinary, isMissing } from './real-server.ts';

export interface RedisServer {
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly socketPath: string;
  stop(): Promise<void>;
}

/** For `describe.skipIf`: true where there is no redis-server; with `CI=true` that is an error instead. */
export function isRedisServerMissing(): boolean {
  return isMissing('redis-server', findBinary(['redis-server']));
}

/**
 * Starts a server and waits until it answers. `port` starts it again where one was stopped before; `args` are added to its
 * command line, for example `['--requirepass', 'secret']` with `password`.
 */
export async function startRedisServer(
  options: { port?: number; args?: readonly string[]; password?: string } = {},
): Promise<RedisServer> {
  const binary = findBinary(['redis-server']);
  if (binary === null) throw new Error('redis-server is not installed.');
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = options.port ?? (await freePort());
  const socketPath = join(folder, 's');
  const settings = ['--bind', '127.0.0.1', '--port', `${port}`, '--unixsocket', socketPath, '--dir', folder];
  const quiet = ['--pidfile', join(folder, 'pid'), '--save', '', '--appendonly', 'no', '--loglevel', 'warning'];
  const child = spawnWatched(binary, [...settings, ...quiet, ...(options.args ?? [])], { cwd: folder });
  const stop = async () => {
    await stopChild(child, join(folder, 'pid'));
    rmSync(folder, { recursive: true, force: true });
  };
  const login = options.password === undefined ? '' : `:${options.password}@`;
  const url = `redis://${login}127.0.0.1:${port}`;
  await untilAnswering(url, stop);
  return { url, port, socketPath, stop };
}

async function untilAnswering(url: string, stop: () => Promise<void>): Promise<void> {
  const redis = connectRedis({ kind: 'tcp', url });
  const deadline = Date.now() + 10_000;
  try {
    for (;;) {
      try {
        await redis.client.ping();
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  } catch (error) {
    await stop();
    throw error;
  } finally {
    await redis.close();
  }
}

async function stopChild(child: ChildProcess, pidFile: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  // At once: nothing of it is worth keeping, and a busy script would hold SIGTERM up.
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : child.pid;
  process.kill(pid, 'SIGKILL');
  await exited;
}

/** A port of 127.0.0.1 that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('No port was given.');
  return address.port;
}
