/**
 * From the environment to the systems: reads the configuration, starts or joins the sandbox where there are no credentials,
 * and hands out connections. Whoever calls it disposes of it (`await using`).
 */

import type { Config, ConfigResult, Variables } from '../config.ts';
import type { RedisConnection } from '../data/redis.ts';
import type { Schedules } from '../data/schedules.ts';
import type { PartListener, SnapshotReader } from '../data/snapshot.ts';
import type { SupabaseConnection } from '../data/supabase.ts';
import { type Clock, systemClock } from '../domain/time.ts';
import type { JoinedSandbox, Progress } from '../sandbox/launcher.ts';
import { CommandError, ConfigError, EXIT } from './command.ts';
import type { Io } from './io.ts';
import { progressLine } from './sandbox-progress.ts';

export interface Systems extends AsyncDisposable {
  readonly config: Config;
  /** What the configuration was made from: the process environment, `.env`, and the sandbox's. */
  readonly variables: Variables;
  readonly clock: Clock;
  readonly redis: RedisConnection | null;
  readonly supabase: SupabaseConnection | null;
  readonly schedules: Schedules | null;
  /** Reads the whole picture from the connections above. `onPart` of the first call gets each part as it arrives. */
  snapshotReader(onPart?: PartListener): Promise<SnapshotReader>;
  /** The sandbox that this command holds, if it does. */
  readonly sandbox: JoinedSandbox | null;
}

export interface ConnectOptions {
  readonly environment: Variables;
  /** Ends waiting for the sandbox at once. */
  readonly signal: AbortSignal;
  /** Where `.env` is looked for; the working folder unless told. */
  readonly folder?: string;
  /** How far the sandbox is with starting; without it a line on stderr says so. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Connects to what is configured, or to the sandbox when nothing is. Nothing is sent yet. @throws ConfigError, SandboxError, and the signal's reason */
export async function connectSystems(io: Io, options: ConnectOptions): Promise<Systems> {
  // Late, and with it the schemas: `--help` of a command needs neither.
  const { isEmpty, loadConfig, readEnvironment } = await import('../config.ts');
  const { environment, problems } = readEnvironment(options.folder ?? process.cwd(), options.environment);
  const own = configOrThrow(loadConfig(environment), problems);
  if (!isEmpty(own)) return open({ config: own, variables: environment, sandbox: null });
  const sandbox = await joinSandbox(io, options);
  const variables = { ...environment, ...sandbox.environment };
  try {
    return await open({ config: configOrThrow(loadConfig(variables)), variables, sandbox });
  } catch (error) {
    await sandbox.leave();
    throw error;
  }
}

/** The connection, or an error that says which variables it takes. */
export function needSupabase({ supabase }: Systems): SupabaseConnection {
  if (supabase !== null) return supabase;
  throw new CommandError(
    'The queue is in Postgres, which is not configured. Set NEXT_PUBLIC_SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY in the environment or in .env',
    { exitCode: EXIT.unreachable },
  );
}

/** The connection, or an error that says which variables it takes. */
export function needRedis({ redis }: Systems): RedisConnection {
  if (redis !== null) return redis;
  throw new CommandError(
    'The lock and the alerts are in Redis, which is not configured. Set KV_REST_API_URL and KV_REST_API_TOKEN, or REDIS_URL, in the environment or in .env',
    { exitCode: EXIT.unreachable },
  );
}

function configOrThrow(result: ConfigResult, problems: readonly string[] = []): Config {
  const all = result.ok ? problems : [...problems, ...result.problems];
  if (!result.ok || all.length > 0) throw new ConfigError(all);
  return result.config;
}

async function joinSandbox(io: Io, { onProgress, signal }: ConnectOptions): Promise<JoinedSandbox> {
  const { joinOrStartSandbox } = await import('../sandbox/launcher.ts');
  if (onProgress !== undefined) return joinOrStartSandbox({ onProgress, signal });
  const progress = progressLine(io, 'No credentials set: starting the sandbox');
  return joinOrStartSandbox({ onProgress: progress.show, signal }).finally(progress.end);
}

async function open(parts: Pick<Systems, 'config' | 'variables' | 'sandbox'>): Promise<Systems> {
  const { config, sandbox } = parts;
  // Side by side: each SDK takes a while to load, and most of that is reading files.
  const [redis, supabase, schedules] = await Promise.all([openRedis(config), openSupabase(config), openQstash(config)]);
  const clock = systemClock;
  const { environment, worker } = config;
  const sources = { redis, supabase, qstash: schedules, clock, environment, lockSlots: worker.slots };
  let reader: SnapshotReader | null = null;
  return {
    ...parts,
    clock,
    redis,
    supabase,
    schedules,
    snapshotReader: async (onPart) => {
      const { createSnapshotReader } = await import('../data/snapshot.ts');
      reader ??= createSnapshotReader(onPart === undefined ? sources : { ...sources, onPart });
      return reader;
    },
    [Symbol.asyncDispose]: async () => {
      reader?.close();
      await Promise.allSettled([redis?.close(), supabase?.close()]);
      await sandbox?.leave();
    },
  };
}

/** The sandbox is all systems in one process, whose database answers nobody else while it works: slow there is not gone. */
const SANDBOX_PATIENCE = { timeoutMs: 10_000 } as const;

async function openRedis({ redis, environment }: Config): Promise<RedisConnection | null> {
  if (redis === null) return null;
  const { connectRedis } = await import('../data/redis.ts');
  return connectRedis(redis, environment.isSandbox ? SANDBOX_PATIENCE : {});
}

async function openSupabase({ supabase, environment }: Config): Promise<SupabaseConnection | null> {
  if (supabase === null) return null;
  const { connectSupabase } = await import('../data/supabase.ts');
  return connectSupabase({ ...supabase, ...(environment.isSandbox ? SANDBOX_PATIENCE : {}) });
}

async function openQstash({ qstash }: Config): Promise<Schedules | null> {
  if (qstash === null) return null;
  const { createSchedules } = await import('../data/schedules.ts');
  return createSchedules({ token: qstash.token, ...(qstash.url === null ? {} : { url: qstash.url }) });
}
