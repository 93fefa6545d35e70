/** The end of a command that did not work: one clear line on stderr, and the exit code that goes with it. */
import { inspect } from 'node:util';
import type { Fault } from '../domain/loaded.ts';
import { cleanText, withoutControls } from '../domain/text.ts';
import { CommandError, ConfigError, EXIT, UsageError } from './command.ts';

export interface Failure {
  /** Ready to print; empty when there is nothing to say. */
  readonly lines: readonly string[];
  readonly exitCode: number;
}

export interface FailureContext {
  /** The command to type for the right usage. */
  readonly help: string;
  /** The user or the system told us to stop: then a cancelled wait is no news. */
  readonly isInterrupted: boolean;
}

const LONGEST_LINE = 2_000;

/** Turns whatever was thrown into lines for a person, clean of what a terminal would obey. */
export function describeFailure(error: unknown, context: FailureContext): Failure {
  const { lines, exitCode } = failureOf(error, context);
  return { lines: lines.map((line) => cleanText(line, LONGEST_LINE)), exitCode };
}

function failureOf(error: unknown, { help, isInterrupted }: FailureContext): Failure {
  const fault = (error as { fault?: Fault } | null)?.fault;
  if (isInterrupted && isStop(error)) return { lines: [], exitCode: EXIT.interrupted };
  if (error instanceof ConfigError)
    return { lines: error.problems.map((problem) => `email-ops: ${problem}`), exitCode: EXIT.usage };
  if (error instanceof UsageError)
    return { lines: [`email-ops: ${sentence(error)} See: ${help}`], exitCode: EXIT.usage };
  if (error instanceof CommandError)
    return { lines: [`email-ops: ${sentence(error)}${cause(error)}`], exitCode: error.exitCode };
  if (error instanceof Error && fault !== undefined) return faultFailure(fault);
  return { lines: [`email-ops: ${sentence(error)}${cause(error)}`], exitCode: EXIT.failed };
}

/** A system outside did not do what was asked: its own sentence and remedy. */
function faultFailure({ code, message, remedy }: Fault): Failure {
  const exitCode = code === 'internal' || code === 'protocol' ? EXIT.failed : EXIT.unreachable;
  return { lines: [`email-ops: ${message}${remedy === undefined ? '' : ` ${remedy}`}`], exitCode };
}

/** The stack and every cause, for `DEBUG`. */
export function stackOf(error: unknown): string {
  const lines = inspect(error, { depth: 6, colors: false }).split('\n');
  return `${lines.map(withoutControls).join('\n')}\n`;
}

function isStop(error: unknown): boolean {
  return isAbort(error) || (error as { fault?: Fault } | null)?.fault?.code === 'cancelled';
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || (error as { code?: unknown }).code === 'ABORT_ERR');
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' ').replace(/\.$/, '');
}

function sentence(error: unknown): string {
  const text = oneLine(error);
  // A command at its end is there to be copied.
  return /[?]$|: email-ops [\w<> -]+$/.test(text) ? text : `${text}.`;
}

/** What lies behind it, where that is more than the sentence says already, or that we were told to stop. */
function cause(error: unknown): string {
  if (!(error instanceof Error && error.cause instanceof Error) || isStop(error.cause)) return '';
  const text = oneLine(error.cause);
  return oneLine(error).includes(text) ? '' : ` (${text})`;
}
