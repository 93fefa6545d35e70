/**
 * A console left open: the real reader against the real servers, and the dashboard's own reducer, which decides when it is read
 * again. Its clock is moved on by the second, so an hour takes seconds; what comes due in that second is really done.
 */
import { createSnapshotReader, type SnapshotReader } from '../../src/data/snapshot.ts';
import { goodForMs } from '../../src/domain/cadence.ts';
import { EXPECTED_SCHEDULES } from '../../src/domain/schedule.ts';
import { HOUR_MS, SECOND_MS } from '../../src/domain/time.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { initialState, type State, type UiEvent } from '../../src/ui/state.ts';
import { type Counts, run, type World } from './world.ts';

export interface Hours {
  readonly hours: number;
  /**
   * `always`: one in every half minute; `two-hours`: so from the ninth hour to the eleventh; `before`: the last one was just
   * before; `never`: the last was an hour before.
   */
  readonly keys: 'always' | 'two-hours' | 'before' | 'never';
  /** `qstash`: each run is a message that is remembered. Null: no worker runs. */
  readonly workers: 'embedded' | 'qstash' | null;
  /** Something is wrong all the time. */
  readonly isIncident?: boolean;
  /** As it would be without the cadence: everything, every five seconds. */
  readonly isNaive?: boolean;
}

const KEY_EVERY_SECONDS = 30;

export interface Watched extends Counts {
  readonly refreshes: number;
  /** Of Redis, what the looking took; the rest are the workers'. */
  readonly lookingRedis: number;
  readonly lookingPostgres: number;
}

/** Where nobody presses keys, it begins with a console that has been left alone for an hour. */
export async function watch(world: World, hours: Hours): Promise<Watched> {
  await prepare(world, hours);
  const console_ = openConsole(world, hours);
  let [lookingRedis, lookingPostgres] = [0, 0];
  const looked = async (work: () => Promise<unknown>) => {
    const [redis, postgres] = [world.redis.usage().commands, world.supabase.usage().requests];
    await work();
    lookingRedis += world.redis.usage().commands - redis;
    lookingPostgres += world.supabase.usage().requests - postgres;
  };
  const before = console_.refreshes();
  const counts = await world.counted(async () => {
    const beganAtEpochMs = world.clock.nowEpochMs();
    for (let second = 1; second <= hours.hours * 3_600; second += 1) {
      world.clock.advance(SECOND_MS);
      if (hours.workers !== null) await runDue(world, hours.workers, second);
      const isKey = second % KEY_EVERY_SECONDS === 0 && isUsed(hours.keys, second);
      await looked(() => console_.second(isKey));
    }
    if (world.clock.nowEpochMs() - beganAtEpochMs !== hours.hours * HOUR_MS)
      throw new Error('The clock went its own way.');
  });
  console_.close();
  return { ...counts, refreshes: console_.refreshes() - before, lookingRedis, lookingPostgres };
}

async function prepare(world: World, { isIncident }: Hours): Promise<void> {
  await world.stack.reset();
  if (isIncident === true) {
    const at = new Date(world.clock.nowEpochMs()).toISOString();
    await world.stack.redis.client.lpush('email:alerts:critical', `CRITICAL: brevo is down [${at}]`);
  }
  for (const { worker } of EXPECTED_SCHEDULES) await run(world, worker);
}

async function runDue(world: World, by: 'embedded' | 'qstash', second: number): Promise<void> {
  for (const { worker, intervalMs } of EXPECTED_SCHEDULES) {
    if ((second * SECOND_MS) % intervalMs !== 0) continue;
    if (by === 'embedded') await run(world, worker);
    else {
      const id = `msg-${worker}-${world.clock.nowEpochMs()}`;
      if ((await world.deliveries.claim(id)) !== 'claimed') throw new Error(`${id} was claimed before.`);
      await run(world, worker);
      await world.deliveries.done(id);
    }
  }
}

/** The dashboard without its screen. */
function openConsole(world: World, { keys, isNaive }: Hours) {
  const { redis, supabase, clock } = world;
  const environment = { name: 'production', isSandbox: false };
  const reader: SnapshotReader = createSnapshotReader({ redis, supabase, qstash: null, clock, environment });
  const openedAtEpochMs = clock.nowEpochMs() - (wasLeft(keys) ? HOUR_MS : 0);
  let refreshes = 0;
  let lastEpochMs = Number.NEGATIVE_INFINITY;
  let state: State = initialState({
    size: { columns: 120, rows: 36 },
    look: { theme: 'dark', ascii: false },
    nowEpochMs: openedAtEpochMs,
    cadence: isNaive === true ? { kind: 'fixed', intervalMs: 5 * SECOND_MS } : { kind: 'adaptive' },
    readOnly: null,
    isSafe: false,
    hasBell: false,
    operator: 'bench@bench',
    environment,
  });
  const dispatch = (event: UiEvent) => {
    [state] = reduce(state, event);
  };
  return {
    refreshes: () => refreshes,
    close: () => reader.close(),
    second: async (isKey: boolean) => {
      const nowEpochMs = clock.nowEpochMs();
      dispatch({ type: 'tick', nowEpochMs });
      if (isKey) dispatch({ type: 'input', input: { kind: 'key', key: 'f12' } });
      if (nowEpochMs - lastEpochMs < state.refreshMs) return;
      lastEpochMs = nowEpochMs;
      refreshes += 1;
      const snapshot = await reader.read(undefined, { goodForMs: isNaive === true ? 0 : goodForMs(state.refreshMs) });
      dispatch({ type: 'read', snapshot });
      // What was known before the first look was an hour old as well.
      if (refreshes === 1 && wasLeft(keys)) state = { ...state, verdictSinceEpochMs: openedAtEpochMs };
    },
  };
}

function isUsed(keys: Hours['keys'], second: number): boolean {
  return keys === 'always' || (keys === 'two-hours' && second > 9 * 3_600 && second <= 11 * 3_600);
}

function wasLeft(keys: Hours['keys']): boolean {
  return keys === 'never' || keys === 'two-hours';
}
