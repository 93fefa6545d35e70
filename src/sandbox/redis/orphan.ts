/**
 * Finding and ending the redis-server that a killed sandbox left behind. A process is ours only when its command line names
 * this folder's own socket: process ids are reused, and folders are copied.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Kernels limit socket paths to 104 (macOS) or 108 bytes, the closing zero included. */
const MAX_SOCKET_PATH_BYTES = 103;

/** Where redis-server writes its process id, relative to its data folder. */
export const PID_FILE = 'redis.pid';

/** Chooses a place for the socket: in the folder where its path is short enough, else in a private temporary folder. */
export function createSocketPath(folder: string): string {
  const { inFolder, temporary } = socketPlace(folder);
  return inFolder ?? join(mkdtempSync(join(tmpdir(), temporary)), 'redis.sock');
}

/** Removes the socket, and temporary folders made for it at any start. */
export function removeSocket(folder: string): void {
  const { temporary } = socketPlace(folder);
  rmSync(join(folder, 'redis.sock'), { force: true });
  for (const name of readdirSync(tmpdir())) {
    if (name.startsWith(temporary)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** Ends a server that a start before left on this data, and waits until it is gone: two would destroy the data. */
export async function stopOrphan(folder: string): Promise<void> {
  const path = join(folder, PID_FILE);
  const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.NaN;
  if (Number.isInteger(pid) && pid > 1 && isServerOf(folder, pid)) await endProcess(pid);
  rmSync(path, { force: true });
  removeSocket(folder);
}

/** SIGTERM, then SIGKILL, after which nothing can write any more even if the process still waits to be reaped. */
export async function endProcess(pid: number): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGTERM', 5_000],
    ['SIGKILL', 1_000],
  ] as const) {
    if (!send(pid, signal)) return;
    const deadline = Date.now() + patienceMs;
    while (send(pid, 0) && Date.now() < deadline) await delay(10);
  }
}

/** False when there is no such process of ours. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function isServerOf(folder: string, pid: number): boolean {
  const { inFolder, temporary } = socketPlace(folder);
  const commandLine = commandLineOf(pid);
  return commandLine.includes('redis-server') && commandLine.includes(inFolder ?? temporary);
}

function commandLineOf(pid: number): string {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'args=', '-p', `${pid}`], { encoding: 'utf8', timeout: 2_000 });
  } catch {
    // No such process.
    return '';
  }
}

/** The socket's path where it is short enough, and the beginning of the temporary folder's name otherwise. */
function socketPlace(folder: string): { inFolder: string | null; temporary: string } {
  const path = join(realpathSync(folder), 'redis.sock');
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 16);
  const isShort = Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
  return { inFolder: isShort ? path : null, temporary: `email-ops-redis-${digest}-` };
}
