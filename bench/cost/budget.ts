/** `watch --budget` as a process of its own, in real time, counted at a Redis server: does it keep to what it was given? */
import { setTimeout as delay } from 'node:timers/promises';
import { startCli } from '../../tests/support/cli.ts';
import { startRedisServer } from '../../tests/support/redis.ts';
import { startRedisMeter } from './redis-meter.ts';

export interface Kept {
  readonly perMinute: number;
  readonly seconds: number;
  /** In the worst sixty seconds, wherever they began. */
  readonly worstMinute: number;
  readonly refreshes: number;
}

const SAMPLE_MS = 500;
const MINUTE_SAMPLES = 60_000 / SAMPLE_MS;

export async function measureBudget(perMinute: number, seconds: number): Promise<Kept> {
  await using stack = new AsyncDisposableStack();
  const server = await startRedisServer();
  stack.defer(server.stop);
  const meter = stack.use(await startRedisMeter(server.port));
  const cli = startCli(['watch', '--json', '--budget', `${perMinute}/minute`], { env: { REDIS_URL: meter.url } });
  stack.defer(async () => {
    cli.child.kill('SIGTERM');
    await cli.finished();
  });
  await cli.untilStdout(/\n/);
  const samples = [0];
  for (let taken = 0; taken < (seconds * 1_000) / SAMPLE_MS; taken += 1) {
    samples.push((await meter.read()).sent);
    await delay(SAMPLE_MS);
  }
  const minutes = samples.map((sent, index) => sent - (samples[Math.max(0, index - MINUTE_SAMPLES)] ?? 0));
  return { perMinute, seconds, worstMinute: Math.max(...minutes), refreshes: cli.stdout().trim().split('\n').length };
}
