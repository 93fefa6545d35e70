/**
 * A process that opens the sandbox's Redis in the folder of its first argument and counts as fast as it can, telling each
 * acknowledged number on its standard output. For tests that kill it.
 */
import { systemClock } from '../../src/domain/time.ts';
import { openRedis } from '../../src/sandbox/redis/redis.ts';

const [folder = '', prefer = ''] = process.argv.slice(2);
const redis = await openRedis({
  folder,
  token: 't',
  clock: systemClock,
  prefer: prefer === 'server' ? 'server' : 'engine',
});
/** Waits until it is out: what only queues in here would never leave a loop that never rests. */
const tell = (line: string) => new Promise((told) => process.stdout.write(`${line}\n`, told));
await tell('ready');
for (let i = 1; ; i += 1) {
  await redis.execute(
    [
      ['SET', 'last', `${i}`],
      ['RPUSH', 'all', `${i}`],
      ['SET', `mine:${i}`, 'x', 'EX', '1000'],
    ],
    'atomic',
  );
  await tell(`${i}`);
}
