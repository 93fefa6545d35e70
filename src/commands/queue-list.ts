/** `email-ops queue list`: a page of the queue, or of the dead letters, as a table. */
import type { Page } from '../data/queue-list.ts';
import {
  type DeadLetter,
  EMAIL_TYPES,
  QUEUE_STATUSES,
  type QueuedEmailSummary,
  type QueueStatus,
} from '../domain/email.ts';
import { formatAge, plural } from '../domain/format.ts';
import { cleanText, maskEmail, maskEmailsIn, maskEmailsWithin } from '../domain/text.ts';
import { type Command, EXIT, type Invocation, UsageError } from './command.ts';
import { connectSystems, needSupabase } from './connect.ts';
import type { Io } from './io.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION, wholeNumber } from './options.ts';
import { type Look, lookOf, type Role, shown } from './render/look.ts';
import { type Column, table } from './render/table.ts';

type Options = {
  status?: QueueStatus;
  type?: string;
  search?: string;
  sort?: 'oldest' | 'newest' | 'changed';
  limit: number;
  after?: string;
  dead?: boolean;
  reviewed?: boolean;
  unmask?: boolean;
  json?: boolean;
};

export const list: Command<Options> = {
  name: 'list',
  summary: 'list emails of the queue, or its dead letters',
  options: [
    { flags: '--status <status>', description: 'only in this state', choices: QUEUE_STATUSES },
    { flags: '--type <type>', description: 'only of this kind', choices: EMAIL_TYPES },
    { flags: '--search <text>', description: 'part of the recipient, the subject or the error' },
    {
      flags: '--sort <order>',
      description: 'which come first; changed unless told, and for dead letters the newest',
      choices: ['oldest', 'newest', 'changed'],
    },
    { flags: '--dead', description: 'the dead letters that nobody has reviewed yet' },
    { flags: '--reviewed', description: 'with --dead: those that somebody has' },
    { flags: '-n, --limit <count>', description: 'at most so many, 1 to 500', default: 50, parse: wholeNumber(1, 500) },
    { flags: '--after <cursor>', description: 'the page behind this cursor, which the page before names' },
    { flags: '--unmask', description: 'show whole addresses' },
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops queue list', what: 'the 50 that changed last' },
    { line: 'email-ops queue list --status failed', what: 'what failed last, and why' },
    { line: 'email-ops queue list --search example.org --unmask', what: 'one domain, whole addresses' },
    { line: 'email-ops queue list --dead --json', what: 'dead letters for another program' },
  ],
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  if (options.reviewed === true && options.dead !== true) throw new UsageError('--reviewed needs --dead');
  await using systems = await connectSystems(io, { environment, signal });
  const { client } = needSupabase(systems);
  const { createQueueList } = await import('../data/queue-list.ts');
  const queue = createQueueList(client);
  const { status, type, search, sort = 'changed', limit, after } = options;
  const cursor = after === undefined ? {} : { cursor: after };
  const look = tableLook(io);
  const print = <Row extends { readonly recipientEmail: string }>(page: Page<Row>, columns: readonly Column<Row>[]) => {
    const rows = options.unmask === true ? page.rows : page.rows.map(masked);
    if (options.json === true) io.stdout.write(jsonLine({ ...page, rows }));
    else io.stdout.write(shown([...table(columns, rows, look), ...footer(page)], look));
    return EXIT.ok;
  };
  const found = {
    limit,
    ...cursor,
    ...(type === undefined ? {} : { emailType: type }),
    ...(search === undefined ? {} : { text: search }),
  };
  if (options.dead === true) {
    if (status !== undefined || options.sort !== undefined)
      io.stderr.write(
        'email-ops: Dead letters have no status and come newest first: --status and --sort change nothing.\n',
      );
    const page = await queue.deadLetters({ ...found, isReviewed: options.reviewed === true }, signal);
    return print(page, deadLetterColumns(io.now(), look));
  }
  const filter = { ...found, sort, ...(status === undefined ? {} : { status }) };
  return print(await queue.list(filter, signal), emailColumns(io.now(), look));
}

/** What reads a pipe wants whole values; a person's terminal decides for itself. */
function tableLook(io: Io): Look {
  return io.stdout.isTty ? lookOf(io) : { ...lookOf(io), columns: PIPE_COLUMNS };
}

const PIPE_COLUMNS = 200;
const WHOLE_ID_FROM_COLUMNS = 120;

/** `queue show` takes the beginning as well. */
function idLength({ columns }: Look): number {
  return columns < WHOLE_ID_FROM_COLUMNS ? 8 : 36;
}

/** The recipient, and whatever address stands in an error or a subject. */
export function masked<Row extends { readonly recipientEmail: string }>(row: Row): Row {
  return { ...maskEmailsWithin(row), recipientEmail: maskEmail(row.recipientEmail) };
}

const ROLE_BY_STATUS: Readonly<Record<QueueStatus, Role | undefined>> = {
  queued: undefined,
  processing: 'ok',
  completed: 'muted',
  failed: 'critical',
};

export function emailColumns(nowEpochMs: number, look: Look): readonly Column<QueuedEmailSummary>[] {
  return [
    { title: 'id', cell: ({ id }) => cleanText(id, 36).slice(0, idLength(look)) },
    { title: 'status', cell: (email) => state(email, nowEpochMs), role: ({ status }) => ROLE_BY_STATUS[status] },
    { title: 'age', align: 'right', cell: ({ createdAtEpochMs }) => formatAge(nowEpochMs - createdAtEpochMs) },
    { title: 'tries', align: 'right', cell: ({ attempts, maxAttempts }) => `${attempts}/${maxAttempts}` },
    { title: 'type', shrinkTo: 4, cell: ({ emailType }) => cleanText(emailType, 20) },
    { title: 'recipient', shrinkTo: 10, cell: ({ recipientEmail }) => cleanText(recipientEmail, 80) },
    {
      title: 'error, or subject',
      shrinkTo: 10,
      cell: ({ lastError, subject }) => maskEmailsIn(cleanText(lastError ?? subject ?? '', 200)),
      role: ({ lastError }) => (lastError === null ? undefined : 'warning'),
    },
  ];
}

/** `queued`, or when it is tried again. */
function state({ status, nextRetryAtEpochMs }: QueuedEmailSummary, nowEpochMs: number): string {
  const isWaiting = status === 'queued' && nextRetryAtEpochMs !== null && nextRetryAtEpochMs > nowEpochMs;
  return isWaiting ? `retry in ${formatAge(nextRetryAtEpochMs - nowEpochMs)}` : status;
}

export function deadLetterColumns(nowEpochMs: number, look: Look): readonly Column<DeadLetter>[] {
  return [
    { title: 'id', cell: ({ id }) => cleanText(id, 36).slice(0, idLength(look)) },
    { title: 'died', align: 'right', cell: ({ movedAtEpochMs }) => `${formatAge(nowEpochMs - movedAtEpochMs)} ago` },
    { title: 'tries', align: 'right', cell: ({ totalAttempts }) => String(totalAttempts) },
    { title: 'type', shrinkTo: 4, cell: ({ emailType }) => cleanText(emailType, 20) },
    { title: 'recipient', shrinkTo: 10, cell: ({ recipientEmail }) => cleanText(recipientEmail, 80) },
    {
      title: 'why',
      shrinkTo: 10,
      cell: ({ failureReason, lastError }) =>
        maskEmailsIn(cleanText([...new Set([failureReason, lastError ?? failureReason])].join(': '), 200)),
    },
  ];
}

function footer({ rows, skipped, nextCursor }: Page<unknown>): string[] {
  if (rows.length === 0 && skipped === 0) return ['Nothing found.'];
  const lines =
    skipped === 0 ? [] : [`${plural(skipped, 'row')} could not be read and ${skipped === 1 ? 'is' : 'are'} not shown.`];
  return nextCursor === null ? lines : [...lines, `More: --after '${nextCursor}'`];
}
