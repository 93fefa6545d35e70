/** `email-ops queue retry` and `discard`: putting emails back into the queue, or out of it for good. */

import type { Queue, Touched } from '../data/queue.ts';
import type { QueueFinder } from '../data/queue-finder.ts';
import type { SupabaseConnection } from '../data/supabase.ts';
import { EMAIL_TYPES, PROVIDERS } from '../domain/email.ts';
import { formatCount, plural } from '../domain/format.ts';
import type { ListedStatus, QueueQuery } from '../domain/queue-page.ts';
import { cleanText } from '../domain/text.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { confirm } from './confirm.ts';
import { connectSystems, needSupabase, type Systems } from './connect.ts';
import type { Io } from './io.ts';
import { jsonLine } from './json-line.ts';
import { operatorOf } from './operator.ts';
import { JSON_OPTION, wholeNumber } from './options.ts';
import { refuseReadOnly } from './pause.ts';
import { wholeId } from './queue-show.ts';

const SKIPPED_SHOWN = 20;

/** So many at once stay far below the statement timeout of a small database. */
const PORTION = 500;

type Options = {
  status?: 'queued' | 'failed';
  failed?: boolean;
  dead?: boolean;
  type?: string;
  provider?: string;
  error?: string;
  search?: string;
  limit?: number;
  reason?: string;
  yes?: boolean;
  json?: boolean;
};

/** One of the two verbs, as far as they differ. */
interface Verb {
  readonly name: 'retry' | 'discard';
  readonly done: string;
  change(hands: Hands, ids: readonly string[], options: Options): Promise<Touched>;
}

interface Hands {
  readonly queue: Queue;
  readonly finder: QueueFinder;
}

const RETRY: Verb = {
  name: 'retry',
  done: 'queued again',
  change: ({ queue }, ids, { dead }) => (dead === true ? queue.redrive(ids) : queue.retry(ids)),
};

const DISCARD: Verb = {
  name: 'discard',
  done: 'discarded',
  change: ({ queue, finder }, ids, { dead, reason = 'discarded by an operator' }) =>
    dead === true ? finder.review(ids) : queue.discard(ids, reason),
};

const ARGUMENTS = [{ name: '[ids...]', description: 'ids of queue rows, or how they begin' }];
const SELECTION = [
  { flags: '--failed', description: 'all that failed and nobody discarded, instead of ids' },
  { flags: '--status <status>', description: 'all in this state, instead of ids', choices: ['queued', 'failed'] },
  { flags: '--type <type>', description: 'of those: only of this kind', choices: EMAIL_TYPES },
  { flags: '--provider <provider>', description: 'of those: only where this one was tried', choices: PROVIDERS },
  { flags: '--error <kind>', description: 'of those: only with this error, as the console groups them' },
  { flags: '--search <text>', description: 'of those: words of the recipient, the subject or the error' },
  { flags: '-n, --limit <count>', description: 'at most so many, the oldest first', parse: wholeNumber(1, 1_000_000) },
  { flags: '-y, --yes', description: 'do not ask' },
  JSON_OPTION,
];
const EXIT_CODES = '0 all of them, 1 some were skipped or nobody said yes, 3 the database could not be reached.';

export const retry: Command<Options> = {
  name: 'retry',
  summary: 'make emails due now, queue failed ones and dead letters again',
  arguments: ARGUMENTS,
  options: [{ flags: '--dead', description: 'dead letters that nobody has reviewed, instead of ids' }, ...SELECTION],
  examples: [
    { line: 'email-ops queue retry 0e9a51c2', what: 'one email' },
    { line: 'email-ops queue retry --failed --search timeout', what: 'everything that failed with a timeout' },
    { line: "email-ops queue retry --failed --error 'no mailbox <address>'", what: 'one group of errors' },
    { line: 'email-ops queue retry --dead --yes', what: 'every dead letter that nobody has reviewed' },
  ],
  exitCodes: EXIT_CODES,
  run: (invocation) => run(RETRY, invocation),
};

export const discard: Command<Options> = {
  name: 'discard',
  summary: 'take emails out of the queue for good; they stay as reviewed dead letters',
  arguments: ARGUMENTS,
  options: [
    { flags: '--reason <text>', description: 'why, for those who look later' },
    { flags: '--dead', description: 'mark dead letters as reviewed, instead of ids' },
    ...SELECTION,
  ],
  examples: [
    { line: 'email-ops queue discard 0e9a51c2 --reason "wrong address"', what: 'one email' },
    { line: 'email-ops queue discard --failed --search example.org', what: 'what failed for one domain' },
  ],
  exitCodes: EXIT_CODES,
  run: (invocation) => run(DISCARD, invocation),
};

async function run(verb: Verb, invocation: Invocation<Options>): Promise<number> {
  const { options, arguments: given, io, environment, signal } = invocation;
  const status = statusOf(options);
  const isBulk = status !== null;
  if (isBulk === given.length > 0) throw new UsageError('give ids, or one of --failed, --status and --dead');
  await using systems = await connectSystems(io, { environment, signal });
  refuseReadOnly(systems);
  const { client } = needSupabase(systems);
  const { createQueueFinder } = await import('../data/queue-finder.ts');
  const finder = createQueueFinder(client);
  const ids = isBulk
    ? await matching(finder, queryOf(status, options), invocation)
    : await wholeIds(client, given, signal);
  if (ids.length === 0) {
    io.stdout.write(options.json === true ? jsonLine({ ids: [], skipped: [] }) : 'Nothing matches.\n');
    return EXIT.ok;
  }
  if (options.yes !== true && (isBulk || verb === DISCARD)) {
    const question = `${verb.name === 'retry' ? 'Retry' : 'Discard'} ${plural(ids.length, 'email')}?`;
    if (!(await confirm(io, question, signal))) throw new CommandError('Nothing was changed');
  }
  const { createQueue } = await import('../data/queue.ts');
  const hands = { queue: createQueue(client), finder };
  const { touched, fault } = await inPortions(ids, (some) => verb.change(hands, some, options), signal);
  if (fault !== null && touched.ids.length === 0) throw fault;
  await writeAudit(systems, invocation, { action: verb.name, ids, touched });
  report(verb, touched, { options, io });
  if (fault !== null) throw fault;
  return touched.skipped.length === 0 ? EXIT.ok : EXIT.failed;
}

async function wholeIds(client: SupabaseConnection['client'], given: readonly string[], signal: AbortSignal) {
  const ids: string[] = [];
  for (const start of given) ids.push(await wholeId(client, start, signal));
  return [...new Set(ids)];
}

function statusOf({ failed, dead, status }: Options): ListedStatus | null {
  const given = [...(failed === true ? (['failed'] as const) : []), ...(dead === true ? (['dead'] as const) : [])];
  const all: readonly ListedStatus[] = [...given, ...(status === undefined ? [] : [status])];
  if (new Set(all).size > 1) throw new UsageError('--failed, --status and --dead are different things; give one');
  return all[0] ?? null;
}

function queryOf(status: ListedStatus, { type, provider, error, search }: Options): QueueQuery {
  return {
    // By age: that is what neither verb changes.
    sort: 'oldest',
    status,
    isOpen: true,
    ...(type === undefined ? {} : { emailType: type }),
    ...(provider === undefined ? {} : { provider }),
    ...(error === undefined ? {} : { errorKind: error }),
    ...(search === undefined ? {} : { words: search.split(/\s+/).filter((word) => word !== '') }),
  };
}

async function matching(finder: QueueFinder, query: QueueQuery, { options, signal }: Invocation<Options>) {
  const { limit = Number.POSITIVE_INFINITY } = options;
  const found: string[] = [];
  for await (const ids of finder.ids(query, signal)) {
    found.push(...ids);
    if (found.length >= limit) return found.slice(0, limit);
  }
  return found;
}

/** Ends at Ctrl-C between two portions, and at the first fault; what is done stays done, and is audited and told. */
async function inPortions(
  ids: readonly string[],
  change: (ids: readonly string[]) => Promise<Touched>,
  signal: AbortSignal,
): Promise<{ touched: Touched; fault: unknown }> {
  const done: string[] = [];
  const skipped: Touched['skipped'][number][] = [];
  let fault: unknown = null;
  for (let at = 0; at < ids.length && !signal.aborted && fault === null; at += PORTION) {
    try {
      const step = await change(ids.slice(at, at + PORTION));
      done.push(...step.ids);
      skipped.push(...step.skipped);
    } catch (error) {
      fault = error;
    }
  }
  return { touched: { ids: done, skipped }, fault };
}

/** The change has happened: an audit list that cannot be written is said, not an error. */
async function writeAudit(
  { redis, clock }: Systems,
  { environment, io }: Invocation<Options>,
  { action, ids, touched }: { action: string; ids: readonly string[]; touched: Touched },
): Promise<void> {
  if (redis === null) return;
  const { createAudit } = await import('../data/audit.ts');
  const { name: by, host } = operatorOf(environment);
  const [first = ''] = ids;
  const target = ids.length === 1 ? first : `${first} and ${formatCount(ids.length - 1)} more`;
  const outcome = `${formatCount(touched.ids.length)} done, ${formatCount(touched.skipped.length)} skipped`;
  await createAudit(redis.client)
    .append({ atEpochMs: clock.nowEpochMs(), by, host, action, target, outcome })
    .catch(() => io.stderr.write('email-ops: the audit list could not be written; the change is made all the same.\n'));
}

function report(verb: Verb, touched: Touched, { options, io }: { options: Options; io: Io }): void {
  if (options.json === true) {
    io.stdout.write(jsonLine(touched));
    return;
  }
  for (const { id, reason } of touched.skipped.slice(0, SKIPPED_SHOWN))
    io.stderr.write(`email-ops: ${cleanText(id, 36)} skipped: ${cleanText(reason, 200)}\n`);
  const skipped = touched.skipped.length === 0 ? '' : `, ${formatCount(touched.skipped.length)} skipped`;
  io.stdout.write(`${plural(touched.ids.length, 'email')} ${verb.done}${skipped}.\n`);
}
