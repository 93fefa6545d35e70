/** The console's eyes during an experiment: it reads snapshots as the dashboard does, through the same faults. */
import { setTimeout as delay } from 'node:timers/promises';
import { connectRedis } from '../../../src/data/redis.ts';
import { createSnapshotReader } from '../../../src/data/snapshot.ts';
import { connectSupabase } from '../../../src/data/supabase.ts';
import { systemClock } from '../../../src/domain/time.ts';
import { verdictOf } from '../../../src/domain/verdict.ts';
import type { Timing } from './settings.ts';
import { watchStalls } from './stalls.ts';
import type { World } from './world.ts';

export interface ConsoleWatch {
  /** Resolves when the verdict says it within two refreshes that begin from now on; rejects with what it said instead. */
  expect(words: RegExp): Promise<void>;
  /** Answers what must not have been: that it fell over, and refreshes that took too long. */
  stop(): Promise<{ readonly falls: readonly string[]; readonly slow: readonly string[] }>;
}

const REFRESHES = 2;
/** The longest of the console's own timeouts, 5 s for Postgres, and some. */
const LONGEST_REFRESH_MS = 6_500;

export function watchConsole(world: World, timing: Timing): ConsoleWatch {
  const redis = connectRedis({ kind: 'rest', url: world.proxies.redis.urlFor('console'), token: world.key });
  const supabase = connectSupabase({ url: world.proxies.postgres.urlFor('console'), serviceRoleKey: world.key });
  const reader = createSnapshotReader({
    redis,
    supabase,
    qstash: null,
    clock: systemClock,
    environment: { name: 'chaos', isSandbox: false },
  });
  const falls: string[] = [];
  const slow: string[] = [];
  const listeners = new Set<(said: string) => void>();
  const stalls = watchStalls();
  let isStopped = false;
  const loop = async () => {
    while (!isStopped) {
      const heard = [...listeners];
      const startedAtMs = performance.now();
      const stalledMs = stalls.totalMs();
      try {
        const said = verdictOf(await reader.read()).reasons.map(({ text }) => text);
        for (const listener of heard) listener(said.join(' · '));
      } catch (error) {
        falls.push(`the console fell over: ${String(error)}`);
      }
      const tookMs = performance.now() - startedAtMs - (stalls.totalMs() - stalledMs);
      if (tookMs > LONGEST_REFRESH_MS) slow.push(`a refresh of the console took ${Math.round(tookMs)} ms`);
      await delay(timing.refreshMs);
    }
  };
  const running = loop();
  return {
    expect: (words) =>
      new Promise((resolve, reject) => {
        const heard: string[] = [];
        const listener = (said: string) => {
          heard.push(said);
          const isNamed = words.test(said);
          if (!isNamed && heard.length < REFRESHES) return;
          listeners.delete(listener);
          if (isNamed) resolve();
          else reject(new Error(`the console said '${heard.at(-1)}' instead of ${words}`));
        };
        listeners.add(listener);
      }),
    stop: async () => {
      isStopped = true;
      await running;
      stalls.stop();
      reader.close();
      await Promise.all([redis.close(), supabase.close()]);
      return { falls, slow };
    },
  };
}
