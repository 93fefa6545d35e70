/** What figures were measured on: cores, processor, memory, and the versions of what they depend on. */
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { findBinary, findPostgresFolder } from '../../tests/support/real-server.ts';

/** One line with today's date. */
export function machineLine(): string {
  const processors = cpus();
  const model = (processors[0]?.model ?? 'unknown').trim();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const today = new Date().toISOString().slice(0, 10);
  const versions = [`Node ${process.versions.node}`, postgresVersion(), redisVersion()].filter((each) => each !== null);
  return `Measured on ${today}: ${processors.length} cores (${model}), ${memory}, ${versions.join(', ')}.`;
}

function postgresVersion(): string | null {
  const folder = findPostgresFolder();
  if (folder === null) return null;
  const said = execFileSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' });
  return `PostgreSQL ${/\d+(\.\d+)*/.exec(said)?.[0] ?? 'unknown'}`;
}

function redisVersion(): string | null {
  const binary = findBinary(['redis-server']);
  if (binary === null) return null;
  return `Redis ${/v=(\S+)/.exec(execFileSync(binary, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'}`;
}
