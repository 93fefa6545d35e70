/** What a command is: data that the command line, its help and the docs are made from, and the function that does it. */
import type { Variables } from '../config.ts';
import type { Io } from './io.ts';

/** `Options` are the parsed flags by their camel-case names, as commander gives them. */
export interface Command<Options = Record<string, unknown>> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly Example[];
  /** What the exit codes mean, where they say more than 'worked' and 'did not'. */
  readonly exitCodes?: string;
  readonly subcommands?: readonly Command[];
  /** Resolves to the exit code. Missing where only the subcommands do something. Expected failures are thrown. */
  run?(invocation: Invocation<Options>): Promise<number>;
}

export interface Invocation<Options = Record<string, unknown>> {
  readonly options: Options;
  readonly arguments: readonly string[];
  readonly io: Io;
  /** The process environment; `.env` is read where the configuration is. */
  readonly environment: Variables;
  /** Aborted by SIGINT, SIGTERM, SIGHUP, and when nobody reads stdout any more. */
  readonly signal: AbortSignal;
}

export interface ArgumentSpec {
  /** `<required>`, `[optional]`, `<many...>`. */
  readonly name: string;
  readonly description: string;
}

export interface OptionSpec {
  /** As commander reads them: `-n, --limit <count>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
  /** Throws a {@link UsageError} for a value that cannot be. */
  readonly parse?: (text: string) => unknown;
}

export interface Example {
  readonly line: string;
  readonly what: string;
}

/** What every command exits with, unless its own `exitCodes` say more: the one table for help, docs and man page. */
export const EXIT_CODES = [
  { code: '0', means: 'worked' },
  { code: '1', means: 'did not; stderr says in one line what and why' },
  { code: '2', means: 'wrong usage or configuration: nothing was done' },
  { code: '3', means: 'a system could not be reached' },
  { code: '130', means: 'interrupted by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP' },
] as const;

export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

/** The command was called wrongly. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The environment is not usable; one line a problem. Exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Something outside failed, in words for a person. `exitCode` defaults to 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}
