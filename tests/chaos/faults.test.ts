/** Each fault alone, in short form: nothing lost, nothing doubled, every count right, the console up and telling what is wrong. */
import { afterAll, describe, expect, test } from 'vitest';
import { isMailStackMissing } from '../support/mail-stack.ts';
import { carryOut } from './lib/carry-out.ts';
import { alone, FAULT_GROUPS } from './lib/plan.ts';
import { createWorldPool } from './lib/world-pool.ts';

/** They wait for a free world, too: the last one for all the others. */
const TIMEOUT_MS = 3_600_000;

describe.skipIf(isMailStackMissing())('under one fault', () => {
  const worlds = createWorldPool(4);
  afterAll(() => worlds.stop());

  describe.each(Object.keys(FAULT_GROUPS))('of %s', (group) => {
    for (const fault of FAULT_GROUPS[group] ?? []) {
      test.concurrent(fault.name, { timeout: TIMEOUT_MS }, async () => {
        const { violations, judgement, log } = await carryOut(worlds, alone(fault));
        expect(violations, log.slice(-30).join('\n')).toEqual([]);
        expect(judgement.delivered + judgement.deadLettered).toBe(judgement.enqueued);
      });
    }
  });
});
