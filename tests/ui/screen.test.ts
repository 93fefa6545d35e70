import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SECOND_MS } from '../../src/domain/time.ts';
import { frameOf } from '../../src/ui/frame.ts';
import { reduce } from '../../src/ui/reduce.ts';
import { createScreen } from '../../src/ui/screen.ts';
import type { State, UiEvent } from '../../src/ui/state.ts';
import {
  calmSnapshot,
  connected,
  failedSnapshot,
  incidentSnapshot,
  keys,
  pausedSnapshot,
} from '../support/dashboard.ts';
import { createHeadlessTerminal } from '../support/headless-terminal.ts';
import { draw } from '../support/screens.ts';
import { NOON } from '../support/snapshot.ts';

const SNAPSHOTS = [calmSnapshot(), incidentSnapshot(), pausedSnapshot(), failedSnapshot()];
/** Views, dialogs over them, a chart that is zoomed, and what is under a dialog changing. */
const KEYS = ['1', '2', '3', '4', '5', '6', '?', 'down', 'p', ':', 'escape', 'z', 'enter', 'space', 'a', 'e'];

const event = fc.oneof(
  fc.constantFrom(...KEYS).map((key) => keys(key)),
  fc.nat(90).map((seconds): UiEvent[] => [{ type: 'tick', nowEpochMs: NOON + seconds * SECOND_MS }]),
  fc.constantFrom(...SNAPSHOTS).map((snapshot): UiEvent[] => [{ type: 'read', snapshot }]),
);

it('whatever happened before, a screen shows what a new one would', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), async (steps) => {
      let state: State = connected(calmSnapshot());
      const terminal = createHeadlessTerminal(state.size);
      const screen = createScreen({ size: state.size, write: terminal.write, isSynchronised: true });
      screen.show(frameOf(state), state.look);
      for (const events of steps) {
        for (const each of events) [state] = reduce(state, each);
        screen.show(frameOf(state), state.look);
      }
      await terminal.settle();
      const [anew] = await draw([state], (fresh) => ({ rows: fresh.rows(), looks: fresh.looks() }));
      expect({ rows: terminal.rows(), looks: terminal.looks() }).toEqual(anew);
      screen.destroy();
      terminal.dispose();
    }),
    { numRuns: 60 },
  );
}, 30_000);

it('sends nothing where nothing has changed', () => {
  const state = connected(calmSnapshot());
  let sent = '';
  const write = (bytes: string) => {
    sent += bytes;
  };
  const screen = createScreen({ size: state.size, write, isSynchronised: true });
  screen.show(frameOf(state), state.look);
  sent = '';
  screen.show(frameOf(state), state.look);
  expect(sent).toBe('');
  screen.forget();
  screen.show(frameOf(state), state.look);
  expect(sent.startsWith('\x1b[?2026h\x1b[m\x1b[2J')).toBe(true);
  expect(sent.endsWith('\x1b[?2026l')).toBe(true);
  screen.destroy();
});
