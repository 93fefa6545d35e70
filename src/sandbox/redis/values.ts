/** What the in-process engine's commands are made of: their replies and errors, strict number parsing, sorted sets. */

/** A reply like `OK`, which scripts see as a table `{ok = …}` and everyone else as a string. */
export class Status {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export const OK = new Status('OK');

export type EngineReply = string | number | null | Status | readonly EngineReply[];

/** An error reply, its message as the server words it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export const SYNTAX_ERROR = 'ERR syntax error';
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
const NOT_A_FLOAT = 'ERR value is not a valid float';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** A 64-bit integer in its one canonical spelling, as Redis reads it. @throws CommandError */
export function parseInt64(text: string, message = NOT_AN_INTEGER): bigint {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) throw new CommandError(message);
  const value = BigInt(text);
  if (!isInt64(value)) throw new CommandError(message);
  return value;
}

export function isInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** An integer for counting and indexing; beyond 2^53 it is only approximately right, which no list reaches. */
export function parseIndex(text: string): number {
  return Number(parseInt64(text));
}

/** A score. @throws CommandError */
export function parseScore(text: string, message = NOT_A_FLOAT): number {
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new CommandError(message);
  return Number(text);
}

export function formatScore(score: number): string {
  if (!Number.isFinite(score)) return score > 0 ? 'inf' : '-inf';
  return Object.is(score, -0) ? '-0' : String(score);
}

/** One end of a range of scores: `5`, `(5` for exclusive, `-inf`. */
export interface ScoreRange {
  includes(score: number): boolean;
}

/** @throws CommandError */
export function parseScoreRange(min: string, max: string): ScoreRange {
  const low = parseBound(min);
  const high = parseBound(max);
  return {
    includes: (score) =>
      (low.isExclusive ? score > low.score : score >= low.score) &&
      (high.isExclusive ? score < high.score : score <= high.score),
  };
}

function parseBound(text: string): { score: number; isExclusive: boolean } {
  const isExclusive = text.startsWith('(');
  return { score: parseScore(isExclusive ? text.slice(1) : text, 'ERR min or max is not a float'), isExclusive };
}

/** Turns Redis's inclusive, possibly negative `start` and `stop` into what `slice` takes. */
export function sliceOf(start: number, stop: number, length: number): [from: number, to: number] {
  const from = Math.max(0, start < 0 ? length + start : start);
  const to = Math.min(length, (stop < 0 ? length + stop : stop) + 1);
  return [from, Math.max(from, to)];
}

/** Members with scores, ordered by score, then by the members' bytes. Ordered anew when read after a change. */
export class SortedSet {
  readonly #scores: Map<string, number>;
  #ordered: [string, number][] | null = null;

  constructor(entries: Iterable<[string, number]> = []) {
    this.#scores = new Map(entries);
  }

  get size(): number {
    return this.#scores.size;
  }

  score(member: string): number | undefined {
    return this.#scores.get(member);
  }

  set(member: string, score: number): void {
    this.#scores.set(member, score);
    this.#ordered = null;
  }

  delete(member: string): boolean {
    this.#ordered = null;
    return this.#scores.delete(member);
  }

  ordered(): readonly [string, number][] {
    this.#ordered ??= [...this.#scores].sort((a, b) => a[1] - b[1] || compareBytes(a[0], b[0]));
    return this.#ordered;
  }

  [Symbol.iterator](): MapIterator<[string, number]> {
    return this.#scores[Symbol.iterator]();
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
