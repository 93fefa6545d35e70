/** Strings and counters of the in-process engine. */
import type { Keyspace } from '../keyspace.ts';
import { CommandError, isInt64, OK, parseInt64, SYNTAX_ERROR } from '../values.ts';
import type { CommandTable } from './table.ts';

export const stringCommands: CommandTable = {
  get: { arity: 2, run: (keyspace, [key = '']) => keyspace.read(key, 'string') ?? null },
  set: { arity: -3, run: set },
  setex: { arity: 4, run: (keyspace, args, name) => setExpiring(keyspace, args, name, 1_000) },
  psetex: { arity: 4, run: (keyspace, args, name) => setExpiring(keyspace, args, name, 1) },
  setnx: {
    arity: 3,
    run: (keyspace, [key = '', value = '']) => {
      if (keyspace.find(key) !== undefined) return 0;
      store(keyspace, key, value);
      return 1;
    },
  },
  getset: {
    arity: 3,
    run: (keyspace, [key = '', value = '']) => {
      const before = keyspace.read(key, 'string') ?? null;
      store(keyspace, key, value);
      return before;
    },
  },
  getdel: {
    arity: 2,
    run: (keyspace, [key = '']) => {
      const before = keyspace.read(key, 'string') ?? null;
      keyspace.delete(key);
      return before;
    },
  },
  mget: { arity: -2, run: (keyspace, keys) => keys.map((key) => stringOrNull(keyspace, key)) },
  mset: {
    arity: -3,
    run: (keyspace, args, name) => {
      if (args.length % 2 !== 0) throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
      for (let i = 0; i < args.length; i += 2) store(keyspace, args[i] ?? '', args[i + 1] ?? '');
      return OK;
    },
  },
  append: {
    arity: 3,
    run: (keyspace, [key = '', value = '']) => {
      const text = (keyspace.read(key, 'string') ?? '') + value;
      store(keyspace, key, text, keyspace.expiryOf(key) ?? null);
      return Buffer.byteLength(text);
    },
  },
  strlen: { arity: 2, run: (keyspace, [key = '']) => Buffer.byteLength(keyspace.read(key, 'string') ?? '') },
  incr: { arity: 2, run: (keyspace, [key = '']) => add(keyspace, key, 1n) },
  decr: { arity: 2, run: (keyspace, [key = '']) => add(keyspace, key, -1n) },
  incrby: { arity: 3, run: (keyspace, [key = '', by = '']) => add(keyspace, key, parseInt64(by)) },
  decrby: {
    arity: 3,
    run: (keyspace, [key = '', by = '']) => {
      const decrement = parseInt64(by);
      if (!isInt64(-decrement)) throw new CommandError('ERR decrement would overflow');
      return add(keyspace, key, -decrement);
    },
  },
};

function store(keyspace: Keyspace, key: string, data: string, expiresAtEpochMs: number | null = null): void {
  keyspace.replace(key, { type: 'string', data }, expiresAtEpochMs);
}

function stringOrNull(keyspace: Keyspace, key: string): string | null {
  const value = keyspace.find(key);
  return value?.type === 'string' ? (value.data as string) : null;
}

function add(keyspace: Keyspace, key: string, by: bigint): number {
  const sum = parseInt64(keyspace.read(key, 'string') ?? '0') + by;
  if (!isInt64(sum)) throw new CommandError('ERR increment or decrement would overflow');
  store(keyspace, key, String(sum), keyspace.expiryOf(key) ?? null);
  return Number(sum);
}

function setExpiring(keyspace: Keyspace, args: readonly string[], name: string, unitMs: number) {
  const [key = '', duration = '', value = ''] = args;
  store(keyspace, key, value, deadline(duration, unitMs, keyspace.nowEpochMs, name));
  return OK;
}

/** Options that give an expiry: their unit, and whether they count from now. */
const EXPIRIES: Readonly<Record<string, { unitMs: number; isRelative: boolean }>> = {
  EX: { unitMs: 1_000, isRelative: true },
  PX: { unitMs: 1, isRelative: true },
  EXAT: { unitMs: 1_000, isRelative: false },
  PXAT: { unitMs: 1, isRelative: false },
};

function set(keyspace: Keyspace, args: readonly string[], name: string) {
  const [key = '', value = '', ...words] = args;
  const { flags, expiry } = parseSetOptions(words);
  const expiresAt =
    expiry === null ? null : deadline(expiry.amount, expiry.unitMs, expiry.isRelative ? keyspace.nowEpochMs : 0, name);
  const before = flags.has('GET') ? (keyspace.read(key, 'string') ?? null) : null;
  const isPresent = keyspace.find(key) !== undefined;
  const isRefused = (flags.has('NX') && isPresent) || (flags.has('XX') && !isPresent);
  if (!isRefused) store(keyspace, key, value, flags.has('KEEPTTL') ? (keyspace.expiryOf(key) ?? null) : expiresAt);
  if (flags.has('GET')) return before;
  return isRefused ? null : OK;
}

function parseSetOptions(words: readonly string[]) {
  const flags = new Set<string>();
  let expiry: { word: string; amount: string; unitMs: number; isRelative: boolean } | null = null;
  for (let i = 0; i < words.length; i += 1) {
    const word = (words[i] ?? '').toUpperCase();
    const unit = EXPIRIES[word];
    const amount = words[i + 1];
    const isAlone = (expiry === null || expiry.word === word) && !flags.has('KEEPTTL');
    if (unit !== undefined && amount !== undefined && isAlone) {
      // The same option again is allowed, and the last one counts.
      expiry = { word, amount, ...unit };
      i += 1;
    } else if (word === 'GET' || (word === 'KEEPTTL' && expiry === null)) flags.add(word);
    else if ((word === 'NX' && !flags.has('XX')) || (word === 'XX' && !flags.has('NX'))) flags.add(word);
    else throw new CommandError(SYNTAX_ERROR);
  }
  return { flags, expiry };
}

/** When something expires, epoch ms, for commands to which only a time to live above zero makes sense. */
function deadline(amount: string, unitMs: number, fromEpochMs: number, name: string): number {
  const duration = parseInt64(amount);
  const at = duration * BigInt(unitMs) + BigInt(fromEpochMs);
  if (duration <= 0n || !isInt64(at)) throw new CommandError(`ERR invalid expire time in '${name}' command`);
  return Number(at);
}
