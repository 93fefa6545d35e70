/** Keys of the in-process engine: existence, type, expiry, listing. */
import type { Keyspace } from '../keyspace.ts';
import { CommandError, isInt64, parseIndex, parseInt64, Status, SYNTAX_ERROR } from '../values.ts';
import type { CommandTable } from './table.ts';

export const keyCommands: CommandTable = {
  del: { arity: -2, run: deleteKeys },
  unlink: { arity: -2, run: deleteKeys },
  exists: { arity: -2, run: (keyspace, keys) => keys.filter((key) => keyspace.find(key) !== undefined).length },
  type: { arity: 2, run: (keyspace, [key = '']) => new Status(keyspace.find(key)?.type ?? 'none') },
  keys: {
    arity: 2,
    run: (keyspace, [pattern = '']) => {
      const matches = globMatcher(pattern);
      return keyspace.keys().filter(matches);
    },
  },
  scan: { arity: -2, run: scan },
  expire: {
    arity: -3,
    run: (keyspace, args, name) => expire(keyspace, args, name, { unitMs: 1_000, isRelative: true }),
  },
  pexpire: { arity: -3, run: (keyspace, args, name) => expire(keyspace, args, name, { unitMs: 1, isRelative: true }) },
  expireat: {
    arity: -3,
    run: (keyspace, args, name) => expire(keyspace, args, name, { unitMs: 1_000, isRelative: false }),
  },
  pexpireat: {
    arity: -3,
    run: (keyspace, args, name) => expire(keyspace, args, name, { unitMs: 1, isRelative: false }),
  },
  ttl: {
    arity: 2,
    run: (keyspace, [key = '']) => {
      const remainingMs = timeToLiveMs(keyspace, key);
      return remainingMs < 0 ? remainingMs : Math.floor((remainingMs + 500) / 1_000);
    },
  },
  pttl: { arity: 2, run: (keyspace, [key = '']) => timeToLiveMs(keyspace, key) },
  persist: {
    arity: 2,
    run: (keyspace, [key = '']) => {
      if (typeof keyspace.expiryOf(key) !== 'number') return 0;
      keyspace.setExpiry(key, null);
      return 1;
    },
  },
};

function deleteKeys(keyspace: Keyspace, keys: readonly string[]): number {
  return keys.filter((key) => keyspace.delete(key)).length;
}

/** -2 without the key, -1 without expiry, else ms. */
function timeToLiveMs(keyspace: Keyspace, key: string): number {
  const expiresAt = keyspace.expiryOf(key);
  if (expiresAt === undefined) return -2;
  return expiresAt === null ? -1 : Math.max(0, expiresAt - keyspace.nowEpochMs);
}

function expire(
  keyspace: Keyspace,
  [key = '', amount = '', ...options]: readonly string[],
  name: string,
  unit: { unitMs: number; isRelative: boolean },
): number {
  const flags = parseExpireFlags(options);
  const at = parseInt64(amount) * BigInt(unit.unitMs) + BigInt(unit.isRelative ? keyspace.nowEpochMs : 0);
  if (!isInt64(at)) throw new CommandError(`ERR invalid expire time in '${name}' command`);
  const atEpochMs = Number(at);
  const current = keyspace.expiryOf(key);
  if (current === undefined) return 0;
  if (flags.has('NX') && current !== null) return 0;
  if (flags.has('XX') && current === null) return 0;
  if (flags.has('GT') && (current === null || atEpochMs <= current)) return 0;
  if (flags.has('LT') && current !== null && atEpochMs >= current) return 0;
  if (atEpochMs <= keyspace.nowEpochMs) keyspace.delete(key);
  else keyspace.setExpiry(key, atEpochMs);
  return 1;
}

function parseExpireFlags(options: readonly string[]): Set<string> {
  const flags = new Set(options.map((option) => option.toUpperCase()));
  const unknown = options.find((option) => !['NX', 'XX', 'GT', 'LT'].includes(option.toUpperCase()));
  if (unknown !== undefined) throw new CommandError(`ERR Unsupported option ${unknown}`);
  if (flags.has('NX') && flags.size > 1) {
    throw new CommandError('ERR NX and XX, GT or LT options at the same time are not compatible');
  }
  if (flags.has('GT') && flags.has('LT')) {
    throw new CommandError('ERR GT and LT options at the same time are not compatible');
  }
  return flags;
}

/** Answers everything at once with the cursor 0, which SCAN may: COUNT is a hint, and nothing can slip through. */
function scan(keyspace: Keyspace, [cursor = '', ...options]: readonly string[]) {
  if (!/^\d+$/.test(cursor)) throw new CommandError('ERR invalid cursor');
  let matches: (key: string) => boolean = () => true;
  let type: string | null = null;
  for (let i = 0; i < options.length; i += 2) {
    const value = options[i + 1];
    const option = options[i]?.toUpperCase();
    if (value === undefined) throw new CommandError(SYNTAX_ERROR);
    if (option === 'MATCH') matches = globMatcher(value);
    else if (option === 'TYPE') type = value.toLowerCase();
    else if (option !== 'COUNT') throw new CommandError(SYNTAX_ERROR);
    else if (parseIndex(value) < 1) throw new CommandError(SYNTAX_ERROR);
  }
  const found = keyspace.keys().filter((key) => matches(key) && (type === null || keyspace.find(key)?.type === type));
  // A later cursor was never handed out: whoever asks with one is done.
  return ['0', cursor === '0' ? found : []];
}

/** Redis's glob: `*`, `?`, `[a-z]`, `[^a]`, `\` to take the next character as it is. */
function globMatcher(pattern: string): (text: string) => boolean {
  let source = '';
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern[i] ?? '';
    const closing = char === '[' ? pattern.indexOf(']', i + 1) : -1;
    if (char === '*') source += '.*';
    else if (char === '?') source += '.';
    else if (closing > i + 1) {
      const body = pattern.slice(i + 1, closing);
      source += `[${body.replaceAll(/[\\[\]]/g, '\\$&')}]`;
      i = closing;
    } else {
      if (char === '\\' && i + 1 < pattern.length) i += 1;
      source += (pattern[i] ?? '').replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
  }
  const expression = new RegExp(`^${source}$`, 's');
  return (text) => expression.test(text);
}
