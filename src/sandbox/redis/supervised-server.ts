/** Keeps one redis-server running: when it died, the next command starts it again on its data. */
import { type Execute, RedisAway } from './execute.ts';
import { type RedisServer, startRedisServer } from './server.ts';

export interface SupervisedServer {
  /** Commands that were under way when the server died fail: whether they ran is unknown, so they are not repeated. */
  readonly execute: Execute;
  stop(): Promise<void>;
}

/** Starts the server; see {@link startRedisServer} for what it needs and throws. */
export async function superviseRedisServer(binary: string, folder: string): Promise<SupervisedServer> {
  let current = Promise.resolve(await startRedisServer(binary, folder));
  let isStopped = false;

  const running = async (): Promise<RedisServer> => {
    if (isStopped) throw new RedisAway('the sandbox’s Redis was stopped');
    const seen = current;
    const server = await seen.catch(() => null);
    // Whoever comes first starts it again; the others, and the next ones, wait for the same start.
    if (seen === current && (server === null || !server.isRunning())) current = restart(server);
    return current;
  };
  const restart = async (dead: RedisServer | null): Promise<RedisServer> => {
    await dead?.stop();
    return startRedisServer(binary, folder);
  };

  return {
    execute: async (commands, mode) => (await running()).execute(commands, mode),
    stop: async () => {
      isStopped = true;
      const server = await current.catch(() => null);
      await server?.stop();
    },
  };
}
