/** Hashes of the in-process engine. */
import type { Keyspace } from '../keyspace.ts';
import { CommandError, isInt64, OK, parseInt64 } from '../values.ts';
import type { CommandTable } from './table.ts';

export const hashCommands: CommandTable = {
  hset: { arity: -4, run: setFields },
  hmset: {
    arity: -4,
    run: (keyspace, args, name) => {
      setFields(keyspace, args, name);
      return OK;
    },
  },
  hsetnx: {
    arity: 4,
    run: (keyspace, [key = '', field = '', value = '']) => {
      if (keyspace.read(key, 'hash')?.has(field) === true) return 0;
      keyspace.obtain(key, 'hash').set(field, value);
      keyspace.modified(key);
      return 1;
    },
  },
  hget: { arity: 3, run: (keyspace, [key = '', field = '']) => keyspace.read(key, 'hash')?.get(field) ?? null },
  hmget: {
    arity: -3,
    run: (keyspace, [key = '', ...fields]) => {
      const hash = keyspace.read(key, 'hash');
      return fields.map((field) => hash?.get(field) ?? null);
    },
  },
  hgetall: { arity: 2, run: (keyspace, [key = '']) => [...(keyspace.read(key, 'hash') ?? [])].flat() },
  hkeys: { arity: 2, run: (keyspace, [key = '']) => [...(keyspace.read(key, 'hash')?.keys() ?? [])] },
  hvals: { arity: 2, run: (keyspace, [key = '']) => [...(keyspace.read(key, 'hash')?.values() ?? [])] },
  hlen: { arity: 2, run: (keyspace, [key = '']) => keyspace.read(key, 'hash')?.size ?? 0 },
  hexists: { arity: 3, run: (keyspace, [key = '', field = '']) => (keyspace.read(key, 'hash')?.has(field) ? 1 : 0) },
  hdel: {
    arity: -3,
    run: (keyspace, [key = '', ...fields]) => {
      const hash = keyspace.read(key, 'hash');
      const removed = fields.filter((field) => hash?.delete(field) === true).length;
      if (removed > 0) keyspace.modified(key);
      return removed;
    },
  },
  hincrby: {
    arity: 4,
    run: (keyspace, [key = '', field = '', by = '']) => {
      const increment = parseInt64(by);
      const current = keyspace.read(key, 'hash')?.get(field) ?? '0';
      const sum = parseInt64(current, 'ERR hash value is not an integer') + increment;
      if (!isInt64(sum)) throw new CommandError('ERR increment or decrement would overflow');
      keyspace.obtain(key, 'hash').set(field, String(sum));
      keyspace.modified(key);
      return Number(sum);
    },
  },
};

function setFields(keyspace: Keyspace, [key = '', ...pairs]: readonly string[], name: string): number {
  if (pairs.length % 2 !== 0) throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  const hash = keyspace.obtain(key, 'hash');
  const sizeBefore = hash.size;
  for (let i = 0; i < pairs.length; i += 2) hash.set(pairs[i] ?? '', pairs[i + 1] ?? '');
  keyspace.modified(key);
  return hash.size - sizeBefore;
}
