/**
 * `email-ops init`: from nothing to a connected console. Asks for the credentials, tries each, writes them to `.env`, brings the
 * migration and the schedules, and ends with `doctor`. Writes nothing before everything was asked.
 */
import { parseEnv } from 'node:util';
import { type Config, loadConfig, type Variables } from '../config.ts';
import { isSecret, type VariableName, variable } from '../config-variables.ts';
import { FaultError } from '../data/fault.ts';
import { readSigningKeys } from '../data/signing-keys.ts';
import { isUpToDate } from '../domain/schedule-plan.ts';
import { cleanText } from '../domain/text.ts';
import { wrap } from '../domain/width.ts';
import type { Check } from './checks/check.ts';
import { type Command, CommandError, EXIT, type Invocation } from './command.ts';
import { readEnvFile, withVariables, writeEnvFile } from './env-file.ts';
import { type Question, SECTIONS, type Section } from './init-sections.ts';
import { applyMigrations, connectionOf, migrationCommands } from './migrate.ts';
import { refuseReadOnly } from './pause.ts';
import { openPrompt, type Prompt } from './prompt.ts';
import { groupLines } from './render/doctor.ts';
import { lookOf, shown } from './render/look.ts';

export const init: Command = {
  name: 'init',
  summary: 'connect a deployment: ask for the credentials, try each, write .env, bring migration and schedules',
  options: [],
  examples: [
    {
      line: 'email-ops init',
      what: 'asks, and changes nothing before it has everything; Ctrl-C until then leaves it as it was',
    },
  ],
  exitCodes: 'those of doctor, with which it ends; 1 when nothing was given.',
  run,
};

/** Null takes a variable out of the file. */
type Answers = Partial<Record<VariableName, string | null>>;

async function run(invocation: Invocation): Promise<number> {
  const { io, environment, signal } = invocation;
  const folder = process.cwd();
  const text = readEnvFile(folder);
  const look = lookOf(io);
  const print = (...lines: readonly string[]) => io.stderr.write(shown(lines, look));
  const say = (...lines: readonly string[]) => print(...lines.flatMap((line) => wrapped(line, look.columns)));
  say(
    `Connects email-ops to a deployment, and writes what you give to ${folder}/.env, which only you can read.`,
    'Keys and tokens stay hidden. Enter leaves out what you do not have, or keeps what .env has.',
  );
  const answers: Answers = {};
  const states: Check[] = [];
  let isWritten = false;
  try {
    await using prompt = openPrompt(io, signal);
    const dialogue: Dialogue = { prompt, known: parseEnv(text), invocation, say, print };
    for (const section of SECTIONS) {
      const { given, checks } = await askSection(section, dialogue);
      Object.assign(answers, given);
      states.push(...checks);
    }
    const result = withVariables(text, answers);
    if (Object.values(parseEnv(result)).every((value) => value === '')) {
      throw new CommandError(
        'Nothing was given, so nothing was written. Without credentials email-ops runs its sandbox',
      );
    }
    const path = await writeEnvFile(folder, result);
    isWritten = true;
    say('', `Written: ${path}`, ...overruled(answers, environment));
    if (isMigrationMissing(states)) await bringMigration(dialogue);
    await offerSchedules(dialogue, { ...parseEnv(result), ...environment });
  } catch (error) {
    throw signal.aborted || isInterrupt(error) ? interruption(invocation, isWritten) : error;
  }
  say('');
  const { doctor } = await import('./doctor.ts');
  return (await doctor.run?.({ ...invocation, options: {} })) ?? EXIT.ok;
}

/** Ctrl-C with raw keys is no signal. */
function isInterrupt(error: unknown): boolean {
  return error instanceof CommandError && error.exitCode === EXIT.interrupted;
}

/** Whoever breaks off wants to know what it leaves behind. */
function interruption({ io, signal }: Invocation, isWritten: boolean): CommandError {
  // The question stands there without its Enter.
  if (signal.aborted && io.stdin.isTty) io.stderr.write('\n');
  const left = isWritten ? '.env is written. What is still to do: email-ops doctor' : 'nothing was written';
  return new CommandError(`Interrupted; ${left}`, { exitCode: EXIT.interrupted });
}

/** Broken at spaces, each line as far in as the first. */
function wrapped(line: string, columns: number): readonly string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  return wrap(line.slice(indent.length), columns - indent.length).map((each) => indent + each);
}

interface Dialogue {
  readonly prompt: Prompt;
  /** What `.env` has. */
  readonly known: Variables;
  readonly invocation: Invocation;
  /** Sentences. */
  say(...lines: readonly string[]): void;
  /** What is there to be copied: never broken. */
  print(...lines: readonly string[]): void;
}

interface SectionAnswers {
  readonly given: Answers;
  readonly checks: readonly Check[];
}

/** Asks until the answers work, or the person wants them as they are, or none of them. */
async function askSection(section: Section, dialogue: Dialogue): Promise<SectionAnswers> {
  const { prompt, invocation, say } = dialogue;
  const look = lookOf(invocation.io);
  for (;;) {
    let checks: readonly Check[] = [];
    say('', `${section.title}  (without it: ${section.without})`);
    const given = await askQuestions(section.questions, dialogue);
    const used = variablesOf(section, given, dialogue.known);
    if (Object.keys(used).length === 0) {
      say(`  ${section.title} is left out.`);
      return { given, checks: [] };
    }
    const result = loadConfig(used);
    const problems = result.ok ? [] : result.problems;
    if (result.ok) {
      ({ checks } = await section.check(result.config, invocation.signal));
      invocation.io.stderr.write(shown(groupLines('Tried', checks, look), look));
      if (!isRefused(checks)) return { given, checks };
    } else say(...problems.map((problem) => `  ${problem}`));
    const keep = result.ok ? ', keep it all the same (k)' : '';
    const choice = await prompt.ask(`That does not work. Again (Enter)${keep}, or leave it out (s)?`);
    if (result.ok && /^k/i.test(choice)) return { given, checks };
    if (/^s/i.test(choice) || (choice === '' && !invocation.io.stdin.isTty)) return { given: {}, checks: [] };
  }
}

/** Providers that are down, a function or a migration that is missing: those are no wrong answers. */
function isRefused(checks: readonly Check[]): boolean {
  return checks.some(
    ({ name, state }) => state === 'failed' && ['reachable', 'writable', 'signing keys'].includes(name),
  );
}

async function askQuestions(questions: readonly Question[], dialogue: Dialogue): Promise<Answers> {
  const given: Answers = {};
  const { known, invocation } = dialogue;
  const has = (name: VariableName) => {
    const answer = given[name];
    return answer === undefined ? (known[name] ?? '') !== '' : answer !== null;
  };
  for (const question of questions) {
    if (question.insteadOf !== undefined && has(question.insteadOf)) continue;
    if (question.with !== undefined && !has(question.with)) continue;
    if (given[question.variable] !== undefined) continue;
    const answer = await askOne(question, dialogue);
    if (answer !== '') given[question.variable] = answer;
    // A new address of another kind takes the place of the old one.
    if (question.variable === 'REDIS_URL' && answer !== '') Object.assign(given, { KV_REST_API_TOKEN: null });
    if (question.variable === 'QSTASH_CURRENT_SIGNING_KEY' && answer === '' && !has('QSTASH_CURRENT_SIGNING_KEY'))
      Object.assign(given, await fetchedKeys({ ...known, ...given }, dialogue, invocation.signal));
  }
  return given;
}

async function askOne({ variable: name, isVisible }: Question, { prompt, known, say }: Dialogue): Promise<string> {
  const { what, remedy } = variable(name);
  const present = known[name] ?? '';
  const kept = present === '' ? '' : ` [Enter keeps ${isVisible === true ? cleanText(present, 200) : 'it'}]`;
  say(`  ${what}${remedy === undefined ? '' : ` (${remedy})`}`);
  const question = `  ${name}${kept}:`;
  if (isVisible === true || !isSecret(name)) return prompt.ask(question);
  const answer = await prompt.askHidden(question);
  if (answer !== '') say(`  ${answer.length} characters taken.`);
  return answer;
}

/** QStash tells its signing keys to whoever has the token: nobody has to copy them. */
async function fetchedKeys(
  { QSTASH_TOKEN: token, QSTASH_URL: url }: Readonly<Record<string, string | null | undefined>>,
  { say }: Dialogue,
  signal: AbortSignal,
): Promise<Answers> {
  if (!token) return {};
  try {
    const { current, next } = await readSigningKeys({ token, ...(url ? { url } : {}) }, signal);
    say('  Both signing keys were read from QStash.');
    return { QSTASH_CURRENT_SIGNING_KEY: current, QSTASH_NEXT_SIGNING_KEY: next };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return {};
  }
}

/** What the section would be configured with: the answers over what `.env` has. */
function variablesOf({ questions }: Section, given: Answers, known: Variables): Readonly<Record<string, string>> {
  const entries = questions.flatMap(({ variable: name }) => {
    const value = name in given ? given[name] : known[name];
    return (value ?? '') === '' ? [] : [[name, value ?? '']];
  });
  return Object.fromEntries(entries);
}

/** The process environment wins over `.env`: whoever has set something there would wonder. */
function overruled(answers: Answers, environment: Variables): readonly string[] {
  return Object.keys(answers)
    .filter((name) => (environment[name] ?? '') !== '' && environment[name] !== answers[name as VariableName])
    .map((name) => `! ${name} is also set in the environment, which wins over .env`);
}

function isMigrationMissing(checks: readonly Check[]): boolean {
  return checks.some(({ name, state }) => (name === 'schema' || name === 'migrations') && state !== 'ok');
}

async function bringMigration({ prompt, invocation, say, print }: Dialogue): Promise<void> {
  say(
    '',
    'The database lacks our migrations, or some of them: it can be watched, but workers and some views need them. They only add things, and may be repeated.',
    '  Address of the database (Supabase dashboard, Connect, session pooler; Enter prints the commands instead)',
  );
  const address = await prompt.askHidden('  postgresql://…:');
  if (address !== '') {
    try {
      connectionOf(address);
      say('  Applying…');
      await applyMigrations(address, invocation.signal);
      say('  ✓ applied');
      return;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      say(`  ✗ ${error.message}`);
    }
  }
  print('  Apply them with one of these:', '', ...migrationCommands().map((line) => `    ${line}`));
}

async function offerSchedules({ prompt, invocation, say, print }: Dialogue, variables: Variables): Promise<void> {
  const result = loadConfig(variables);
  const config: Config | null = result.ok ? result.config : null;
  if (config === null || config.qstash === null || config.worker.baseUrl === null) return;
  const [{ carryOutPlan, planLines, readPlan }, { connectSystems }] = await Promise.all([
    import('./schedules-sync.ts'),
    import('./connect.ts'),
  ]);
  const { io, environment, signal } = invocation;
  say('', `Schedules that call ${config.worker.baseUrl}:`);
  try {
    await using systems = await connectSystems(io, { environment, signal });
    const plan = await readPlan(systems, false, signal);
    print(...planLines(plan));
    if (isUpToDate(plan)) return;
    refuseReadOnly(systems);
    if (!(await prompt.askYes('Make QStash match?'))) {
      say('  Left as they are; `email-ops schedules sync` does it later.');
      return;
    }
    await carryOutPlan(plan, systems, { io, environment });
    say('  ✓ done');
  } catch (error) {
    if (signal.aborted || isInterrupt(error) || !(error instanceof Error)) throw error;
    say(`  ✗ ${error.message}`);
  }
}
