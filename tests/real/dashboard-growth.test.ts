/** Hours of a dashboard in a minute: what it holds in memory must not grow with them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { frameOf } from '../../src/ui/frame.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { createScreen } from '../../src/ui/screen.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import { calmSnapshot, connected, incidentSnapshot, keys, pausedSnapshot } from '../support/dashboard.ts';

const SNAPSHOTS = [calmSnapshot(), incidentSnapshot(), pausedSnapshot()];
const REFRESHES = 10_000;
const REFRESH_MS = 5_000;

it('holds no more after 10,000 refreshes than after 1,000', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let state: State = connected(calmSnapshot());
  const screen = createScreen({ size: state.size, write: () => undefined, isSynchronised: true });
  const happen = (...events: readonly UiEvent[]) => {
    for (const event of events) {
      [state] = reduce(state, event);
      screen.show(frameOf(state), state.look);
    }
  };
  const heapMb = () => {
    collect();
    return process.memoryUsage().heapUsed / 1e6;
  };
  let before = Number.NaN;
  for (let index = 1; index <= REFRESHES; index += 1) {
    const snapshot = SNAPSHOTS[index % SNAPSHOTS.length] ?? calmSnapshot();
    const takenAtEpochMs = snapshot.takenAtEpochMs + index * REFRESH_MS;
    happen({ type: 'tick', nowEpochMs: takenAtEpochMs }, { type: 'read', snapshot: { ...snapshot, takenAtEpochMs } });
    // Dialogs and views come and go too.
    if (index % 100 === 0) happen(...keys('?', 'x', ':', 'escape', 'z', 'z', 'c', 'tab'));
    // The screen library writes with the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (index === 1_000) before = heapMb();
  }
  const grown = heapMb() - before;
  screen.destroy();
  expect(grown).toBeLessThan(1.5);
}, 180_000);
