/**
 * A real redis-server for the sandbox: on a unix socket in its data folder, no TCP port, one at most. It dies with this
 * process, even when that is killed with -9, and keeps what it acknowledged.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createTcpTransport, type TcpTransport } from '../../data/redis-tcp.ts';
import { type Answer, type Execute, RedisAway } from './execute.ts';

export interface RedisServer {
  readonly pid: number;
  readonly execute: Execute;
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
  const socketPath = chooseSocketPath(folder);
  // Before the start, so that a kill at any moment leaves a trace of where to look.
  writeFileSync(socketRecord(folder), socketPath, { mode: 0o600 });
  const child = spawnWatched(binary, folder, socketPath);
  const transport = createTcpTransport(socketPath, () => AbortSignal.timeout(COMMAND_DEADLINE_MS));
  let stopped: Promise<void> | undefined;
  const stop = (pid: number | null) => {
    stopped ??= stopChild(child, pid, transport).then(() => forgetSocket(folder, socketPath));
    return stopped;
  };
  try {
    const pid = await untilServing(child, transport, folder);
    return { pid, execute: executeOver(transport), stop: () => stop(pid) };
  } catch (error) {
    await stop(null);
    throw error;
  }
}

const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 5_000;
const COMMAND_DEADLINE_MS = 10_000;
/** Kernels limit socket paths to 104 (macOS) or 108 bytes, the closing zero included. */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * Runs its arguments and ends them when standard input closes: the kernel closes our end of the pipe however we die.
 * A server that ends by itself ends the watch, so that no other process that got its id is ever signalled.
 */
const WATCH = `exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
( read -r _ <&3; kill -TERM $server ) 2>/dev/null &
watch=$!
exec 3<&-
wait $server
status=$?
kill $watch 2>/dev/null
exit $status`;

function spawnWatched(binary: string, folder: string, socketPath: string): ChildProcess {
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
    loglevel: 'warning',
    logfile: 'redis.log',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  // Its own group: Ctrl-C in the terminal is for us, the server stops when we say so.
  return spawn('/bin/sh', ['-c', WATCH, 'sh', binary, ...args], {
    cwd: folder,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
}

async function untilServing(child: ChildProcess, transport: TcpTransport, folder: string): Promise<number> {
  const deadline = Date.now() + START_DEADLINE_MS;
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  while (failed === undefined && child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
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
  child.stdin?.destroy();
  const isGone = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  if (!isGone()) await Promise.race([once(child, 'exit'), delay(STOP_DEADLINE_MS, null, { ref: false })]);
  if (isGone()) return;
  for (const each of [pid, child.pid ?? null]) if (each !== null) kill(each);
  await once(child, 'exit');
}

/** Stops a server that a killed process left behind, and waits until it is gone: two on the same data would destroy it. */
async function stopOrphan(folder: string): Promise<void> {
  if (!existsSync(socketRecord(folder))) return;
  const socketPath = readFileSync(socketRecord(folder), 'utf8');
  if (existsSync(socketPath)) {
    const transport = createTcpTransport(socketPath, () => AbortSignal.timeout(STOP_DEADLINE_MS));
    const pid = (await isServing(transport, folder)) ? await processId(transport) : null;
    if (pid !== null) {
      await ask(transport, 'SHUTDOWN');
      await untilDead(pid);
    }
    await transport.close();
  }
  forgetSocket(folder, socketPath);
}

/** Whether the server behind the socket is the one of this folder. */
async function isServing(transport: TcpTransport, folder: string): Promise<boolean> {
  const answer = await ask(transport, 'CONFIG', 'GET', 'dir');
  return Array.isArray(answer) && answer[1] === realpathSync(folder);
}

/** Asks nicely first. After SIGKILL nothing can write any more, even while the process still waits to be reaped. */
async function untilDead(pid: number): Promise<void> {
  for (const end of [Date.now() + STOP_DEADLINE_MS, Date.now() + STOP_DEADLINE_MS + 1_000]) {
    while (isAlive(pid) && Date.now() < end) await delay(10);
    if (!isAlive(pid)) return;
    kill(pid);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already, which is what was wanted.
  }
}

function socketRecord(folder: string): string {
  return join(folder, 'redis.socket');
}

/** In the folder where its path is short enough, else in a private temporary one. */
function chooseSocketPath(folder: string): string {
  const inFolder = join(realpathSync(folder), 'redis.sock');
  if (Buffer.byteLength(inFolder) <= MAX_SOCKET_PATH_BYTES) return inFolder;
  return join(mkdtempSync(join(tmpdir(), SOCKET_FOLDER)), 'redis.sock');
}

const SOCKET_FOLDER = 'email-ops-redis-';

function forgetSocket(folder: string, socketPath: string): void {
  rmSync(socketPath, { force: true });
  if (dirname(socketPath).startsWith(join(tmpdir(), SOCKET_FOLDER)))
    rmSync(dirname(socketPath), { recursive: true, force: true });
  rmSync(socketRecord(folder), { force: true });
}
