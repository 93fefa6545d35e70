/** What a command sees of the terminal and the clock. Passed in, so that a test can be the terminal. */

import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Input;
  /** Colours on stdout: a terminal, and nobody said no. */
  readonly colour: boolean;
  /** False where only ASCII can be shown. */
  readonly unicode: boolean;
  /** Epoch ms. */
  now(): number;
}

export interface Output {
  write(text: string): void;
  readonly isTty: boolean;
  /** Width in cells; 80 where nobody knows. */
  readonly columns: number;
  /** Height in lines; 24 where nobody knows. */
  readonly rows: number;
}

export interface Input extends AsyncIterable<string | Uint8Array> {
  readonly isTty: boolean;
  /** Known when stdin is a file: `< emails.jsonl`. */
  readonly sizeBytes: number | null;
  /** Whether the terminal passes keys on one by one and shows none of them. Does nothing where stdin is no terminal. */
  setRaw?(isRaw: boolean): void;
}

export interface IoChoices {
  /** `--no-color` gives false. */
  readonly color?: boolean | undefined;
  /** `--ascii`. */
  readonly ascii?: boolean | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The real terminal. `onClosed` is called once when stdout takes nothing any more: with null when its reader went away
 * (`email-ops status | head`), with the error when it cannot be written (a full disk). What is written after that is dropped.
 */
export function processIo(
  host: Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr'>,
  environment: Variables,
  onClosed: (error: NodeJS.ErrnoException | null) => void,
): (choices: IoChoices) => Io {
  const stdout = outputOf(host.stdout, onClosed);
  const stderr = outputOf(host.stderr, () => undefined);
  return (choices) => ({
    stdout,
    stderr,
    stdin: {
      // Not touched before somebody reads: opening stdin would keep the process alive.
      [Symbol.asyncIterator]: () => host.stdin[Symbol.asyncIterator](),
      get isTty() {
        return isatty(STDIN);
      },
      get sizeBytes() {
        return fileSize(STDIN);
      },
      setRaw: (isRaw) => {
        if (isatty(STDIN)) host.stdin.setRawMode(isRaw);
      },
    },
    colour: hasColour(environment, stdout.isTty, choices),
    unicode: choices.ascii !== true && isUtf8(environment),
    now: () => Date.now(),
  });
}

/** https://no-color.org: NO_COLOR counts when it is set and not empty. FORCE_COLOR is for CI logs. */
export function hasColour(environment: Variables, isTty: boolean, choices: IoChoices): boolean {
  if (choices.color === false || (environment.NO_COLOR ?? '') !== '') return false;
  if ((environment.FORCE_COLOR ?? '') !== '') return environment.FORCE_COLOR !== '0';
  return isTty && environment.TERM !== 'dumb';
}

/** By the first locale variable that is set, as POSIX orders them. None at all, as in a container: UTF-8. */
export function isUtf8(environment: Variables): boolean {
  const locale = [environment.LC_ALL, environment.LC_CTYPE, environment.LANG].find((value) => (value ?? '') !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

function outputOf(stream: NodeJS.WriteStream, onClosed: (error: NodeJS.ErrnoException | null) => void): Output {
  let isClosed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const isReaderGone = error.code === 'EPIPE' || error.code === 'EIO';
    if (!isClosed) onClosed(isReaderGone ? null : error);
    isClosed = true;
  });
  return {
    write: (text) => {
      if (!isClosed) stream.write(text);
    },
    isTty: stream.isTTY === true,
    get columns() {
      return stream.columns > 0 ? stream.columns : 80;
    },
    get rows() {
      return stream.rows > 0 ? stream.rows : 24;
    },
  };
}

const STDIN = 0;

function fileSize(descriptor: number): number | null {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFile() ? stat.size : null;
  } catch {
    // Closed: `email-ops … <&-`.
    return null;
  }
}
