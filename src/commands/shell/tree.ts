/** The table of commands as the shell sees it: every word that may come, and where. Completions and the man page are made of it. */
import { PROVIDERS } from '../../domain/email.ts';
import { WORKERS } from '../../domain/run.ts';
import type { Command, OptionSpec } from '../command.ts';
import { COMMANDS, DEFAULT_COMMAND } from '../table.ts';

export interface Node {
  /** The words after `email-ops`, with a slash before each: `/queue/list`; empty for the program itself. */
  readonly path: string;
  readonly command: Command;
  readonly flags: readonly Flag[];
  /** What may stand as an argument, where that is known beforehand. */
  readonly values: readonly string[];
  readonly children: readonly Node[];
}

export interface Flag {
  /** `-o`, `--output`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Null where it takes no value. */
  readonly value: { readonly choices: readonly string[]; readonly isFile: boolean } | null;
}

const EVERYWHERE: readonly OptionSpec[] = [
  { flags: '--no-color', description: 'no colours' },
  { flags: '--ascii', description: 'only ASCII characters' },
  { flags: '-h, --help', description: 'show the help' },
];

/** Of arguments by their name in the table. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '<worker>': WORKERS,
  '<provider>': PROVIDERS,
  '<shell>': ['bash', 'zsh', 'fish'],
};

/** The program itself: the options of its default command, and every command below it. */
export async function commandTree(): Promise<Node> {
  const commands = await Promise.all(COMMANDS.map(({ load }) => load()));
  const children = commands.map((command) => nodeOf(command, ''));
  const preset = children.find(({ command }) => command.name === DEFAULT_COMMAND);
  return {
    path: '',
    command: {
      name: 'email-ops',
      summary: 'terminal operations console and workers for the FoodShare email system',
      options: [],
      examples: [],
    },
    flags: [...(preset?.flags ?? []), flagOf({ flags: '-V, --version', description: 'print the version' })],
    values: [],
    children,
  };
}

/** The node and all below it, those above first. */
export function nodesOf(root: Node): readonly Node[] {
  return [root, ...root.children.flatMap(nodesOf)];
}

function nodeOf(command: Command, above: string): Node {
  const path = `${above}/${command.name}`;
  return {
    path,
    command,
    flags: [...command.options, ...EVERYWHERE].map(flagOf),
    values: (command.arguments ?? []).flatMap(({ name }) => VALUES[name] ?? []),
    children: (command.subcommands ?? []).map((each) => nodeOf(each, path)),
  };
}

function flagOf({ flags, description, choices = [] }: OptionSpec): Flag {
  const names = flags.split(/[ ,]+/).filter((word) => word.startsWith('-'));
  const value = /[<[]([\w.]+)/.exec(flags)?.[1];
  return { names, description, value: value === undefined ? null : { choices, isFile: /file|path/.test(value) } };
}
