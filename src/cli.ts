/** Arguments → one command. Builds the command line from the table of commands; knows nothing of what they do. */
import { readFileSync } from 'node:fs';
import { Argument, CommanderError, Command as CommandLine, InvalidArgumentError, Option } from 'commander';
import { type Command, EXIT, EXIT_CODES, type OptionSpec, UsageError } from './commands/command.ts';
import { describeFailure, stackOf } from './commands/failure.ts';
import { type Io, type IoChoices, processIo } from './commands/io.ts';
import { COMMANDS, DEFAULT_COMMAND } from './commands/table.ts';
import type { Variables } from './config.ts';
import { displayWidth, wrap } from './domain/width.ts';
import { prepareProcess } from './process.ts';

export interface CliHost {
  readonly environment: Variables;
  readonly signal: AbortSignal;
  io(choices: IoChoices): Io;
}

/** Runs one command line, `argv` without node and script, and resolves to the exit code. */
export async function runCli(argv: readonly string[], host: CliHost): Promise<number> {
  const words = withDefaultCommand(argv);
  const { stderr } = host.io({});
  const line = new CommandLine('email-ops');
  try {
    let exitCode: number = EXIT.ok;
    await describeProgram(line, words[0], host, (code) => {
      exitCode = code;
    });
    await line.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
    const cause = error instanceof CommanderError ? usageErrorOf(error) : error;
    const failure = describeFailure(cause, {
      help: `${calledCommand(line, words)} --help`,
      isInterrupted: host.signal.aborted,
    });
    if (failure.lines.length === 0) return failure.exitCode;
    const { withoutSecrets } = await import('./commands/secrets.ts');
    const stack = host.environment.DEBUG ? stackOf(error) : '';
    stderr.write(withoutSecrets(`${failure.lines.join('\n')}\n${stack}`, host.environment));
    return failure.exitCode;
  }
}

/** The process as it is: its arguments, terminal, environment and signals. Sets the exit code and lets the process end. */
export async function main(): Promise<void> {
  const stop = new AbortController();
  let signalExitCode: number | null = null;
  const onSignal = (_name: NodeJS.Signals, number: number) => {
    // The second one means it: leave at once.
    if (signalExitCode !== null) process.exit(128 + number);
    signalExitCode = 128 + number;
    stop.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  let isStdoutClosed = false;
  let hasOutputFailed = false;
  const io = processIo(process, process.env, (error) => {
    isStdoutClosed = error === null;
    hasOutputFailed = error !== null;
    if (error !== null) {
      process.stderr.write(`email-ops: The output cannot be written (${error.code ?? error.message}).\n`);
      // The error may arrive after the command has ended.
      process.exitCode = EXIT.failed;
    }
    stop.abort();
  });
  const exitCode = await runCli(process.argv.slice(2), { environment: process.env, signal: stop.signal, io });
  const whyInterrupted = signalExitCode ?? (hasOutputFailed ? EXIT.failed : isStdoutClosed ? EXIT.ok : exitCode);
  if (exitCode === EXIT.interrupted) process.exitCode = whyInterrupted;
  else process.exitCode = hasOutputFailed ? EXIT.failed : exitCode;
  // A socket that somebody forgot to close must not keep the shell waiting.
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

const LINGER_MS = 1_000;

// `email-ops`, `email-ops --plain`: the default command. A first word that is no option is a command, known or not.
function withDefaultCommand(argv: readonly string[]): string[] {
  const first = argv[0];
  const isForProgram = first !== undefined && (!first.startsWith('-') || PROGRAM_FLAGS.includes(first));
  return isForProgram ? [...argv] : [DEFAULT_COMMAND, ...argv];
}

const PROGRAM_FLAGS = ['-h', '--help', '-V', '--version'];

async function describeProgram(
  line: CommandLine,
  word: string | undefined,
  host: CliHost,
  onExitCode: (code: number) => void,
): Promise<void> {
  const { stdout, stderr } = host.io({});
  line
    .description('Terminal operations console and workers for the FoodShare email system.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .option('--no-color', 'no colours; NO_COLOR=1 does the same')
    .option('--ascii', 'only ASCII characters')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined, // reported once, by runCli
      getOutHelpWidth: () => helpWidth(stdout),
      getErrHelpWidth: () => helpWidth(stderr),
    })
    .exitOverride()
    .addHelpText('after', PROGRAM_HELP);
  const wanted = word === 'help' ? undefined : word;
  for (const row of COMMANDS) {
    const child = line.command(row.name).description(row.summary);
    // `help status` needs every command's own help; everything else only the one that is called.
    if (row.name === wanted || word === 'help') describeCommand(child, await row.load(), host, onExitCode);
  }
}

const PROGRAM_HELP = `
Without a command: ${DEFAULT_COMMAND}. Without credentials in the environment or in .env: the
sandbox.

Examples:
  email-ops                      watch the sandbox, or the deployment that .env names
  email-ops status --json        one snapshot for another program
  email-ops doctor               what is wrong, and what to do about it

Exit codes:
${EXIT_CODES.map(({ code, means }) => `  ${code.padEnd(4)} ${means}`).join('\n')}
\`status\` has its own.`;

function describeCommand(
  line: CommandLine,
  command: Command,
  host: CliHost,
  onExitCode: (code: number) => void,
): CommandLine {
  for (const { name, description } of command.arguments ?? []) line.addArgument(new Argument(name, description));
  for (const option of command.options) line.addOption(optionOf(option));
  for (const each of command.subcommands ?? [])
    describeCommand(line.command(each.name).description(each.summary), each, host, onExitCode);
  line.addHelpText('after', () => helpOf(command, helpWidth(host.io({}).stdout)));
  const run = command.run?.bind(command);
  if (run === undefined) return line;
  return line.action(async () => {
    const options = line.optsWithGlobals();
    onExitCode(
      await run({
        options,
        arguments: line.args,
        io: host.io(options),
        environment: host.environment,
        signal: host.signal,
      }),
    );
  });
}

function optionOf({ flags, description, parse, choices, default: preset }: OptionSpec): Option {
  const option = new Option(flags, description);
  if (choices !== undefined) option.choices(choices);
  if (preset !== undefined) option.default(preset);
  if (parse === undefined) return option;
  return option.argParser((text) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof UsageError ? new InvalidArgumentError(error.message) : error;
    }
  });
}

function helpOf({ examples, exitCodes }: Command, columns: number): string {
  const codes = exitCodes === undefined ? [] : ['', ...wrap(`Exit codes: ${exitCodes}`, columns)];
  return ['', 'Examples:', ...exampleLines(examples, columns), ...codes].join('\n');
}

/** Beside each other where all of them fit, else below each other: a command is copied, so it is never broken. */
function exampleLines(examples: Command['examples'], columns: number): readonly string[] {
  const width = Math.max(...examples.map(({ line }) => line.length));
  const beside = examples.map(({ line, what }) => `  ${line.padEnd(width)}  ${what}`);
  if (beside.every((line) => displayWidth(line) <= columns)) return beside;
  return examples.flatMap(({ line, what }) => [
    `  ${line}`,
    ...wrap(what, columns - 6).map((words) => `      ${words}`),
  ]);
}

function helpWidth({ columns }: Pick<Io['stdout'], 'columns'>): number {
  return Math.min(100, columns);
}

/** `email-ops queue list`, as far as the words name commands that there are. */
function calledCommand(line: CommandLine, words: readonly string[]): string {
  let called = line;
  const names = [line.name()];
  for (const word of words.filter((each) => !each.startsWith('-'))) {
    const inner = called.commands.find((each) => each.name() === word);
    if (inner === undefined) break;
    called = inner;
    names.push(word);
  }
  return names.join(' ');
}

/**
 * In our words: `error: unknown option '--jsn'\n(Did you mean --json?)`, and
 * `error: option '-n, --limit <count>' argument 'x' is invalid. 'x' is not …` or `… Allowed choices are a, b.`
 */
function usageErrorOf(error: CommanderError): UsageError {
  const text = error.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.+)\?\)$/, '; did you mean $1?')
    .replace(/^option '(?:-\w, )?(--[\w-]+)[^']*' argument /, '$1: ')
    .replace(/^(--[\w-]+: ).* is invalid\. (?=')/s, '$1')
    .replace(/ is invalid\. Allowed choices are (.*)\.$/, ' is none of $1');
  return new UsageError(text, { cause: error });
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

// For those who work on it; elsewhere `email-ops.cts` does both, before it loads this.
if (import.meta.main) {
  prepareProcess(process.env);
  void main();
}
