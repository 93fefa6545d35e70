/** The in-process engine's commands as one table: adding a command is adding a row. */
import type { Arity } from '../arity.ts';
import type { Keyspace } from '../keyspace.ts';
import type { EngineReply } from '../values.ts';
import { hashCommands } from './hashes.ts';
import { keyCommands } from './keys.ts';
import { listCommands } from './lists.ts';
import { serverCommands } from './server.ts';
import { setCommands } from './sets.ts';
import { sortedSetCommands } from './sorted-sets.ts';
import { stringCommands } from './strings.ts';

export interface CommandSpec {
  readonly arity: Arity;
  /** `name` is the command's lower-case name, for error texts. @throws CommandError */
  run(keyspace: Keyspace, args: readonly string[], name: string): EngineReply;
}

export type CommandTable = Readonly<Record<string, CommandSpec>>;

/** By lower-case name. EVAL and its kin are not here: they need the engine itself (script.ts). */
export const COMMANDS: ReadonlyMap<string, CommandSpec> = new Map(
  Object.entries({
    ...stringCommands,
    ...keyCommands,
    ...hashCommands,
    ...listCommands,
    ...setCommands,
    ...sortedSetCommands,
    ...serverCommands,
  }),
);
