/** Both ends of a terminal inside the process, with a headless terminal behind them. */
import { EventEmitter } from 'node:events';
import type { Size } from '../../src/ui/layout.ts';
import type { TerminalInput, TerminalOutput } from '../../src/ui/terminal.ts';
import { createHeadlessTerminal } from './headless-terminal.ts';

export function createFakeTty(size: Size) {
  const screen = createHeadlessTerminal(size);
  const input = Object.assign(new EventEmitter(), {
    isRaw: false,
    isPaused: true,
    setRawMode(isRaw: boolean) {
      input.isRaw = isRaw;
      return input;
    },
    pause: () => {
      input.isPaused = true;
      return input;
    },
    resume: () => {
      input.isPaused = false;
      return input;
    },
  });
  let written = '';
  const output = Object.assign(new EventEmitter(), {
    columns: size.columns,
    rows: size.rows,
    write: (bytes: string) => {
      written += bytes;
      screen.write(bytes);
      return true;
    },
  });
  return {
    screen,
    state: input,
    input: input as unknown as TerminalInput,
    output: output as unknown as TerminalOutput,
    /** Everything that was sent so far. */
    written: () => written,
    type: (bytes: string) => input.emit('data', Buffer.from(bytes)),
    resize: ({ columns, rows }: Size) => {
      output.columns = columns;
      output.rows = rows;
      screen.resize({ columns, rows });
      output.emit('resize');
    },
    /** Waits until the screen has it, and fails with the screen when it does not come. */
    async until(words: string | RegExp, deadlineMs = 3_000): Promise<string> {
      const until = performance.now() + deadlineMs;
      for (;;) {
        await screen.settle();
        const text = screen.rows().join('\n');
        if (typeof words === 'string' ? text.includes(words) : words.test(text)) return text;
        if (performance.now() > until) throw new Error(`${words} did not come up on:\n${text}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
  };
}
