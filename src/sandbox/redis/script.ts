/** Lua for the in-process engine: EVAL, EVALSHA and SCRIPT over the same Lua 5.1 that Redis embeds, compiled to WebAssembly. */
import { createHash } from 'node:crypto';
import { LuaWasmEngine, type ReplyValue } from 'lua-redis-wasm';
import { fitsArity } from './arity.ts';
import { CommandError, type EngineReply, OK, parseInt64, Status } from './values.ts';

export interface Scripting {
  /** Runs EVAL, EVALSHA, their read-only forms or SCRIPT. @throws CommandError */
  run(name: string, args: readonly string[]): EngineReply;
  /** The source of a script that was run or loaded since the start. */
  sourceOf(sha: string): string | undefined;
}

export const SCRIPT_COMMANDS: ReadonlyMap<string, { arity: number }> = new Map([
  ['eval', { arity: -3 }],
  ['eval_ro', { arity: -3 }],
  ['evalsha', { arity: -3 }],
  ['evalsha_ro', { arity: -3 }],
  ['script', { arity: -2 }],
]);

/** Words of each SCRIPT subcommand, SCRIPT and its own name included, as in {@link SCRIPT_COMMANDS}. */
const SUBCOMMANDS: ReadonlyMap<string, number> = new Map([
  ['load', 3],
  ['exists', -3],
  ['flush', -2],
]);

/** What is wrong with the words of a SCRIPT command, or null. */
export function refusalOfScript(args: readonly string[]): string | null {
  const [subcommand = ''] = args;
  const arity = SUBCOMMANDS.get(subcommand.toLowerCase());
  if (arity === undefined) return `ERR unknown subcommand '${subcommand}'. Try SCRIPT HELP.`;
  if (fitsArity(args.length + 1, arity)) return null;
  return `ERR wrong number of arguments for 'script|${subcommand.toLowerCase()}' command`;
}

export interface ScriptHost {
  /** Runs a command for `redis.call`. @throws CommandError for an error reply */
  call(command: readonly string[]): EngineReply;
  /** The time at which scripts run now. */
  nowEpochMs(): number;
}

export async function createScripting(redis: ScriptHost): Promise<Scripting> {
  const sources = new Map<string, string>();
  const callFromLua = (words: Buffer[]): ReplyValue => {
    try {
      return toLua(redis.call(words.map((word) => word.toString('utf8'))));
    } catch (error) {
      if (error instanceof CommandError) return toLuaError(error.message);
      throw error;
    }
  };
  const lua = await LuaWasmEngine.create({
    profile: 'redis-7.0',
    limits: { maxFuel: MAX_INSTRUCTIONS },
    host: { redisCall: callFromLua, redisPcall: callFromLua, log: () => {} },
  });

  const load = (source: string): string => {
    const sha = createHash('sha1').update(source).digest('hex');
    if (sources.has(sha)) return sha;
    const problem = fromLua(lua.evalWithArgs(COMPILE_CHECK, [], [Buffer.from(source)]));
    if (problem !== null) throw new CommandError(`ERR Error compiling script (new function): ${problem}`);
    sources.set(sha, source);
    return sha;
  };
  const evaluate = (source: string, [count = '', ...rest]: readonly string[]): EngineReply => {
    const keys = parseKeyCount(count, rest.length);
    const words = rest.map((word) => Buffer.from(word));
    // Seeded with the time, a script draws the same numbers when the journal replays it.
    if (source.includes('random')) lua.eval(`math.randomseed(${redis.nowEpochMs() % 2 ** 31})`);
    return fromLua(lua.evalWithArgs(source, words.slice(0, keys), words.slice(keys)));
  };

  return {
    sourceOf: (sha) => sources.get(sha.toLowerCase()),
    run: (name, [first = '', ...rest]) => {
      if (name === 'script') return script(first, rest, sources, load);
      if (name.startsWith('evalsha')) {
        // What cannot be a digest at all is refused before the count of keys is looked at.
        if (first.length === 40) parseKeyCount(rest[0] ?? '', rest.length - 1);
        const source = sources.get(first.toLowerCase());
        if (source === undefined) throw new CommandError('NOSCRIPT No matching script. Please use EVAL.');
        return evaluate(source, rest);
      }
      parseKeyCount(rest[0] ?? '', rest.length - 1);
      load(first);
      return evaluate(first, rest);
    },
  };
}

/** A script that runs away is ended after about a second: nothing else can be served meanwhile. */
const MAX_INSTRUCTIONS = 200_000_000;

const COMPILE_CHECK = 'local f, problem = loadstring(ARGV[1], "@user_script") return problem';

function parseKeyCount(text: string, available: number): number {
  const count = Number(parseInt64(text));
  if (count > available) throw new CommandError("ERR Number of keys can't be greater than number of args");
  if (count < 0) throw new CommandError("ERR Number of keys can't be negative");
  return count;
}

function script(
  subcommand: string,
  args: readonly string[],
  sources: Map<string, string>,
  load: (source: string) => string,
): EngineReply {
  switch (subcommand.toLowerCase()) {
    case 'load':
      return load(args[0] ?? '');
    case 'exists':
      return args.map((sha) => (sources.has(sha.toLowerCase()) ? 1 : 0));
    default:
      sources.clear();
      return OK;
  }
}

function toLua(reply: EngineReply): ReplyValue {
  if (reply === null) return reply;
  // Beyond 2^53 a reply is a rounded number already; rounded up to 2^63 it would not fit.
  if (typeof reply === 'number') return Number.isSafeInteger(reply) ? reply : BigInt.asIntN(64, BigInt(reply));
  if (typeof reply === 'string') return Buffer.from(reply);
  return reply instanceof Status ? { ok: Buffer.from(reply.text) } : reply.map(toLua);
}

function toLuaError(message: string): ReplyValue {
  const space = message.indexOf(' ');
  return { err: Buffer.from(message.slice(space + 1)), code: Buffer.from(message.slice(0, space)) };
}

/** @throws CommandError when the script failed or answers with an error. */
function fromLua(value: ReplyValue): EngineReply {
  if (value === null || typeof value === 'number') return value;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  if (Array.isArray(value)) return value.map((item) => (isError(item) ? errorText(item) : fromLua(item)));
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : null;
  if (isError(value)) throw new CommandError(errorText(value));
  if ('ok' in value) return new Status(value.ok.toString('utf8'));
  throw new CommandError('ERR the script answered with a type of RESP3, which this engine does not speak');
}

type LuaError = Extract<ReplyValue, { err: Buffer }>;

function isError(value: ReplyValue): value is LuaError {
  return typeof value === 'object' && value !== null && 'err' in value;
}

/** Where a script broke off, Redis adds which one and where; an error that it returned goes out as it is. */
function errorText({ err, code, meta }: LuaError): string {
  const prefix = code === undefined ? '' : `${code} `;
  if (meta === undefined) return `${prefix}${err}`;
  return `${prefix}${wording(err.toString('utf8'), meta)} script: ${meta.sha}, on @user_script:${meta.line}.`;
}

function wording(message: string, { kind, name, line }: NonNullable<LuaError['meta']>): string {
  switch (kind) {
    case 'global-read':
      return `user_script:${line}: Script attempted to access nonexistent global variable '${name}'`;
    case 'command-arg-type':
      return 'Lua redis lib command arguments must be strings or integers';
    default:
      return message;
  }
}
