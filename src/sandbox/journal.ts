/**
 * An append-only file of JSON lines: what the sandbox's parts remember across a kill. An entry that `append` returned from
 * is in the operating system's hands, so it survives the death of this process (not of the machine).
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Journal<T> {
  /** What the file held when it was opened. */
  readonly replayed: readonly T[];
  append(entry: T): void;
  /** Replaces the whole file by these entries, in one atomic step. For compaction. */
  rewrite(entries: readonly T[]): void;
  close(): void;
}

/**
 * Opens or creates the journal at `path` (mode 0600, folder 0700). `parse` checks each line and throws on a wrong one.
 * A torn last line, which a kill in the middle of a write leaves, is cut off; any other unreadable line throws, because
 * starting with a hole in the data would be a lie.
 */
export function openJournal<T>(path: string, parse: (value: unknown) => T): Journal<T> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const { entries, intactBytes } = replay(path, parse);
  if (existsSync(path)) truncateSync(path, intactBytes);
  let file = openSync(path, 'a', 0o600);
  return {
    replayed: entries,
    append: (entry) => writeAll(file, `${JSON.stringify(entry)}\n`),
    rewrite: (replacement) => {
      const next = openSync(`${path}.next`, 'w', 0o600);
      writeAll(next, replacement.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      closeSync(file);
      renameSync(`${path}.next`, path);
      file = next;
    },
    close: () => closeSync(file),
  };
}

function replay<T>(path: string, parse: (value: unknown) => T): { entries: T[]; intactBytes: number } {
  if (!existsSync(path)) return { entries: [], intactBytes: 0 };
  const text = readFileSync(path, 'utf8');
  const intact = text.slice(0, text.lastIndexOf('\n') + 1);
  const entries = intact
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => {
      try {
        return parse(JSON.parse(line));
      } catch (cause) {
        throw new Error(`${path}, line ${index + 1} is unreadable. Start with --fresh to begin anew.`, { cause });
      }
    });
  return { entries, intactBytes: Buffer.byteLength(intact) };
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
}
