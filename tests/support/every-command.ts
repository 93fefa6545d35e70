/** Every command of the table as somebody would call it, made from its own description: a new one is there by itself. */
import type { ArgumentSpec, Command } from '../../src/commands/command.ts';
import { COMMANDS } from '../../src/commands/table.ts';

/** What stands for an argument in the line; another name gets an id. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  worker: 'queue-processor',
  provider: 'brevo',
  schedule: 'email-tick',
};
/** The id in the lines. */
export const AN_ID = '5b0c1b5e-0000-4000-8000-000000000001';
/** Required by some commands, understood by the others that have them. */
const CONSENTS = ['--yes'];

/** Lines without `email-ops`: each command that does something, once as it is and once with `--json` where it has that. */
export async function everyCommandLine(): Promise<readonly (readonly string[])[]> {
  const commands = await Promise.all(COMMANDS.map(({ load }) => load()));
  return commands.flatMap((command) => linesOf(command, []));
}

function linesOf(command: Command, path: readonly string[]): readonly (readonly string[])[] {
  const words = [...path, command.name];
  const inner = (command.subcommands ?? []).flatMap((each) => linesOf(each, words));
  if (command.run === undefined) return inner;
  const has = (flag: string) => command.options.some(({ flags }) => flags.split(/[ ,]+/).includes(flag));
  const line = [...words, ...(command.arguments ?? []).flatMap(argumentOf), ...CONSENTS.filter(has)];
  return [line, ...(has('--json') ? [[...line, '--json']] : []), ...inner];
}

function argumentOf({ name }: ArgumentSpec): readonly string[] {
  const word = name.replaceAll(/[<>.[\]]/g, '');
  return [ARGUMENTS[word] ?? AN_ID];
}
