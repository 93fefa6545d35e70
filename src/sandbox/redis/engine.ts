/**
 * Redis within this process, for machines without a redis-server: our own data structures for the commands in use, and
 * Redis's Lua. A property test holds every answer to a real server's.
 *
 * Why not a library: the journal replays commands at the times they were made, so time has to come from outside, and no
 * library takes it. Nor do they answer alike: of 1,000 random sequences held against redis-server 7.0, `ioredis-mock` answered
 * 257 as it did, `js-redis-server` 0.3.0 745, this one all.
 */
import { z } from 'zod';
import type { Clock } from '../../domain/time.ts';
import { type Journal, openJournal } from '../journal.ts';
import { fitsArity } from './arity.ts';
import { COMMANDS } from './commands/table.ts';
import { type Answer, type Execute, RedisAway, type RedisCommand, type Reply } from './execute.ts';
import { dumpedKeySchema, Keyspace } from './keyspace.ts';
import { createScripting, refusalOfScript, SCRIPT_COMMANDS, type Scripting } from './script.ts';
import { CommandError, type EngineReply, Status } from './values.ts';

export interface EngineOptions {
  /** File that remembers every write. What `execute` answered survives the death of this process. */
  readonly journalPath: string;
  readonly clock: Clock;
  /** Journal lines after which it is rewritten as the present state. */
  readonly compactAfter?: number;
}

export interface Engine {
  readonly execute: Execute;
  stop(): Promise<void>;
}

/** Opens the data at `journalPath`, or begins empty. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { clock, compactAfter = 20_000 } = options;
  const journal = openJournal(options.journalPath, (line) => journalLine.parse(line));
  const machine = createMachine();
  await replay(machine, journal.replayed);
  let lines = journal.replayed.length;
  let stopped: string | null = null;

  const remember = (atEpochMs: number, run: readonly RedisCommand[]) => {
    if (run.length === 0) return;
    try {
      journal.append({ at: atEpochMs, run });
      lines += 1;
      if (lines > compactAfter) lines = compact(journal, machine.keyspace, compactAfter);
    } catch (cause) {
      // Memory is ahead of the file now: answering on would promise what a restart does not keep.
      stopped = 'the sandbox’s Redis cannot write its journal';
      throw new RedisAway(stopped, { cause });
    }
  };

  return {
    execute: async (commands, mode) => {
      const wellFormed = commands.map((command) => command.map((word) => word.toWellFormed()));
      if (wellFormed.some(needsLua)) await machine.loadLua();
      if (stopped !== null) throw new RedisAway(stopped);
      // From here on nothing waits: every batch is atomic, a pipeline too.
      machine.keyspace.nowEpochMs = Math.floor(clock.nowEpochMs());
      const discarded = mode === 'atomic' ? wellFormed.map(refusal).find((reason) => reason !== null) : undefined;
      if (discarded !== undefined) return { error: `EXECABORT Transaction discarded because of: ${discarded}` };
      const { answers, changing } = machine.runAll(wellFormed);
      remember(machine.keyspace.nowEpochMs, changing);
      return answers;
    },
    stop: async () => {
      if (stopped === null) journal.close();
      stopped ??= 'the sandbox’s Redis was stopped';
    },
  };
}

const journalLine = z.union([
  z.object({ at: z.number(), run: z.array(z.array(z.string()).readonly()).readonly() }),
  z.object({ key: dumpedKeySchema }),
]);

type JournalLine = z.infer<typeof journalLine>;

/** Writes are done again at the times they were made, so that what expired between them is gone between them again. */
async function replay(machine: Machine, lines: readonly JournalLine[]): Promise<void> {
  for (const line of lines) {
    if ('key' in line) machine.keyspace.load(line.key);
    else {
      if (line.run.some(needsLua)) await machine.loadLua();
      machine.keyspace.nowEpochMs = line.at;
      machine.runAll(line.run);
    }
  }
}

/** Rewrites the journal as the present state. Answers from how many lines on to count: a large state waits longer. */
function compact(journal: Journal<JournalLine>, keyspace: Keyspace, compactAfter: number): number {
  keyspace.forgetExpired();
  const state = keyspace.dump().map((key) => ({ key }));
  journal.rewrite(state);
  return Math.min(state.length, compactAfter / 2);
}

type Machine = ReturnType<typeof createMachine>;

/** The commands over one keyspace; knows nothing of files and clocks. */
function createMachine() {
  const keyspace = new Keyspace();
  let scripting: Scripting | undefined;
  let loading: Promise<Scripting> | undefined;

  const run = (command: RedisCommand): EngineReply => {
    const reason = refusal(command);
    if (reason !== null) throw new CommandError(reason);
    const [name, args] = split(command);
    if (scripting !== undefined && SCRIPT_COMMANDS.has(name)) return scripting.run(name, args);
    return COMMANDS.get(name)?.run(keyspace, args, name) ?? null;
  };

  return {
    keyspace,
    loadLua: async () => {
      loading ??= createScripting({
        call: (command) => runFromScript(keyspace, command),
        nowEpochMs: () => keyspace.nowEpochMs,
      });
      scripting = await loading;
    },
    /** Answers for all, and those that changed something, as they are to be journaled. */
    runAll: (commands: readonly RedisCommand[]) => {
      const changing: RedisCommand[] = [];
      const answers = commands.map((command): Answer => {
        const changesBefore = keyspace.changes;
        const answer = answerOf(() => run(command));
        if (keyspace.changes > changesBefore) changing.push(withSource(command, scripting));
        return answer;
      });
      return { answers, changing };
    },
  };
}

function answerOf(run: () => EngineReply): Answer {
  try {
    return { result: plain(run()) };
  } catch (error) {
    if (error instanceof CommandError) return { error: error.message };
    throw error;
  }
}

function plain(reply: EngineReply): Reply {
  if (reply instanceof Status) return reply.text;
  return Array.isArray(reply) ? reply.map(plain) : (reply as Reply);
}

function split([name = '', ...args]: RedisCommand): [name: string, args: string[]] {
  return [name.toLowerCase(), args];
}

function needsLua(command: RedisCommand): boolean {
  return SCRIPT_COMMANDS.has(split(command)[0]);
}

/** Why a command cannot even be queued, or null. */
function refusal(command: RedisCommand): string | null {
  const [name, args] = split(command);
  const spec = COMMANDS.get(name) ?? SCRIPT_COMMANDS.get(name);
  if (spec === undefined) {
    const quoted = args.map((arg) => `'${arg.slice(0, 128)}' `).join('');
    return `ERR unknown command '${command[0]}', with args beginning with: ${quoted}`;
  }
  if (!fitsArity(command.length, spec.arity)) return `ERR wrong number of arguments for '${name}' command`;
  return name === 'script' ? refusalOfScript(args) : null;
}

/** `redis.call`: what is wrong with a command is worded differently there. */
function runFromScript(keyspace: Keyspace, command: RedisCommand): EngineReply {
  const [name, args] = split(command);
  if (SCRIPT_COMMANDS.has(name)) throw new CommandError('ERR This Redis command is not allowed from script');
  const spec = COMMANDS.get(name);
  if (spec === undefined) throw new CommandError('ERR Unknown Redis command called from script');
  if (!fitsArity(command.length, spec.arity)) {
    throw new CommandError('ERR Wrong number of args calling Redis command from script');
  }
  return spec.run(keyspace, args, name);
}

/** The journal outlives the script cache: it holds scripts in full. */
function withSource(command: RedisCommand, scripting: Scripting | undefined): RedisCommand {
  const [name, [sha = '', ...rest]] = split(command);
  const source = name === 'evalsha' ? scripting?.sourceOf(sha) : undefined;
  return source === undefined ? command : ['eval', source, ...rest];
}
