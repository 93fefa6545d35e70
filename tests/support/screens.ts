/** Draws a state into a headless terminal, through the real screen library. */
import { frameOf } from '../../src/ui/frame.ts';
import { createScreen } from '../../src/ui/screen.ts';
import type { State } from '../../src/ui/state.ts';
import { createHeadlessTerminal } from './headless-terminal.ts';

/** Several states one after the other on the same screen: what is left of an earlier one would be seen in the next. */
export async function draw<T>(
  states: readonly State[],
  look: (terminal: ReturnType<typeof createHeadlessTerminal>, index: number) => T,
): Promise<T[]> {
  const [first] = states;
  if (first === undefined) return [];
  const terminal = createHeadlessTerminal(first.size);
  const screen = createScreen({ size: first.size, write: terminal.write, isSynchronised: false });
  let { size } = first;
  const seen: T[] = [];
  for (const [index, state] of states.entries()) {
    if (state.size !== size) {
      size = state.size;
      terminal.resize(size);
      screen.resize(size);
    }
    screen.show(frameOf(state), state.look);
    await terminal.settle();
    seen.push(look(terminal, index));
  }
  screen.destroy();
  terminal.dispose();
  return seen;
}

export async function rowsOf(state: State): Promise<string[]> {
  const [rows = []] = await draw([state], (terminal) => terminal.rows());
  return rows;
}
