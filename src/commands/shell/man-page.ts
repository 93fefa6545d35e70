/** The man page in roff, made from the table of commands, the variables and the exit codes. */
import { VARIABLES } from '../../config-variables.ts';
import { EXIT_CODES } from '../command.ts';
import { DEFAULT_COMMAND } from '../table.ts';
import { type Flag, type Node, nodesOf } from './tree.ts';

export function manPage(root: Node, version: string): string {
  const commands = nodesOf(root).filter(({ path }) => path !== '');
  return `${[
    `.TH EMAIL\\-OPS 1 "" "email\\-ops ${version}" "User Commands"`,
    '.SH NAME',
    roff(`email-ops - ${root.command.summary}`),
    '.SH SYNOPSIS',
    `.B email\\-ops\n[\\fIcommand\\fR] [\\fIoptions\\fR]`,
    '.SH DESCRIPTION',
    roff(
      `Shows whether email is flowing, finds what is wrong, and acts on it; the same program runs the workers. Without a command it does what ${DEFAULT_COMMAND} does. Without credentials in the environment or in .env it starts a sandbox: the whole system on this machine.`,
    ),
    '.SH COMMANDS',
    ...commands.flatMap(commandLines),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(({ code, means }) => ['.TP', `.B ${code}`, roff(means)]),
    roff('Commands that have their own say so above.'),
    '.SH ENVIRONMENT',
    ...Object.entries(VARIABLES).flatMap(([name, { what }]) => ['.TP', `.B ${roff(name)}`, roff(what)]),
    '.SH FILES',
    '.TP\n.I .env',
    roff('variables, read from the working folder; the process environment wins'),
    '.TP\n.I $XDG_STATE_HOME/email\\-ops',
    roff("the sandbox's data; by default ~/.local/state/email-ops"),
  ].join('\n')}\n`;
}

function commandLines({ path, command, flags, children }: Node): readonly string[] {
  const words = ['email-ops', ...path.split('/').slice(1), ...(command.arguments ?? []).map(({ name }) => name)];
  const own = flags.filter(({ names }) => !['--no-color', '--ascii', '--help'].some((name) => names.includes(name)));
  return [
    `.SS ${roff(words.join(' '))}`,
    roff(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`),
    ...(children.length === 0 ? own.flatMap(flagLines) : []),
    ...(command.exitCodes === undefined ? [] : ['.PP', roff(`Exit status: ${command.exitCodes}`)]),
    ...command.examples.flatMap(({ line, what }) => ['.PP', roff(`${what}:`), '.RS', '.nf', roff(line), '.fi', '.RE']),
  ];
}

function flagLines({ names, description, value }: Flag): readonly string[] {
  const choices = value !== null && value.choices.length > 0 ? ` (${value.choices.join(', ')})` : '';
  return ['.TP', `.B ${roff(names.join(', '))}`, roff(`${description}${choices}`)];
}

/** Text that is none of roff's own: backslashes, hyphens that are typed, a full stop or a quote that begins a line. */
function roff(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll(/^[.']/gm, '\\&$&');
}
