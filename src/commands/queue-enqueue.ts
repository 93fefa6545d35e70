/** `email-ops queue enqueue`: one email from arguments, or many from JSON lines on stdin. */

import type { NewEmail } from '../domain/email.ts';
import { EMAIL_TYPES } from '../domain/email.ts';
import { formatCount, plural } from '../domain/format.ts';
import { cleanText } from '../domain/text.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { connectSystems, needSupabase, type Systems } from './connect.ts';
import { type BadLine, parseLine, readLines } from './email-lines.ts';
import { enqueueAll, type Progress } from './enqueue-batches.ts';
import type { Io } from './io.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION, wholeNumber } from './options.ts';
import { bar, shown } from './render/look.ts';

const BAD_LINES_SHOWN = 20;
const REDRAW_EVERY_MS = 100;

type Options = {
  to?: string;
  subject?: string;
  html?: string;
  text?: string;
  type: string;
  template?: string;
  key?: string;
  maxAttempts?: number;
  json?: boolean;
};

export const enqueue: Command<Options> = {
  name: 'enqueue',
  summary: 'put emails into the queue: one by arguments, or JSON lines on stdin',
  options: [
    { flags: '--to <address>', description: 'one email to this address; without it, JSON lines are read from stdin' },
    { flags: '--subject <text>', description: 'its subject' },
    { flags: '--html <html>', description: 'its content as HTML' },
    { flags: '--text <text>', description: 'the same as plain text' },
    { flags: '--type <type>', description: 'what kind of email', choices: EMAIL_TYPES, default: 'notification' },
    { flags: '--template <name>', description: 'name of the template it was made from' },
    {
      flags: '--key <key>',
      description: 'the same key is not enqueued twice; with JSON lines it is put before the number of each line',
    },
    { flags: '--max-attempts <count>', description: 'tries before it is a dead letter', parse: wholeNumber(1, 20) },
    JSON_OPTION,
  ],
  examples: [
    { line: "email-ops queue enqueue --to you@example.org --subject Hi --html '<p>Hi</p>'", what: 'one email' },
    { line: 'email-ops queue enqueue --key spring-2026 < emails.jsonl', what: 'many; run it again to go on' },
    {
      line: `echo '{"to":"a@b.org","subject":"Hi","html":"<p>Hi</p>","key":"hi-1"}' | email-ops queue enqueue`,
      what: 'a line: to, subject, html, and if wanted text, type, from, key, template, …',
    },
  ],
  exitCodes: '0 all enqueued or known already, 1 some lines were bad, 3 the database could not be reached.',
  run,
};

const OF_ONE_EMAIL = ['subject', 'html', 'text', 'template', 'max-attempts'] as const;

function given({ maxAttempts, ...texts }: Options, flag: (typeof OF_ONE_EMAIL)[number]): boolean {
  return (flag === 'max-attempts' ? maxAttempts : texts[flag]) !== undefined;
}

async function run(invocation: Invocation<Options>): Promise<number> {
  const { options, io, environment, signal } = invocation;
  const hasArguments = options.to !== undefined;
  const lone = OF_ONE_EMAIL.find((flag) => given(options, flag));
  if (!hasArguments && lone !== undefined)
    throw new UsageError(`--${lone} belongs to one email and needs --to; JSON lines say it each for themselves`);
  if (!hasArguments && io.stdin.isTty)
    throw new UsageError('nothing to enqueue: give --to, --subject and --html, or JSON lines on stdin');
  const single = hasArguments ? fromArguments(options) : null;
  await using systems = await connectSystems(io, { environment, signal });
  if (systems.config.readOnly)
    throw new CommandError('EMAIL_OPS_READ_ONLY is set, so nothing is enqueued. Unset it to change the queue');
  // Awaited here: the connections close when this function ends.
  return await (single === null ? enqueueLines(systems, invocation) : enqueueOne(systems, single, invocation));
}

function fromArguments({ to, subject, html, text, type, template, key, maxAttempts }: Options): NewEmail {
  const line = { to, subject, html, text, type, template, key, maxAttempts };
  const parsed = parseLine(JSON.stringify(line), 1, null);
  if (parsed.ok) return parsed.email;
  throw new UsageError(parsed.reason.replace(/^(?=\w+: )/, '--'));
}

async function enqueueOne(systems: Systems, email: NewEmail, { options, io, signal }: Invocation<Options>) {
  const queue = await queueOf(systems);
  const result = await queue.enqueue([email], signal);
  const [id = ''] = result.ids;
  if (options.json === true) io.stdout.write(jsonLine(result));
  else io.stdout.write(result.duplicates > 0 ? `known already: ${id}\n` : `enqueued: ${id}\n`);
  return EXIT.ok;
}

async function enqueueLines(systems: Systems, { options, io, signal }: Invocation<Options>): Promise<number> {
  const queue = await queueOf(systems);
  const draw = progressBar(io);
  const bad: BadLine[] = [];
  const lines = readLines(io.stdin, { keyPrefix: options.key ?? null, type: options.type, signal });
  const totals = await enqueueAll(lines, queue, { onProgress: draw, onBad: (line) => bad.push(line), signal }).finally(
    () => draw(null),
  );
  // Those that the database refuses are known after those that were not even asked for.
  bad.sort((a, b) => a.line - b.line);
  for (const { line, reason } of bad.slice(0, BAD_LINES_SHOWN))
    io.stderr.write(`email-ops: line ${formatCount(line)}: ${cleanText(reason, 300)}\n`);
  if (bad.length > BAD_LINES_SHOWN)
    io.stderr.write(`email-ops: … and ${formatCount(bad.length - BAD_LINES_SHOWN)} more bad lines\n`);
  const { enqueued, duplicates } = totals;
  if (options.json === true) io.stdout.write(jsonLine({ enqueued, duplicates, bad }));
  else
    io.stdout.write(
      `${formatCount(enqueued)} enqueued, ${formatCount(duplicates)} known already, ${plural(bad.length, 'bad line')}.\n`,
    );
  return bad.length === 0 ? EXIT.ok : EXIT.failed;
}

async function queueOf(systems: Systems) {
  const { createQueue } = await import('../data/queue.ts');
  return createQueue(needSupabase(systems).client);
}

/** Redraws at most ten times a second, on a terminal only; null clears the line. */
function progressBar(io: Io): (progress: Progress | null) => void {
  const { stderr, unicode } = io;
  let drawnAtEpochMs = 0;
  return (progress) => {
    if (!stderr.isTty) return;
    if (progress === null) return stderr.write('\r\x1b[K');
    if (io.now() - drawnAtEpochMs < REDRAW_EVERY_MS) return;
    drawnAtEpochMs = io.now();
    const total = io.stdin.sizeBytes;
    const share = total === null || total === 0 ? null : Math.min(100, (progress.bytes / total) * 100);
    const gauge = share === null ? '' : `${bar(share, 24)} ${Math.floor(share)} % `;
    const text = `${gauge}${formatCount(progress.lines)} lines, ${formatCount(progress.enqueued)} enqueued`;
    stderr.write(`\r\x1b[K${shown([text], { columns: stderr.columns, colour: false, unicode }).trimEnd()}`);
  };
}
