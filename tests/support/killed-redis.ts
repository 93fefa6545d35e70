/** Starts redis-child.ts, lets it write, kills it with -9 and tells what it had been promised. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Answers the highest number that was acknowledged before the kill, which comes after `writes` of them. */
export async function writeAndKill(folder: string, prefer: 'server' | 'engine', writes: number): Promise<number> {
  const script = fileURLToPath(new URL('redis-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, folder, prefer], { stdio: ['ignore', 'pipe', 'inherit'] });
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout)) {
    if (line !== 'ready') acknowledged = Number(line);
    if (acknowledged === writes) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return acknowledged;
}
