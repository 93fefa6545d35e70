/** The sandbox's Redis: a real redis-server where one is installed, else the engine in this process, behind Upstash's REST API. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../domain/time.ts';
import { type Bridge, createUpstashBridge } from './bridge.ts';
import type { Execute } from './execute.ts';
import { findRedisServer, hasServerData } from './server.ts';
import { superviseRedisServer } from './supervised-server.ts';

export interface OpenRedisOptions {
  /** Where the data is kept. The caller holds it alone (see folder-lock.ts). */
  readonly folder: string;
  /** What callers must show as bearer token. */
  readonly token: string;
  /** Time of the in-process engine. A redis-server has its own. */
  readonly clock: Clock;
  /** For tests: insists on one of the two. */
  readonly prefer?: 'server' | 'engine';
  readonly onProgress?: (step: string) => void;
}

export interface SandboxRedis {
  /** The REST API; the caller strips the path under which it is mounted. */
  readonly fetch: Bridge;
  /** The same commands without HTTP, for the sandbox's own parts. */
  readonly execute: Execute;
  readonly engine: 'redis-server' | 'in-process';
  /** Ends it with everything kept. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Opens the Redis of this folder. The engine that kept the folder's data before is taken again, because neither reads the
 * other's; for an empty folder, a redis-server is preferred.
 */
export async function openRedis(options: OpenRedisOptions): Promise<SandboxRedis> {
  const { folder, token, clock, onProgress = () => {} } = options;
  const binary = options.prefer === 'engine' ? null : findRedisServer();
  if (options.prefer === 'server' && binary === null) throw new Error('redis-server is not installed.');
  const journalPath = join(folder, 'engine.jsonl');

  if (binary !== null && (options.prefer === 'server' || !existsSync(journalPath) || hasServerData(folder))) {
    onProgress('starting redis-server');
    const server = await superviseRedisServer(binary, folder);
    return serving('redis-server', server.execute, server.stop, token);
  }
  onProgress(
    hasServerData(folder) ? 'redis-server is gone and its data with it: starting empty' : 'starting the Redis engine',
  );
  // Loaded here: with a redis-server none of it is needed.
  const { openEngine } = await import('./engine.ts');
  const engine = await openEngine({ journalPath, clock });
  return serving('in-process', engine.execute, engine.stop, token);
}

function serving(
  engine: SandboxRedis['engine'],
  execute: Execute,
  stop: () => Promise<void>,
  token: string,
): SandboxRedis {
  return { fetch: createUpstashBridge({ execute, token }), execute, engine, stop };
}
