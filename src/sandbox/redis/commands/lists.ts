/** Lists of the in-process engine. */
import type { Keyspace } from '../keyspace.ts';
import { CommandError, type EngineReply, OK, parseIndex, parseInt64, sliceOf } from '../values.ts';
import type { CommandTable } from './table.ts';

export const listCommands: CommandTable = {
  lpush: { arity: -3, run: (keyspace, args) => push(keyspace, args, (list, item) => list.unshift(item)) },
  rpush: { arity: -3, run: (keyspace, args) => push(keyspace, args, (list, item) => list.push(item)) },
  lpop: { arity: -2, run: (keyspace, args, name) => pop(keyspace, args, name, (list) => list.shift()) },
  rpop: { arity: -2, run: (keyspace, args, name) => pop(keyspace, args, name, (list) => list.pop()) },
  llen: { arity: 2, run: (keyspace, [key = '']) => keyspace.read(key, 'list')?.length ?? 0 },
  lrange: {
    arity: 4,
    run: (keyspace, [key = '', start = '', stop = '']) => {
      const [first, last] = [parseIndex(start), parseIndex(stop)];
      const list = keyspace.read(key, 'list') ?? [];
      return list.slice(...sliceOf(first, last, list.length));
    },
  },
  ltrim: {
    arity: 4,
    run: (keyspace, [key = '', start = '', stop = '']) => {
      const [first, last] = [parseIndex(start), parseIndex(stop)];
      const list = keyspace.read(key, 'list');
      if (list === undefined) return OK;
      const [from, to] = sliceOf(first, last, list.length);
      if (to - from === list.length) return OK;
      list.splice(to);
      list.splice(0, from);
      keyspace.modified(key);
      return OK;
    },
  },
  lrem: { arity: 4, run: remove },
  lindex: {
    arity: 3,
    run: (keyspace, [key = '', index = '']) => {
      const list = keyspace.read(key, 'list');
      return list === undefined ? null : (list.at(parseIndex(index)) ?? null);
    },
  },
  lset: {
    arity: 4,
    run: (keyspace, [key = '', index = '', value = '']) => {
      const list = keyspace.read(key, 'list');
      if (list === undefined) throw new CommandError('ERR no such key');
      const wanted = parseIndex(index);
      const position = wanted < 0 ? list.length + wanted : wanted;
      if (position < 0 || position >= list.length) throw new CommandError('ERR index out of range');
      list[position] = value;
      keyspace.modified(key);
      return OK;
    },
  },
};

function push(
  keyspace: Keyspace,
  [key = '', ...items]: readonly string[],
  add: (list: string[], item: string) => void,
): number {
  const list = keyspace.obtain(key, 'list');
  for (const item of items) add(list, item);
  keyspace.modified(key);
  return list.length;
}

function pop(
  keyspace: Keyspace,
  [key = '', count, ...rest]: readonly string[],
  name: string,
  take: (list: string[]) => string | undefined,
): EngineReply {
  if (rest.length > 0) throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  const outOfRange = 'ERR value is out of range, must be positive';
  const wanted = count === undefined ? 1 : Number(parseInt64(count, outOfRange));
  if (wanted < 0) throw new CommandError(outOfRange);
  const list = keyspace.read(key, 'list');
  if (list === undefined) return null;
  const taken = Array.from({ length: Math.min(wanted, list.length) }, () => take(list) ?? '');
  if (taken.length > 0) keyspace.modified(key);
  return count === undefined ? (taken[0] ?? null) : taken;
}

/** LREM: `count` from the head, from the tail when negative, all of them when zero. */
function remove(keyspace: Keyspace, [key = '', count = '', item = '']: readonly string[]): number {
  const wanted = parseIndex(count);
  const list = keyspace.read(key, 'list');
  if (list === undefined) return 0;
  const positions = [...list.keys()].filter((position) => list[position] === item);
  const chosen = wanted === 0 ? positions : wanted > 0 ? positions.slice(0, wanted) : positions.slice(wanted);
  for (const position of chosen.reverse()) list.splice(position, 1);
  if (chosen.length > 0) keyspace.modified(key);
  return chosen.length;
}
