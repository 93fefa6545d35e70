/** What `--quick` counts of a cycle: points looked at and rows held, however many there are. */
import type { Counted } from '../section.ts';
import { createListCycle } from './list.ts';
import { pointsLookedAt } from './series.ts';

export const counted: Counted = {
  name: 'cycle',
  run: async () => {
    const { tick, onePointMore } = pointsLookedAt(20_000);
    const list = createListCycle(1_000_000);
    const rowsHeld = list.rowsHeld();
    list.destroy();
    return {
      'points-looked-at-in-a-second': tick,
      'points-looked-at-with-one-more': onePointMore,
      'rows-held-of-a-million': rowsHeld,
    };
  },
};
