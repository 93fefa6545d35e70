/** Sets of the in-process engine. */
import type { CommandTable } from './table.ts';

export const setCommands: CommandTable = {
  sadd: {
    arity: -3,
    run: (keyspace, [key = '', ...members]) => {
      const set = keyspace.obtain(key, 'set');
      const sizeBefore = set.size;
      for (const member of members) set.add(member);
      if (set.size > sizeBefore) keyspace.modified(key);
      return set.size - sizeBefore;
    },
  },
  srem: {
    arity: -3,
    run: (keyspace, [key = '', ...members]) => {
      const set = keyspace.read(key, 'set');
      const removed = members.filter((member) => set?.delete(member) === true).length;
      if (removed > 0) keyspace.modified(key);
      return removed;
    },
  },
  smembers: { arity: 2, run: (keyspace, [key = '']) => [...(keyspace.read(key, 'set') ?? [])] },
  sismember: { arity: 3, run: (keyspace, [key = '', member = '']) => (keyspace.read(key, 'set')?.has(member) ? 1 : 0) },
  scard: { arity: 2, run: (keyspace, [key = '']) => keyspace.read(key, 'set')?.size ?? 0 },
};
