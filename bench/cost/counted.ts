/** What `--quick` holds of the costs: commands and requests of runs and looks, and of a piece of an hour watched. */
import { createSnapshotReader } from '../../src/data/snapshot.ts';
import { EXPECTED_SCHEDULES } from '../../src/domain/schedule.ts';
import { HOUR_MS } from '../../src/domain/time.ts';
import type { Counted } from '../section.ts';
import { watch } from './watching.ts';
import { openWorld, run, type World } from './world.ts';

export const counted: Counted = {
  name: 'cost',
  run: async () => {
    await using world = await openWorld();
    const figures: Record<string, number> = {};
    for (const { worker } of EXPECTED_SCHEDULES) {
      await run(world, worker);
      const { redis, postgres, functions } = await world.counted(() => run(world, worker));
      Object.assign(figures, {
        [`run.${worker}.redis`]: redis,
        [`run.${worker}.postgres`]: postgres,
        [`run.${worker}.functions`]: functions,
      });
    }
    // Its requests to Postgres hang on how fast the emails are sent.
    await world.stack.enqueue(100);
    const { redis, functions } = await world.counted(() => run(world, 'queue-processor'));
    Object.assign(figures, { 'run.100-emails.redis': redis, 'run.100-emails.functions': functions });
    Object.assign(figures, await countLooks(world));
    const alone = await watch(world, { hours: 0.5, keys: 'never', workers: 'embedded' });
    const inUse = await watch(world, { hours: 0.1, keys: 'always', workers: 'embedded' });
    return { ...figures, 'half-hour.alone.redis': alone.redis, 'six-minutes.in-use.redis': inUse.redis };
  },
};

async function countLooks({ redis, supabase, clock, counted: count }: World): Promise<Record<string, number>> {
  const environment = { name: 'production', isSandbox: false };
  const reader = createSnapshotReader({ redis, supabase, qstash: null, clock, environment });
  const first = await count(() => reader.read());
  const again = await count(() => reader.read(undefined, { goodForMs: HOUR_MS }));
  reader.close();
  return {
    'look.everything.redis': first.redis,
    'look.everything.postgres': first.postgres,
    'look.nothing-new.redis': again.redis,
  };
}
