/** What the in-process engine says about itself, and how it is emptied. */

import type { Keyspace } from '../keyspace.ts';
import { CommandError, OK, Status, SYNTAX_ERROR } from '../values.ts';
import type { CommandTable } from './table.ts';

export const serverCommands: CommandTable = {
  ping: {
    arity: -1,
    run: (_, args, name) => {
      if (args.length > 1) throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
      return args[0] ?? new Status('PONG');
    },
  },
  echo: { arity: 2, run: (_, [text = '']) => text },
  time: {
    arity: 1,
    run: ({ nowEpochMs }) => [String(Math.floor(nowEpochMs / 1_000)), String(Math.floor(nowEpochMs % 1_000) * 1_000)],
  },
  dbsize: { arity: 1, run: (keyspace) => keyspace.keys().length },
  flushall: { arity: -1, run: flush },
  flushdb: { arity: -1, run: flush },
  info: {
    arity: -1,
    run: (keyspace) =>
      [
        '# Server',
        'redis_version:7.0.15',
        'redis_mode:standalone',
        'engine:in-process',
        '# Keyspace',
        `db0:keys=${keyspace.keys().length}`,
        '',
      ].join('\r\n'),
  },
};

function flush(keyspace: Keyspace, args: readonly string[]) {
  const isKnown = args.length === 0 || (args.length === 1 && /^a?sync$/i.test(args[0] ?? ''));
  if (!isKnown) throw new CommandError(SYNTAX_ERROR);
  keyspace.clear();
  return OK;
}
