// `npm run docs`: writes the pages of docs/ that are made from tables in src/. With --check it only says which of them are
// not as the tables have it, and changes nothing.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT_CODES } from '../src/commands/command.ts';
import { costLines } from '../src/commands/cost.ts';
import { manPage } from '../src/commands/shell/man-page.ts';
import { commandTree, nodesOf } from '../src/commands/shell/tree.ts';
import { COMMANDS, DEFAULT_COMMAND } from '../src/commands/table.ts';
import { VARIABLES } from '../src/config-variables.ts';
import { CALM_STEPS, FAST_MS, SLOWEST_MS } from '../src/domain/cadence.ts';
import { commandsPerHour, costOf, DAYS_PER_MONTH, PRICES, REDIS_COMMANDS } from '../src/domain/cost.ts';
import { formatAge } from '../src/domain/format.ts';
import { RUNBOOK } from '../src/domain/runbook.ts';
import { keyLabel } from '../src/ui/key-label.ts';
import { KEYMAP } from '../src/ui/keymap.ts';
import { jsonPage, jsonSchemas } from './json-page.mjs';

const CONFIGURATION_INTRO = `# Configuration

<!-- Made from src/config-variables.ts by \`npm run docs\`. Change it there. -->

email-ops is configured by environment variables. A file \`.env\` in the working folder is read too; what the process
environment has set wins, also when it is set to nothing (\`REDIS_URL= email-ops status\` does without Redis for once).

- **None of the credentials set**: the sandbox starts, the whole system on this machine.
- **Some of them**: email-ops runs with what is there, shows what is not, and says which variables it takes.
- **Something wrong**: every mistake is told at once, one line each, and the exit code is 2. \`email-ops doctor\` tells more.

Values of keys and tokens are never printed.
`;

const CONFIGURATION_REST = `
## Read as everybody reads them

| variable | what |
|---|---|
| \`NO_COLOR\`, \`FORCE_COLOR\`, \`TERM\` | colours off, on, or as the terminal can |
| \`LC_ALL\`, \`LC_CTYPE\`, \`LANG\` | only ASCII is shown where the locale is not UTF-8, and by the dashboard where \`TERM\` is \`linux\` or \`vt…\` |
| \`XDG_STATE_HOME\` | where the sandbox keeps its data and the dashboard its log (\`dashboard.log\`): \`$XDG_STATE_HOME/email-ops\`, by default \`~/.local/state/email-ops\` |
| \`XDG_CACHE_HOME\` | where compiled code is kept for a faster start: \`$XDG_CACHE_HOME/email-ops\`, by default \`~/.cache/email-ops\`; \`NODE_DISABLE_COMPILE_CACHE=1\` keeps none |
| \`DEBUG\` | set to anything: errors come with their stack |
| \`NODE_ENV\` | \`development\`: worker endpoints answer a plain GET |
| \`QSTASH_DEV\` | refused outside \`NODE_ENV=development\`, because it makes the QStash SDK accept its public test keys |

## An example

\`\`\`sh
# .env
KV_REST_API_URL=https://….upstash.io
KV_REST_API_TOKEN=…
NEXT_PUBLIC_SUPABASE_URL=https://….supabase.co
SUPABASE_SERVICE_ROLE_KEY=sb_secret_…
QSTASH_TOKEN=…
QSTASH_CURRENT_SIGNING_KEY=sig_…
QSTASH_NEXT_SIGNING_KEY=sig_…
EMAIL_WORKER_BASE_URL=https://foodshare.club
\`\`\`
`;

const COMMANDS_INTRO = `# Commands

<!-- Made from src/commands by \`npm run docs\`. Change it there. -->

Every command has \`--help\`. All of them take \`--no-color\` and \`--ascii\`, write results to stdout and everything else to
stderr, and say in one line what went wrong and what to do. \`man email-ops\` says the same as this page, and
\`email-ops completion bash|zsh|fish\` prints what your shell needs to complete it.
`;

const RUNBOOK_INTRO = `# Runbook

<!-- Made from src/domain/runbook.ts by \`npm run docs\`. Change it there. -->

What every alert and every reason of the verdict means, and what to check first, in this order. The dashboard shows the same in
its view *Alerts* (\`3\`) for what is selected there. Keys are those of the dashboard: a number goes to that view. When you know
nothing yet: \`email-ops status\` says whether mail flows, and if not, why; \`email-ops doctor\` checks every system from where you
are.
`;

const KEYS_INTRO = `# Keys

<!-- Made from src/ui/keymap.ts by \`npm run docs\`. Change it there. -->

Of the dashboard. \`?\` shows those of the view at hand, and why one can't be pressed now; after \`:\` every word works as well,
and Tab completes it. Keys that change something are inert in a read-only console, and with \`--safe\` until Ctrl-A arms them.

| key | \`:\` | does | changes something |
|---|---|---|---|
`;

const COST_INTRO = `# Costs

<!-- Made from src/domain/cost.ts by \`npm run docs\`. Change it there. -->

What the email system costs a month at Upstash, computed by \`email-ops cost\` from what you tell it: emails a day, who calls the
workers, how many hours a day somebody watches, and how often the screen refreshes. What the email providers, Supabase and the
place where the workers run cost is not in it.
`;

const PAGES = {
  'configuration.md': configuration(),
  'commands.md': await commands(),
  'runbook.md': runbook(),
  'keys.md': keys(),
  'cost.md': costs(),
  'json.md': jsonPage(),
  'json-schemas.json': jsonSchemas(),
  'email-ops.1': manPage(await commandTree(), version()),
};

const outdated = Object.entries(PAGES).filter(([name, text]) => read(name) !== text);
if (process.argv.includes('--check')) {
  for (const [name] of outdated) console.error(`docs/${name} is not as src/ has it. Run: npm run docs`);
  process.exitCode = outdated.length === 0 ? 0 : 1;
} else {
  for (const [name, text] of outdated) writeFileSync(path(name), text);
  console.log(outdated.length === 0 ? 'docs: nothing to change' : `docs: ${outdated.map(([name]) => name).join(', ')}`);
}

function version() {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

function path(name) {
  return fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
}

function read(name) {
  try {
    return readFileSync(path(name), 'utf8');
  } catch {
    return '';
  }
}

function configuration() {
  const groups = Map.groupBy(Object.entries(VARIABLES), ([, { group }]) => group);
  const tables = [...groups].map(([group, rows]) =>
    [`## ${group}`, '', '| variable | what | default, range |', '|---|---|---|', ...rows.map(variableRow), ''].join(
      '\n',
    ),
  );
  return `${CONFIGURATION_INTRO}\n${tables.join('\n')}${CONFIGURATION_REST}`;
}

function variableRow([name, { aliases = [], what, format, default: preset, min, max, remedy }]) {
  const names = [name, ...aliases].map((each) => `\`${each}\``).join(' or ');
  const range = format === 'integer' ? `${preset}, ${min} to ${max}` : (preset ?? '');
  const least = format === 'secret' && min ? `at least ${min} characters` : '';
  return `| ${names} | ${what}${remedy ? ` (${remedy})` : ''} | ${[range, least].filter(Boolean).join(', ')} |`;
}

async function commands() {
  const parts = [];
  for (const row of COMMANDS) parts.push(commandPart(await row.load(), `email-ops`, '##'));
  const codes = EXIT_CODES.map(({ code, means }) => `| ${code} | ${means} |`);
  const own = nodesOf(await commandTree())
    .filter(({ command }) => command.exitCodes)
    .map(({ path, command }) => `| \`email-ops${path.replaceAll('/', ' ')}\` | ${command.exitCodes} |`);
  const exits = ['## Exit codes', '', '| code | means |', '|---|---|', ...codes, ''];
  const theirs = ['Commands that have their own:', '', '| command | exit codes |', '|---|---|', ...own, ''];
  return [COMMANDS_INTRO, ...exits, ...theirs, parts.join('\n')].join('\n');
}

function commandPart(command, before, heading) {
  const name = `${before} ${command.name}`;
  const usage = [name, ...(command.arguments ?? []).map((each) => each.name)].join(' ');
  const isDefault = command.name === DEFAULT_COMMAND && heading === '##' ? ' (what `email-ops` alone does)' : '';
  const lines = [`${heading} \`${usage}\``, '', `${sentence(command.summary)}${isDefault}`, ''];
  if (command.options.length > 0) {
    lines.push('| option | what |', '|---|---|');
    for (const option of command.options) lines.push(optionRow(option));
    lines.push('');
  }
  lines.push('```sh', ...command.examples.map(({ line, what }) => `${line}  # ${what}`), '```', '');
  if (command.exitCodes) lines.push(`Exit codes: ${command.exitCodes}`, '');
  const children = (command.subcommands ?? []).map((each) => commandPart(each, name, '###'));
  return [lines.join('\n'), ...children].join('\n');
}

function optionRow({ flags, description, choices, default: preset }) {
  const facts = [
    ...(choices ? [`one of ${choices.map((each) => `\`${each}\``).join(', ')}`] : []),
    ...(preset === undefined ? [] : [`default ${preset}`]),
  ];
  return `| \`${flags.replaceAll('|', '\\|')}\` | ${description}${facts.length > 0 ? `; ${facts.join('; ')}` : ''} |`;
}

function runbook() {
  const contents = RUNBOOK.flatMap(({ title, entries }) => [
    `- ${title}`,
    ...entries.map((entry) => `  - [${entry.title}](#${entry.id})`),
  ]);
  const chapters = RUNBOOK.flatMap(({ title, entries }) => [`## ${title}\n`, ...entries.map(runbookEntry)]);
  return [RUNBOOK_INTRO, ...contents, '', chapters.join('\n')].join('\n');
}

function runbookEntry({ id, title, means, check, alerts = [], reasons = [] }) {
  const code = (names) => names.map((name) => `\`${name}\``).join(', ');
  const codes = [
    ...(alerts.length > 0 ? [`alert ${code(alerts)}`] : []),
    ...(reasons.length > 0 ? [`verdict ${code(reasons)}`] : []),
  ];
  const steps = check.map(({ text, command, key }, index) => {
    const hands = [...(command ? [`\`${command}\``] : []), ...(key ? [`key \`${key}\``] : [])];
    return `${index + 1}. ${text}${hands.length > 0 ? ` (${hands.join(' or ')})` : ''}`;
  });
  const known = codes.length > 0 ? ['', `*${codes.join('; ')}*`] : [];
  return [`### <a id="${id}"></a>${title}`, '', means, ...known, '', ...steps, ''].join('\n');
}

function keys() {
  const rows = KEYMAP.map(({ keys, word, takes = [], does, scope, changes }) => {
    const labels = keys.map((key) => `\`${keyLabel(key)}\``).join(' ');
    const typed = takes.length === 0 ? word : `${word} ${takes.join('\\|')}`;
    const where = scope === 'view' ? ' (where the view has it)' : '';
    return `| ${labels} | \`${typed}\` | ${does}${where} | ${changes ? 'yes' : ''} |`;
  });
  return `${KEYS_INTRO}${rows.join('\n')}\n`;
}

function costs() {
  const look = { columns: 100, colour: false, unicode: true };
  const lines = (usage) => ['```text', ...costLines(costOf(usage), look).slice(0, -3), '```', ''];
  const dollars = (amount) => `$${amount.toFixed(2)}`;
  const { qstash, redis } = PRICES;
  const commands = [
    ['a run of the queue processor with nothing to do', REDIS_COMMANDS.perProcessorRun],
    ['an email', `at most ${REDIS_COMMANDS.perEmail}`],
    ['a run of the health monitor', REDIS_COMMANDS.perMonitorRun],
    ['a run of the quota sync', REDIS_COMMANDS.perQuotaRun],
    ['a QStash message (remembered, so that it is not worked twice)', REDIS_COMMANDS.perMessage],
    ['asking what is due, with one schedule for all', REDIS_COMMANDS.perTick],
    ['a refresh of the dashboard or `watch` where nothing has changed', REDIS_COMMANDS.perRefresh],
    [
      'what it reads besides when the processor, the monitor, the quota sync has run',
      Object.values(REDIS_COMMANDS.perRunSeen).join(', '),
    ],
    ['what it reads besides once a minute (once in six, when it refreshes once a minute)', REDIS_COMMANDS.perRest],
    ['`status`, and the first look of a console', REDIS_COMMANDS.perLook],
    ['an hour of the dashboard in use, at most', Math.ceil(commandsPerHour(FAST_MS))],
    ['an hour of the dashboard left alone, at most', Math.ceil(commandsPerHour(SLOWEST_MS))],
  ];
  return [
    COST_INTRO,
    '## 1,000 emails a day, three schedules, a console open for eight hours, used for one',
    '',
    '`email-ops cost`',
    '',
    ...lines({ emailsPerDay: 1_000, schedules: 'three', watchHoursPerDay: 8, activeHoursPerDay: 1, refreshMs: null }),
    '## The same within the free tiers',
    '',
    'One schedule runs whatever is due. The console is left open day and night; for two hours a day somebody uses it, or something is',
    'wrong: `email-ops cost --schedules one-tick --watching 24 --active 2`',
    '',
    ...lines({
      emailsPerDay: 1_000,
      schedules: 'one-tick',
      watchHoursPerDay: 24,
      activeHoursPerDay: 2,
      refreshMs: null,
    }),
    '## A busy system, and a screen on the wall that is to be five seconds old at any time',
    '',
    '`email-ops cost --emails 50000 --watching 24 --interval 5s`',
    '',
    ...lines({
      emailsPerDay: 50_000,
      schedules: 'three',
      watchHoursPerDay: 24,
      activeHoursPerDay: 24,
      refreshMs: 5_000,
    }),
    '## What it is computed with',
    '',
    `Prices as the vendor had them in ${PRICES.asOf}, for a month of ${DAYS_PER_MONTH} days, without taxes.`,
    '',
    '| | free | then |',
    '|---|---|---|',
    `| QStash | ${qstash.freeMessagesPerDay.toLocaleString('en')} messages a day | ${dollars(qstash.perMessage * 100_000)} for 100,000 |`,
    `| Redis | ${redis.freeCommandsPerMonth.toLocaleString('en')} commands a month | ${dollars(redis.perCommand * 100_000)} for 100,000, or ${dollars(redis.fixedPlanPerMonth)} a month for the smallest plan at a fixed price |`,
    '',
    '| Redis commands | |',
    '|---|---|',
    ...commands.map(([what, count]) => `| ${what} | ${count} |`),
    '',
    'Every command of a pipeline is billed; a script counts as one command here. Whether Upstash also bills the commands inside of a',
    'script, and the repeated delivery of a QStash message, its pages leave open: compare with its console after a day.',
    '',
    '## What saves most',
    '',
    '- **Leave the cadence to the dashboard.** It refreshes every five seconds while somebody presses keys or something is wrong, then',
    ...cadenceWords(),
    '  With `--interval` it keeps to what you say, with `--budget 10000/day` to what may be spent; in the sandbox every refresh is free.',
    '- **Ask less often from monitoring.** `email-ops status` once a minute is 345,600 commands a month.',
    '- **One tick instead of three schedules**: `email-ops schedules sync --one-tick`.',
    '- **No QStash at all**: `email-ops work` on a machine that runs anyway keeps the schedules itself ([deploying.md](deploying.md)).',
    '',
  ].join('\n');
}

function cadenceWords() {
  const [, ...slower] = CALM_STEPS;
  const steps = slower.map(
    ({ quietMs, everyMs }) => `every ${formatAge(everyMs)} after ${formatAge(quietMs)} without a key or news`,
  );
  return [
    `  ${steps.join(', ')}.`,
    '  Any key brings the five seconds back. A warning that stands for half an hour unseen is refreshed every 30 s, what is critical never slower.',
  ];
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
