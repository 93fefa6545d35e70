/**
 * A real redis-server for the sandbox: on a unix socket in its data folder, no TCP port, one at most. It dies with this
 * process, even when that is killed with -9, and keeps what it acknowledged.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createTcpTransport, type TcpTransport } from '../../data/redis-tcp.ts';
import { spawnWatched } from '../watched-process.ts';
import { type Answer, type Execute, RedisAway } from './execute.ts';
import { createSocketPath, endProcess, PID_FILE, removeSocket, stopOrphan } from './orphan.ts';

export interface RedisServer {
  readonly pid: number;
  readonly execute: Execute;
  /** False once it has ended, for whatever reason. */
  isRunning(): boolean;
  /** Stops it cleanly, by force after some seconds. Idempotent. */
  stop(): Promise<void>;
}

/** The redis-server on the PATH or where package managers put it, or null. */
export function findRedisServer(path = process.env.PATH ?? ''): string | null {
  const folders = [...path.split(delimiter), '/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];
  return folders.map((folder) => join(folder, 'redis-server')).find((file) => existsSync(file)) ?? null;
}

/** True when a redis-server has kept data in this folder before. */
export function hasServerData(folder: string): boolean {
  return existsSync(join(folder, 'appendonlydir')) || existsSync(join(folder, 'appendonly.aof'));
}

/**
 * Starts the server on the data in `folder` and waits until it answers. The caller holds the folder's lock, so a server
 * found here is an orphan of a start before and is stopped first.
 * @throws RedisAway when it does not come up in time; the message has the end of its log.
 */
export async function startRedisServer(binary: string, folder: string): Promise<RedisServer> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await stopOrphan(folder);
  const socketPath = createSocketPath(folder);
  const child = spawnServer(binary, folder, socketPath);
  const transport = createTcpTransport(socketPath, () => AbortSignal.timeout(COMMAND_DEADLINE_MS));
  let stopped: Promise<void> | undefined;
  const stop = (pid: number | null) => {
    stopped ??= stopChild(child, pid, transport).then(() => removeSocket(folder));
    return stopped;
  };
  try {
    const pid = await untilServing(child, transport, folder);
    return { pid, execute: executeOver(transport), isRunning: () => !hasEnded(child), stop: () => stop(pid) };
  } catch (error) {
    await stop(null);
    throw error;
  }
}

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 5_000;
const COMMAND_DEADLINE_MS = 10_000;

function spawnServer(binary: string, folder: string, socketPath: string): ChildProcess {
  const settings = {
    port: '0',
    unixsocket: socketPath,
    unixsocketperm: '700',
    dir: '.',
    appendonly: 'yes',
    // Handed to the system before each reply. With `everysec` a running fsync delays that up to 2 s, and kill -9 would lose
    // what was acknowledged; a power failure may lose seconds either way.
    appendfsync: 'no',
    save: '',
    databases: '1',
    daemonize: 'no',
    pidfile: PID_FILE,
    loglevel: 'warning',
    logfile: 'redis.log',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return spawnWatched(binary, args, { cwd: folder });
}

async function untilServing(child: ChildProcess, transport: TcpTransport, folder: string): Promise<number> {
  const deadline = Date.now() + START_DEADLINE_MS;
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  while (failed === undefined && !hasEnded(child) && Date.now() < deadline) {
    const pid = await processId(transport);
    if (pid !== null && (await isLoaded(transport))) return pid;
    await delay(10);
  }
  const why = failed?.message ?? logTail(folder);
  throw new RedisAway(`redis-server did not start: ${why}. Remove ${folder} to begin anew, or uninstall redis-server.`);
}

function logTail(folder: string): string {
  const path = join(folder, 'redis.log');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  return lines.slice(-3).join(' / ') || 'it said nothing';
}

/** The process id that the server behind the socket tells, or null while nobody answers. */
async function processId(transport: TcpTransport): Promise<number | null> {
  const info = await ask(transport, 'INFO', 'server');
  const pid = /^process_id:(\d+)/m.exec(String(info ?? ''))?.[1];
  return pid === undefined ? null : Number(pid);
}

async function isLoaded(transport: TcpTransport): Promise<boolean> {
  return (await ask(transport, 'PING')) === 'PONG';
}

async function ask(transport: TcpTransport, ...command: string[]): Promise<unknown> {
  try {
    return (await transport.send({ body: command })).result ?? null;
  } catch {
    // Not up yet, or no longer: whoever asks tries again until a deadline.
    return null;
  }
}

function executeOver(transport: TcpTransport): Execute {
  return async (commands, mode) => {
    try {
      const path = [mode === 'each' ? 'pipeline' : 'multi-exec'];
      return (await transport.send({ path, body: commands })) as unknown as Answer | readonly Answer[];
    } catch (cause) {
      throw new RedisAway('the sandbox’s redis-server does not answer', { cause });
    }
  };
}

async function stopChild(child: ChildProcess, pid: number | null, transport: TcpTransport): Promise<void> {
  await transport.close();
  // Closing its standard input tells the watch to end the server.
  child.stdin?.destroy();
  if (!hasEnded(child)) await Promise.race([once(child, 'exit'), delay(STOP_DEADLINE_MS, null, { ref: false })]);
  if (hasEnded(child)) return;
  for (const each of [pid, child.pid]) if (typeof each === 'number') await endProcess(each);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
