/** Many emails into the queue in batches, so that a hundred thousand take seconds and one bad email stops none of the others. */
import type { Queue } from '../data/queue.ts';
import type { NewEmail } from '../domain/email.ts';
import { formatCount } from '../domain/format.ts';
import type { Fault } from '../domain/loaded.ts';
import { CommandError, EXIT } from './command.ts';
import type { BadLine, ReadLine } from './email-lines.ts';

const BATCH_EMAILS = 500;
/** Well under what a proxy takes for a request. */
const BATCH_CHARACTERS = 1_000_000;

export interface Progress {
  readonly lines: number;
  readonly bytes: number;
  readonly enqueued: number;
}

export interface Totals {
  readonly enqueued: number;
  readonly duplicates: number;
}

interface Hooks {
  readonly onProgress: (progress: Progress) => void;
  readonly onBad: (line: BadLine) => void;
  readonly signal: AbortSignal;
}

interface Entry {
  readonly line: number;
  readonly email: NewEmail;
}

/** Enqueues what `lines` yields. What the database refuses is found by halving, and reported by its line. */
export async function enqueueAll(
  lines: AsyncIterable<ReadLine>,
  queue: Pick<Queue, 'enqueue'>,
  { onProgress, onBad, signal }: Hooks,
): Promise<Totals> {
  let [enqueued, duplicates, seen, bytes, characters] = [0, 0, 0, 0, 0];
  let batch: Entry[] = [];
  const send = async (entries: readonly Entry[]): Promise<void> => {
    if (entries.length === 0) return;
    try {
      const result = await queue.enqueue(
        entries.map(({ email }) => email),
        signal,
      );
      enqueued += result.enqueued;
      duplicates += result.duplicates;
    } catch (error) {
      const fault = (error as { fault?: Fault }).fault;
      if (fault?.code !== 'protocol') throw error;
      const [first] = entries;
      if (entries.length === 1 && first !== undefined) return onBad({ line: first.line, reason: fault.message });
      const middle = Math.ceil(entries.length / 2);
      await send(entries.slice(0, middle));
      await send(entries.slice(middle));
    }
  };
  const flush = async () => {
    await send(batch);
    [batch, characters] = [[], 0];
    onProgress({ lines: seen, bytes, enqueued });
  };
  try {
    for await (const line of lines) {
      seen += 1;
      bytes = line.bytes;
      if (!line.ok) {
        onBad({ line: line.line, reason: line.reason });
        continue;
      }
      batch.push({ line: line.line, email: line.email });
      characters += JSON.stringify(line.email).length;
      if (batch.length >= BATCH_EMAILS || characters >= BATCH_CHARACTERS) await flush();
    }
    await flush();
  } catch (error) {
    throw stopped(error, enqueued + duplicates, signal);
  }
  return { enqueued, duplicates };
}

/** What ended it, and how far it was: whoever reads that wants to know whether to run it again. */
function stopped(cause: unknown, done: number, signal: AbortSignal): unknown {
  const fault = (cause as { fault?: Fault } | null)?.fault;
  if (fault === undefined && !signal.aborted) return cause;
  const why = signal.aborted ? 'Stopped.' : [fault?.message, fault?.remedy].filter(Boolean).join(' ');
  const goOn = 'Emails with a key are not enqueued twice, so the same command goes on where it stopped';
  const what = `${why} Before that, ${formatCount(done)} were enqueued or known. ${goOn}`;
  return new CommandError(what, { exitCode: signal.aborted ? EXIT.interrupted : EXIT.unreachable, cause });
}
