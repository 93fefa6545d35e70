/**
 * The terminal itself: entered once, left exactly as it was found, whatever ends the program. Bytes in become keys; what
 * other code prints meanwhile is caught, because it would stand on the screen until the next full repaint.
 */
import { breaksOff, decodeInput, type InputEvent } from './input.ts';
import type { Size } from './layout.ts';

export interface TerminalOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly hasMouse: boolean;
  /** Without a second screen to come back from, what was drawn is cleared away. */
  readonly hasAlternate: boolean;
  onInput(event: InputEvent): void;
  onResize(size: Size): void;
  /** Came back from the shell: what the terminal shows is not ours. */
  onResumed(): void;
  /** One line that something wrote to stdout or stderr. */
  onPrinted(line: string): void;
}

export type TerminalInput = Pick<NodeJS.ReadStream, 'on' | 'off' | 'pause' | 'resume'> & {
  readonly isRaw?: boolean;
  setRawMode?(isRaw: boolean): unknown;
};

export type TerminalOutput = Pick<NodeJS.WriteStream, 'on' | 'off'> & {
  readonly columns?: number;
  readonly rows?: number;
  write(bytes: string): boolean;
};

export interface Terminal {
  size(): Size;
  enter(): void;
  /** Idempotent, and safe in an exit handler. */
  leave(): void;
  write(bytes: string): void;
  /** To the shell, until `fg`. */
  suspend(): void;
}

const CLEAR = '\x1b[m\x1b[2J\x1b[H';
const ENTER = `\x1b[?1049h\x1b[?25l\x1b[?2004h${CLEAR}`;
const LEAVE = '\x1b[?2026l\x1b[?2004l\x1b[m\x1b[?25h\x1b[?1049l';
/** Clicks and wheel only, as SGR reports: no report of every motion, which floods slow links. */
const MOUSE_ON = '\x1b[?1000h\x1b[?1006h';
const MOUSE_OFF = '\x1b[?1006l\x1b[?1000l';
/** A lone ESC is the Escape key when nothing follows within this time. */
const ESCAPE_MS = 30;
/** A sequence that was begun is waited for longer: on a bad link its end comes late, and would be taken for keys. */
const SEQUENCE_MS = 500;

export function createTerminal(options: TerminalOptions): Terminal {
  const { input, output } = options;
  const keys = createKeys(options);
  const printed = createPrintCapture(options.onPrinted);
  let isEntered = false;

  const write = (bytes: string) => {
    if (isEntered) printed.original(output, bytes);
  };
  const size = (): Size => ({ columns: output.columns || 80, rows: output.rows || 24 });
  const onResize = () => options.onResize(size());

  const take = () => {
    isEntered = true;
    printed.begin();
    input.setRawMode?.(true);
    input.resume();
    write(ENTER + (options.hasMouse ? MOUSE_ON : ''));
  };
  const giveBack = () => {
    if (!isEntered) return;
    write((options.hasMouse ? MOUSE_OFF : '') + (options.hasAlternate ? '' : CLEAR) + LEAVE);
    isEntered = false;
    printed.end();
    try {
      input.setRawMode?.(false);
    } catch {
      // The line is dead (SIGHUP): there is no terminal left to restore.
    }
    input.pause();
  };
  const resume = () => {
    if (isEntered) giveBackQuietly();
    take();
    options.onResumed();
  };
  // After SIGSTOP and SIGCONT the shell has set its own modes: ours are set once more.
  const giveBackQuietly = () => {
    isEntered = false;
    printed.end();
  };
  const suspend = () => {
    if (!isEntered) return;
    giveBack();
    process.off('SIGTSTP', suspend);
    // The whole job, so that a wrapper such as npm stops too and the shell comes back.
    process.kill(0, 'SIGTSTP');
    // Reached after `fg`, and at once where nothing can stop us (no job control).
    setTimeout(() => {
      if (!isEntered && !isLeft) resume();
      process.on('SIGTSTP', suspend);
    }, 50);
  };
  const onContinued = () => {
    if (isEntered) resume();
  };
  let isLeft = false;
  const leave = () => {
    if (isLeft) return;
    isLeft = true;
    keys.stop();
    input.off('data', keys.onData);
    output.off('resize', onResize);
    process.off('SIGTSTP', suspend);
    process.off('SIGCONT', onContinued);
    process.off('SIGUSR1', ignore);
    process.off('exit', leave);
    process.off('uncaughtExceptionMonitor', leave);
    giveBack();
  };
  return {
    size,
    write,
    leave,
    suspend,
    enter: () => {
      input.on('data', keys.onData);
      output.on('resize', onResize);
      process.on('SIGTSTP', suspend);
      process.on('SIGCONT', onContinued);
      // Else Node opens its inspector, and prints its address into the picture.
      process.on('SIGUSR1', ignore);
      process.on('exit', leave);
      // Before Node prints the exception, so that it can be read.
      process.on('uncaughtExceptionMonitor', leave);
      take();
    },
  };
}

const ignore = () => {};

function createKeys({ onInput }: TerminalOptions) {
  const decoder = new TextDecoder();
  let rest = '';
  let timer: NodeJS.Timeout | null = null;
  const decode = (text: string, isFinal: boolean) => {
    const decoded = decodeInput(text, isFinal);
    rest = decoded.rest;
    for (const event of decoded.events) onInput(event);
  };
  const stop = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
  };
  return {
    stop,
    onData: (bytes: Uint8Array | string) => {
      stop();
      const text = typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true });
      decode(breaksOff(rest, text) ? text : rest + text, false);
      if (rest !== '') timer = setTimeout(() => decode(rest, true), rest === '\x1b' ? ESCAPE_MS : SEQUENCE_MS);
    },
  };
}

/** Replaces the `write` of stdout and stderr, which `console` and warnings end in as well. */
function createPrintCapture(onPrinted: (line: string) => void) {
  const streams = [process.stdout, process.stderr];
  const originals = new Map(streams.map((stream) => [stream as unknown, stream.write]));
  const captured = ((chunk: Uint8Array | string, encoding?: unknown, done?: unknown) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    for (const line of text.split('\n')) if (line.trim() !== '') onPrinted(line);
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') queueMicrotask(() => callback());
    return true;
  }) as NodeJS.WriteStream['write'];
  return {
    original: (stream: TerminalOutput, bytes: string) => {
      const write = originals.get(stream) as ((bytes: string) => boolean) | undefined;
      if (write === undefined) stream.write(bytes);
      else write.call(stream, bytes);
    },
    begin: () => {
      for (const stream of streams) stream.write = captured;
    },
    end: () => {
      for (const stream of streams) {
        const original = originals.get(stream);
        if (original !== undefined) stream.write = original;
      }
    },
  };
}
