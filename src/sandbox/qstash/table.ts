/** A map that survives a kill: every change is a journal line, and the journal is rewritten when it is mostly history. */
import { z } from 'zod';
import { openJournal } from '../journal.ts';

export interface Table<T> {
  get(id: string): T | undefined;
  /** In the order in which they were first put. */
  all(): readonly T[];
  put(record: T): void;
  delete(id: string): boolean;
  close(): void;
}

type Line<T> = { readonly put: T } | { readonly drop: string };

const SPARE_LINES = 1_000;

export function openTable<T>(path: string, schema: z.ZodType<T>, idOf: (record: T) => string): Table<T> {
  const lineSchema = z.union([z.object({ put: schema }), z.object({ drop: z.string() })]);
  const journal = openJournal<Line<T>>(path, (value) => lineSchema.parse(value));
  const records = new Map<string, T>();
  let lines = journal.replayed.length;
  for (const line of journal.replayed) {
    if ('put' in line) records.set(idOf(line.put), line.put);
    else records.delete(line.drop);
  }

  const write = (line: Line<T>) => {
    journal.append(line);
    lines += 1;
    if (lines < SPARE_LINES + 4 * records.size) return;
    journal.rewrite([...records.values()].map((record) => ({ put: record })));
    lines = records.size;
  };

  return {
    get: (id) => records.get(id),
    all: () => [...records.values()],
    put: (record) => {
      records.set(idOf(record), record);
      write({ put: record });
    },
    delete: (id) => {
      if (!records.delete(id)) return false;
      write({ drop: id });
      return true;
    },
    close: () => journal.close(),
  };
}
