/** The console for 24 simulated hours of incidents: it holds on to nothing, complains of nothing, and leaves the terminal clean. */
import { expect, test } from 'vitest';
import { isTmuxMissing } from '../support/tmux.ts';
import { holdings, soak } from './lib/soak.ts';

const HOURS = Number(process.env.CHAOS_SOAK_HOURS ?? 24);

test.skipIf(isTmuxMissing())(
  `${HOURS} simulated hours of the console`,
  { timeout: 600_000 + HOURS * 6_000 },
  async () => {
    const { samples, end } = await soak(HOURS);
    expect(samples.flatMap(({ complaints }) => complaints)).toEqual([]);
    const { early, late } = holdings(samples);
    expect(late.heapMb).toBeLessThan(early.heapMb * 1.25 + 8);
    expect(late.handles).toBeLessThanOrEqual(early.handles + 10);
    expect(late.listeners).toBeLessThanOrEqual(early.listeners + 2);
    expect(end).toEqual({ alternate: false, cursor: true, mouse: false, exitCode: 0 });
  },
);
