/** The data of the in-process engine: keys, typed values, expiry. Time stands still while commands run and is told from outside. */
import { z } from 'zod';
import { CommandError, formatScore, parseScore, SortedSet } from './values.ts';

export interface Data {
  string: string;
  list: string[];
  hash: Map<string, string>;
  set: Set<string>;
  zset: SortedSet;
}

export type DataType = keyof Data;

/** What a key holds; made by {@link valueOf}, so that `type` and `data` always fit. */
export interface Value {
  readonly type: DataType;
  readonly data: Data[DataType];
}

interface Entry {
  value: Value;
  expiresAtEpochMs: number | null;
}

/** One key in the plain form that the journal keeps: key, type, data, expiry. Scores are text: JSON has no infinity. */
export const dumpedKeySchema = z.tuple([
  z.string(),
  z.enum(['string', 'list', 'hash', 'set', 'zset']),
  z.union([z.string(), z.array(z.string()), z.array(z.tuple([z.string(), z.string()]))]),
  z.number().nullable(),
]);

export type DumpedKey = z.infer<typeof dumpedKeySchema>;

export class Keyspace {
  nowEpochMs = 0;
  /** Grows with every modification: what did not grow it need not be journaled. */
  changes = 0;
  readonly #entries = new Map<string, Entry>();

  /**
   * The key's value, whatever its type. A key past its expiry is as good as gone, but stays until it is replaced: reads must
   * change nothing, or replaying the writes alone would lead elsewhere.
   */
  find(key: string): Value | undefined {
    return this.#live(key)?.value;
  }

  /** The key's data when it is of this type. @throws CommandError WRONGTYPE */
  read<T extends DataType>(key: string, type: T): Data[T] | undefined {
    const value = this.find(key);
    if (value === undefined) return undefined;
    if (value.type !== type) throw new CommandError(WRONG_TYPE);
    return value.data as Data[T];
  }

  /** As {@link read}, but an absent key is created empty. The caller adds to it. @throws CommandError WRONGTYPE */
  obtain<T extends Exclude<DataType, 'string'>>(key: string, type: T): Data[T] {
    const present = this.read(key, type);
    if (present !== undefined) return present;
    const data = EMPTY[type]();
    this.replace(key, { type, data }, null);
    return data as Data[T];
  }

  /** Sets a key, whatever it held. `expiresAtEpochMs` null is forever. */
  replace(key: string, value: Value, expiresAtEpochMs: number | null): void {
    // Deleted first: like a new key it comes last in KEYS.
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAtEpochMs });
    this.changes += 1;
  }

  /** Says that the key's data was modified in place. A collection that became empty is a key that is gone. */
  modified(key: string): void {
    this.changes += 1;
    const value = this.find(key);
    if (value !== undefined && sizeOf(value) === 0) this.#entries.delete(key);
  }

  delete(key: string): boolean {
    if (this.#live(key) === undefined) return false;
    this.#entries.delete(key);
    this.changes += 1;
    return true;
  }

  /** Epoch ms, null for a key without expiry, undefined for no key. */
  expiryOf(key: string): number | null | undefined {
    return this.#live(key)?.expiresAtEpochMs;
  }

  setExpiry(key: string, expiresAtEpochMs: number | null): void {
    const entry = this.#live(key);
    if (entry === undefined) return;
    entry.expiresAtEpochMs = expiresAtEpochMs;
    this.changes += 1;
  }

  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.#live(key) !== undefined);
  }

  clear(): void {
    this.#entries.clear();
    this.changes += 1;
  }

  /** Frees the memory of keys past their expiry. Only when the journal is rewritten without them, see {@link find}. */
  forgetExpired(): void {
    for (const key of [...this.#entries.keys()]) if (this.#live(key) === undefined) this.#entries.delete(key);
  }

  dump(): DumpedKey[] {
    return this.keys().map((key) => {
      const { type, data } = this.find(key) as Value;
      return [key, type, DUMPED[type](data as never), this.expiryOf(key) ?? null];
    });
  }

  load([key, type, data, expiresAtEpochMs]: DumpedKey): void {
    this.replace(key, { type, data: LOADED[type](data as never) }, expiresAtEpochMs);
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtEpochMs === null) return entry;
    return this.nowEpochMs > entry.expiresAtEpochMs ? undefined : entry;
  }
}

const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';

const EMPTY = {
  list: () => [] as string[],
  hash: () => new Map<string, string>(),
  set: () => new Set<string>(),
  zset: () => new SortedSet(),
} as const;

const LOADED: { readonly [T in DataType]: (data: never) => Data[T] } = {
  string: (data: string) => data,
  list: (data: string[]) => data,
  hash: (data: [string, string][]) => new Map(data),
  set: (data: string[]) => new Set(data),
  zset: (data: [string, string][]) => new SortedSet(data.map(([member, score]) => [member, parseScore(score)])),
};

const DUMPED: { readonly [T in DataType]: (data: never) => DumpedKey[2] } = {
  string: (data: string) => data,
  list: (data: string[]) => data,
  hash: (data: Map<string, string>) => [...data],
  set: (data: Set<string>) => [...data],
  zset: (data: SortedSet) => [...data].map(([member, score]): [string, string] => [member, formatScore(score)]),
};

function sizeOf({ type, data }: Value): number {
  if (type === 'string') return 1;
  return type === 'list' ? (data as string[]).length : (data as { size: number }).size;
}
