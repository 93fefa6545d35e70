/** Questions on a terminal, one after another, and answers that nobody looking over the shoulder sees. */
import { CommandError, EXIT } from './command.ts';
import type { Io } from './io.ts';

export interface Prompt extends AsyncDisposable {
  /** The answer without spaces around it; empty for a bare Enter, and when there is nothing more to read. */
  ask(question: string): Promise<string>;
  /** The same, and neither typed nor pasted characters are shown. @throws CommandError `interrupted` for Ctrl-C */
  askHidden(question: string): Promise<string>;
  /** A bare Enter is no. */
  askYes(question: string): Promise<boolean>;
}

/** Reads stdin from now on, also a pipe, line by line. Rejects with an AbortError when `signal` aborts. */
export function openPrompt({ stdin, stderr }: Pick<Io, 'stdin' | 'stderr'>, signal: AbortSignal): Prompt {
  const chunks = stdin[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let buffered = '';
  let isOver = false;

  const more = async (): Promise<void> => {
    const { value, done } = await untilAborted(chunks.next(), signal);
    if (done === true) isOver = true;
    else buffered += typeof value === 'string' ? value : decoder.decode(value, { stream: true });
  };
  const line = async (): Promise<string> => {
    for (;;) {
      const end = buffered.search(/[\r\n]/);
      if (end >= 0 || isOver) {
        const text = end < 0 ? buffered : buffered.slice(0, end);
        const skipped = end < 0 ? 0 : buffered.startsWith('\r\n', end) ? 2 : 1;
        buffered = end < 0 ? '' : buffered.slice(end + skipped);
        return text;
      }
      await more();
    }
  };
  const ask = async (question: string): Promise<string> => {
    stderr.write(`${question} `);
    const answer = (await line()).trim();
    // A pipe shows no Enter.
    if (!stdin.isTty) stderr.write('\n');
    return answer;
  };

  return {
    ask,
    askYes: async (question) => /^y(es)?$/i.test(await ask(`${question} [y/N]`)),
    askHidden: async (question) => {
      stderr.write(`${question} `);
      stdin.setRaw?.(true);
      try {
        return await hiddenLine();
      } finally {
        stdin.setRaw?.(false);
        stderr.write('\n');
      }
    },
    [Symbol.asyncDispose]: async () => {
      // Not waited for: a read that is under way on a terminal ends only with the next key.
      void chunks.return?.();
    },
  };

  /** With raw keys nobody else understands backspace, Ctrl-U and Ctrl-C. */
  async function hiddenLine(): Promise<string> {
    for (;;) {
      // With raw keys it is no signal.
      if (stdin.isTty && buffered.includes(CTRL_C))
        throw new CommandError('Interrupted', { exitCode: EXIT.interrupted });
      if (isOver || /[\r\n]/.test(buffered)) return edited(await line());
      await more();
    }
  }
}

const CTRL_C = '\x03';
const BACKSPACES = ['\b', '\x7f'];
const CTRL_U = '\x15';
/** What terminals put around pasted text, and sequences of keys that are no text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the keys that are not text.
const SEQUENCES = /\x1b\[[0-9;]*[A-Za-z~]/g;

/** What was typed, after what was taken back. */
export function edited(typed: string): string {
  const kept: string[] = [];
  for (const key of typed.replaceAll(SEQUENCES, '')) {
    if (BACKSPACES.includes(key)) kept.pop();
    else if (key === CTRL_U) kept.length = 0;
    else if (key >= ' ') kept.push(key);
  }
  return kept.join('').trim();
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
