/**
 * Random combinations of faults, each repeatable by its number: `CHAOS_RUNS` of them (25 unless told) from `CHAOS_SEED` (1)
 * on. One alone: `npm run chaos -- --seed 17 --runs 1`.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { isMailStackMissing } from '../support/mail-stack.ts';
import { carryOut } from './lib/carry-out.ts';
import { combination } from './lib/plan.ts';
import { createWorldPool } from './lib/world-pool.ts';

const RUNS = Number(process.env.CHAOS_RUNS ?? 25);
const FIRST = Number(process.env.CHAOS_SEED ?? 1);
const TIMEOUT_MS = 3_600_000;

describe.skipIf(isMailStackMissing())('under several faults at random', () => {
  const worlds = createWorldPool(4);
  afterAll(() => worlds.stop());

  for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
    const experiment = combination(seed);
    test.concurrent(experiment.name, { timeout: TIMEOUT_MS }, async () => {
      const { violations, judgement, log } = await carryOut(worlds, experiment);
      expect(violations, log.slice(-30).join('\n')).toEqual([]);
      expect(judgement.delivered + judgement.deadLettered).toBe(judgement.enqueued);
    });
  }
});
