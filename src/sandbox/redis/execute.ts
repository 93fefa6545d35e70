/** What the sandbox's two Redis engines have in common: commands go in, answers in the shape of Upstash's REST API come out. */

/** Name and arguments, for example `['SET', 'key', 'value']`. */
export type RedisCommand = readonly string[];

export type Reply = string | number | null | readonly Reply[];

export type Answer = { readonly result: Reply } | { readonly error: string };

/**
 * Runs commands in order. `each`: on their own, one answer for each. `atomic`: as MULTI … EXEC, with nothing in between; a
 * transaction that is discarded because a command is malformed is answered by one error for the whole.
 */
export type Execute = (
  commands: readonly RedisCommand[],
  mode: 'each' | 'atomic',
) => Promise<Answer | readonly Answer[]>;

/** Thrown by `execute` when the engine itself is away; answers of commands never throw. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}
