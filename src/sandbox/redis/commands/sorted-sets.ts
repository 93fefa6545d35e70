/** Sorted sets of the in-process engine. Ranges by member (BYLEX) are not offered: nothing here uses them. */
import type { Keyspace } from '../keyspace.ts';
import {
  CommandError,
  type EngineReply,
  formatScore,
  parseIndex,
  parseScore,
  parseScoreRange,
  SYNTAX_ERROR,
  sliceOf,
} from '../values.ts';
import type { CommandTable } from './table.ts';

type Members = readonly (readonly [member: string, score: number])[];

export const sortedSetCommands: CommandTable = {
  zadd: { arity: -4, run: add },
  zincrby: { arity: 4, run: (keyspace, [key = '', by = '', member = '']) => add(keyspace, [key, 'INCR', by, member]) },
  zcard: { arity: 2, run: (keyspace, [key = '']) => keyspace.read(key, 'zset')?.size ?? 0 },
  zscore: {
    arity: 3,
    run: (keyspace, [key = '', member = '']) => {
      const score = keyspace.read(key, 'zset')?.score(member);
      return score === undefined ? null : formatScore(score);
    },
  },
  zcount: {
    arity: 4,
    run: (keyspace, [key = '', min = '', max = '']) => {
      const range = parseScoreRange(min, max);
      return membersOf(keyspace, key).filter(([, score]) => range.includes(score)).length;
    },
  },
  zrange: { arity: -4, run: (keyspace, args) => select(keyspace, args, { by: null, isReversed: null }) },
  zrevrange: { arity: -4, run: (keyspace, args) => select(keyspace, args, { by: 'rank', isReversed: true }) },
  zrangebyscore: { arity: -4, run: (keyspace, args) => select(keyspace, args, { by: 'score', isReversed: false }) },
  zrevrangebyscore: { arity: -4, run: (keyspace, args) => select(keyspace, args, { by: 'score', isReversed: true }) },
  zrem: {
    arity: -3,
    run: (keyspace, [key = '', ...members]) => {
      const set = keyspace.read(key, 'zset');
      const removed = members.filter((member) => set?.delete(member) === true).length;
      if (removed > 0) keyspace.modified(key);
      return removed;
    },
  },
  zremrangebyscore: {
    arity: 4,
    run: (keyspace, [key = '', min = '', max = '']) => {
      const range = parseScoreRange(min, max);
      return removeAll(
        keyspace,
        key,
        membersOf(keyspace, key).filter(([, score]) => range.includes(score)),
      );
    },
  },
  zremrangebyrank: {
    arity: 4,
    run: (keyspace, [key = '', start = '', stop = '']) => {
      const [first, last] = [parseIndex(start), parseIndex(stop)];
      const members = membersOf(keyspace, key);
      return removeAll(keyspace, key, members.slice(...sliceOf(first, last, members.length)));
    },
  },
};

function membersOf(keyspace: Keyspace, key: string): Members {
  return keyspace.read(key, 'zset')?.ordered() ?? [];
}

function removeAll(keyspace: Keyspace, key: string, members: Members): number {
  const set = keyspace.read(key, 'zset');
  for (const [member] of members) set?.delete(member);
  if (members.length > 0) keyspace.modified(key);
  return members.length;
}

const ADD_FLAGS = ['NX', 'XX', 'GT', 'LT', 'CH', 'INCR'];

function add(keyspace: Keyspace, [key = '', ...words]: readonly string[]): EngineReply {
  const firstPair = words.findIndex((word) => !ADD_FLAGS.includes(word.toUpperCase()));
  const flags = new Set(words.slice(0, Math.max(0, firstPair)).map((word) => word.toUpperCase()));
  const pairs = firstPair < 0 ? [] : parsePairs(words.slice(firstPair), flags);
  if (pairs.length === 0) throw new CommandError(SYNTAX_ERROR);
  const scored = pairs.map(([score, member]) => [member, parseScore(score)] as const);
  const present = keyspace.read(key, 'zset');
  let added = 0;
  let changed = 0;
  let result: number | null = null;
  for (const [member, amount] of scored) {
    const before = keyspace.read(key, 'zset')?.score(member);
    const score = flags.has('INCR') ? (before ?? 0) + amount : amount;
    if (Number.isNaN(score)) throw new CommandError('ERR resulting score is not a number (NaN)');
    if (!isWanted(before, score, flags)) continue;
    result = score;
    if (before === score) continue;
    keyspace.obtain(key, 'zset').set(member, score);
    if (before === undefined) added += 1;
    changed += 1;
  }
  if (changed > 0 || (present === undefined && added > 0)) keyspace.modified(key);
  if (flags.has('INCR')) return result === null ? null : formatScore(result);
  return flags.has('CH') ? changed : added;
}

function parsePairs(words: readonly string[], flags: ReadonlySet<string>): [score: string, member: string][] {
  if (words.length % 2 !== 0) throw new CommandError(SYNTAX_ERROR);
  if (flags.has('NX') && flags.has('XX')) {
    throw new CommandError('ERR XX and NX options at the same time are not compatible');
  }
  if ((flags.has('GT') && (flags.has('NX') || flags.has('LT'))) || (flags.has('LT') && flags.has('NX'))) {
    throw new CommandError('ERR GT, LT, and/or NX options at the same time are not compatible');
  }
  if (flags.has('INCR') && words.length > 2) {
    throw new CommandError('ERR INCR option supports a single increment-element pair');
  }
  return Array.from({ length: words.length / 2 }, (_, i) => [words[2 * i] ?? '', words[2 * i + 1] ?? '']);
}

function isWanted(before: number | undefined, score: number, flags: ReadonlySet<string>): boolean {
  if (before === undefined) return !flags.has('XX');
  if (flags.has('NX')) return false;
  if (flags.has('GT')) return score > before;
  return flags.has('LT') ? score < before : true;
}

interface Selection {
  /** Null: options may still say. */
  by: 'rank' | 'score' | null;
  isReversed: boolean | null;
}

/** ZRANGE and its older kin, which fix what ZRANGE takes as options. */
function select(keyspace: Keyspace, args: readonly string[], fixed: Selection): string[] {
  const [key = '', start = '', stop = '', ...options] = args;
  const { by, isReversed, isScored, limit } = parseSelection(options, fixed);
  const pick = by === 'score' ? pickByScore(start, stop, isReversed, limit) : pickByRank(start, stop, isReversed);
  return pick(membersOf(keyspace, key)).flatMap(([member, score]) =>
    isScored ? [member, formatScore(score)] : [member],
  );
}

function parseSelection(options: readonly string[], fixed: Selection) {
  let { by, isReversed } = fixed;
  let isScored = false;
  let limit: { offset: number; count: number } | null = null;
  for (let i = 0; i < options.length; i += 1) {
    const option = options[i]?.toUpperCase();
    if (option === 'WITHSCORES') isScored = true;
    else if (option === 'REV' && isReversed === null) isReversed = true;
    else if (option === 'BYSCORE' && by === null) by = 'score';
    else if (option === 'BYLEX' && by === null) throw new CommandError('ERR BYLEX is not supported by this engine');
    else if (option === 'LIMIT' && i + 2 < options.length) {
      limit = { offset: parseIndex(options[i + 1] ?? ''), count: parseIndex(options[i + 2] ?? '') };
      i += 2;
    } else throw new CommandError(SYNTAX_ERROR);
  }
  if (limit !== null && limit.count !== -1 && by !== 'score') {
    throw new CommandError('ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX');
  }
  return { by: by ?? 'rank', isReversed: isReversed ?? false, isScored, limit };
}

function pickByRank(start: string, stop: string, isReversed: boolean): (members: Members) => Members {
  const [first, last] = [parseIndex(start), parseIndex(stop)];
  return (members) => (isReversed ? members.toReversed() : members).slice(...sliceOf(first, last, members.length));
}

function pickByScore(
  start: string,
  stop: string,
  isReversed: boolean,
  limit: { offset: number; count: number } | null,
): (members: Members) => Members {
  // Reversed ranges are written from the top: max first.
  const range = isReversed ? parseScoreRange(stop, start) : parseScoreRange(start, stop);
  return (members) => {
    const inRange = members.filter(([, score]) => range.includes(score));
    const ordered = isReversed ? inRange.toReversed() : inRange;
    if (limit === null) return ordered;
    if (limit.offset < 0) return [];
    return ordered.slice(limit.offset, limit.count < 0 ? undefined : limit.offset + limit.count);
  };
}
