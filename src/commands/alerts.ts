/** `email-ops alerts`: the critical alerts, what each means and what to check first, and saying that somebody looks after them. */

import { createAlerts } from '../data/alerts.ts';
import { createAudit } from '../data/audit.ts';
import { type Alert, type AlertFeed, isCriticalAlert } from '../domain/alert.ts';
import { formatAge, formatCount, formatInstant, plural } from '../domain/format.ts';
import { entryForAlert } from '../domain/runbook.ts';
import { cleanText, maskEmailsIn } from '../domain/text.ts';
import { wrap } from '../domain/width.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { confirm } from './confirm.ts';
import { connectSystems, needRedis, type Systems } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { operatorOf } from './operator.ts';
import { JSON_OPTION } from './options.ts';
import { refuseReadOnly } from './pause.ts';
import { lookOf, paint, type Role, shown } from './render/look.ts';
import { type Column, table } from './render/table.ts';

type Options = { all?: boolean; yes?: boolean; json?: boolean };

const list: Command<Options> = {
  name: 'list',
  summary: 'the alerts that nobody has acknowledged, newest first',
  options: [{ flags: '--all', description: 'those that were acknowledged as well' }, JSON_OPTION],
  examples: [
    { line: 'email-ops alerts list', what: 'what is open' },
    { line: 'email-ops alerts list --all --json', what: 'everything, for another program' },
  ],
  exitCodes: '0 they were listed, 3 Redis could not be reached.',
  run: runList,
};

const show: Command<Options> = {
  name: 'show',
  summary: 'one alert, what it means and what to check first',
  arguments: [{ name: '<id>', description: 'the beginning of its id, as `alerts list` shows it' }],
  options: [],
  examples: [{ line: 'email-ops alerts show 3f2a91c0', what: 'what it means and what to check first' }],
  run: runShow,
};

const ack: Command<Options> = {
  name: 'ack',
  summary: 'acknowledge alerts: they stay in the list, and repetitions of a day are covered',
  arguments: [{ name: '[ids...]', description: 'the beginnings of their ids, as `alerts list` shows them' }],
  options: [
    { flags: '--all', description: 'every alert that is open' },
    { flags: '-y, --yes', description: 'do not ask before acknowledging all' },
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops alerts ack 3f2a91c0', what: 'one of them' },
    { line: 'email-ops alerts ack --all --yes', what: 'all of them, without a question' },
  ],
  exitCodes: '0 acknowledged, 1 not, 3 Redis could not be reached.',
  run: runAck,
};

export const alerts: Command = {
  name: 'alerts',
  summary: 'list critical alerts with what to check first, and acknowledge them',
  options: [],
  examples: [
    { line: 'email-ops alerts list', what: 'what is open' },
    { line: 'email-ops alerts ack 3f2a91c0', what: 'somebody looks after it' },
  ],
  subcommands: [list as Command, show as Command, ack as Command],
};

/** Shorter beginnings of an id would match too much to mean one alert. */
const SHORTEST_ID = 4;
const SHOWN_ID = 8;

async function runList({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment, signal });
  const feed = await readFeed(systems, signal);
  const found = options.all === true ? feed.alerts : openOf(feed);
  if (options.json === true) {
    const rows = found.map((alert) => ({ ...alert, text: safe(alert.text), runbook: entryForAlert(alert.text).id }));
    io.stdout.write(jsonLine({ alerts: rows, skipped: feed.skipped }));
    return EXIT.ok;
  }
  const look = lookOf(io);
  const lines = table(columns(io.now(), options.all === true), found, look);
  const none = options.all === true ? 'No alert is in the list.' : 'No alert is open.';
  const hint = found.length === 0 ? none : 'What to check first: email-ops alerts show <id>';
  io.stdout.write(shown([...lines, hint], look));
  return EXIT.ok;
}

async function runShow({ arguments: [id = ''], io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment, signal });
  const alert = alertWith(id, (await readFeed(systems, signal)).alerts);
  const look = lookOf(io);
  const { id: section, title, means, check } = entryForAlert(alert.text);
  const steps = check.map(
    ({ text, command }, index) => `${index + 1}. ${text}${command === undefined ? '' : ` (${command})`}`,
  );
  const { acknowledged, atEpochMs } = alert;
  const lines = [
    paint(ROLE[alert.severity] ?? 'heading', `${alert.severity.toUpperCase()}: ${safe(alert.text)}`, look),
    `${atEpochMs === null ? 'time not known' : `${formatInstant(atEpochMs)}, ${formatAge(io.now() - atEpochMs)} ago`}, ${plural(alert.repeats, 'time')} in the list`,
    acknowledged === null ? 'not acknowledged' : `acknowledged by ${cleanText(acknowledged.by, 60)}`,
    '',
    paint('heading', title, look),
    ...wrap(means, look.columns),
    '',
    ...steps.flatMap((step) => wrap(step, look.columns - 3).map((text, index) => (index === 0 ? text : `   ${text}`))),
    '',
    `docs/runbook.md#${section}`,
  ];
  io.stdout.write(shown(lines, look));
  return EXIT.ok;
}

async function runAck(invocation: Invocation<Options>): Promise<number> {
  const { options, io, environment, signal } = invocation;
  const ids = invocation.arguments.flat();
  if ((ids.length === 0) === (options.all !== true))
    throw new UsageError('give ids, or --all for every alert that is open');
  await using systems = await connectSystems(io, { environment, signal });
  refuseReadOnly(systems);
  const feed = await readFeed(systems, signal);
  const chosen = options.all === true ? openOf(feed) : ids.map((id) => alertWith(id, feed.alerts));
  if (options.all === true && options.yes !== true && chosen.length > 0) {
    const question = `Acknowledge ${plural(chosen.length, 'alert')} of ${systems.config.environment.name}?`;
    if (!(await confirm(io, question, signal))) throw new CommandError('Nothing was acknowledged');
  }
  const fingerprints = [...new Set(chosen.map(({ fingerprint }) => fingerprint))];
  const { client } = needRedis(systems);
  const { name: by, host } = operatorOf(environment);
  await createAlerts(client, systems.clock).acknowledge(fingerprints, by);
  if (fingerprints.length > 0) {
    await createAudit(client)
      .append({
        atEpochMs: systems.clock.nowEpochMs(),
        by,
        host,
        action: 'acknowledge',
        target: fingerprints.join(' '),
        outcome: 'ok',
      })
      .catch(() =>
        io.stderr.write('email-ops: the audit list could not be written; the alerts are acknowledged all the same.\n'),
      );
  }
  const text =
    fingerprints.length === 0 ? 'No alert is open.' : `${plural(fingerprints.length, 'alert')} acknowledged.`;
  io.stdout.write(options.json === true ? jsonLine({ acknowledged: fingerprints }) : `${text}\n`);
  return EXIT.ok;
}

async function readFeed(systems: Systems, signal: AbortSignal): Promise<AlertFeed> {
  return createAlerts(needRedis(systems).client, systems.clock).read(signal);
}

function openOf({ alerts: all }: AlertFeed): readonly Alert[] {
  return all.filter(({ severity, acknowledged }) => isCriticalAlert(severity) && acknowledged === null);
}

function alertWith(id: string, all: readonly Alert[]): Alert {
  const found =
    id.length < SHORTEST_ID ? [] : all.filter(({ fingerprint }) => fingerprint.startsWith(id.toLowerCase()));
  const [alert, other] = found;
  if (alert === undefined)
    throw new CommandError(`There is no alert ${cleanText(id, 40)}. email-ops alerts list --all shows their ids`);
  if (other !== undefined) throw new CommandError(`More than one alert begins with ${id}. Give more of the id`);
  return alert;
}

const ROLE: Readonly<Partial<Record<Alert['severity'], Role>>> = {
  critical: 'critical',
  error: 'critical',
  warning: 'warning',
};

const ACKNOWLEDGED: Column<Alert> = {
  title: 'acknowledged',
  cell: ({ acknowledged }) => (acknowledged === null ? '' : cleanText(acknowledged.by, 20)),
  role: () => 'muted',
};

function columns(nowEpochMs: number, withAcknowledged: boolean): readonly Column<Alert>[] {
  return [
    { title: 'id', cell: ({ fingerprint }) => fingerprint.slice(0, SHOWN_ID) },
    {
      title: 'age',
      align: 'right',
      cell: ({ atEpochMs }) => (atEpochMs === null ? '–' : formatAge(nowEpochMs - atEpochMs)),
    },
    { title: 'severity', cell: ({ severity }) => severity, role: ({ severity }) => ROLE[severity] },
    { title: 'times', align: 'right', cell: ({ repeats }) => formatCount(repeats) },
    ...(withAcknowledged ? [ACKNOWLEDGED] : []),
    { title: 'alert', shrinkTo: 20, cell: ({ text }) => safe(text) },
  ];
}

function safe(text: string): string {
  return maskEmailsIn(cleanText(text, 300));
}
