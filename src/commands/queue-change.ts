/** `email-ops queue retry` and `discard`: putting emails back into the queue, or out of it for good. */

import type { Queue, Touched } from '../data/queue.ts';
import type { QueueList } from '../data/queue-list.ts';
import type { SupabaseConnection } from '../data/supabase.ts';
import { formatCount, plural } from '../domain/format.ts';
import { jsonText } from '../domain/json.ts';
import { cleanText } from '../domain/text.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { confirm } from './confirm.ts';
import { connectSystems, needSupabase, type Systems } from './connect.ts';
import type { Io } from './io.ts';
import { operatorOf } from './operator.ts';
import { JSON_OPTION, wholeNumber } from './options.ts';
import { refuseReadOnly } from './pause.ts';
import { wholeId } from './queue-show.ts';

const SKIPPED_SHOWN = 20;

type Options = {
  failed?: boolean;
  dead?: boolean;
  search?: string;
  limit: number;
  reason?: string;
  yes?: boolean;
  json?: boolean;
};

/** One of the two verbs, as far as they differ. */
interface Verb {
  readonly name: 'retry' | 'discard';
  readonly done: string;
  change(queue: Queue, ids: readonly string[], options: Options): Promise<Touched>;
}

const RETRY: Verb = {
  name: 'retry',
  done: 'queued again',
  change: (queue, ids, { dead }) => (dead === true ? queue.redrive(ids) : queue.retry(ids)),
};

const DISCARD: Verb = {
  name: 'discard',
  done: 'discarded',
  change: (queue, ids, { reason = 'discarded by an operator' }) => queue.discard(ids, reason),
};

const ARGUMENTS = [{ name: '[ids...]', description: 'ids of queue rows, or how they begin' }];
const SELECTION = [
  { flags: '--failed', description: 'all that failed, instead of ids' },
  { flags: '--search <text>', description: 'with --failed: part of the recipient, the subject or the error' },
  { flags: '-n, --limit <count>', description: 'at most so many, 1 to 500', default: 500, parse: wholeNumber(1, 500) },
  { flags: '--yes', description: 'do not ask' },
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
    { line: 'email-ops queue retry --dead --yes', what: 'every dead letter that nobody has reviewed' },
  ],
  exitCodes: EXIT_CODES,
  run: (invocation) => run(RETRY, invocation),
};

export const discard: Command<Options> = {
  name: 'discard',
  summary: 'take emails out of the queue for good; they stay as reviewed dead letters',
  arguments: ARGUMENTS,
  options: [{ flags: '--reason <text>', description: 'why, for those who look later' }, ...SELECTION],
  examples: [
    { line: 'email-ops queue discard 0e9a51c2 --reason "wrong address"', what: 'one email' },
    { line: 'email-ops queue discard --failed --search example.org', what: 'what failed for one domain' },
  ],
  exitCodes: EXIT_CODES,
  run: (invocation) => run(DISCARD, invocation),
};

async function run(verb: Verb, invocation: Invocation<Options>): Promise<number> {
  const { options, arguments: given, io, environment, signal } = invocation;
  const isBulk = options.failed === true || options.dead === true;
  if (isBulk === given.length > 0)
    throw new UsageError(`give ids, or ${verb === RETRY ? '--failed or --dead' : '--failed'}`);
  if (options.failed === true && options.dead === true)
    throw new UsageError('--failed and --dead are two things; give one');
  await using systems = await connectSystems(io, { environment });
  refuseReadOnly(systems);
  const { client } = needSupabase(systems);
  const ids = isBulk ? await matching(client, invocation) : await wholeIds(client, given, signal);
  if (ids.length === 0) {
    io.stdout.write(options.json === true ? '{"ids":[],"skipped":[]}\n' : 'Nothing matches.\n');
    return EXIT.ok;
  }
  if (options.yes !== true && (isBulk || verb === DISCARD)) {
    const question = `${verb.name === 'retry' ? 'Retry' : 'Discard'} ${plural(ids.length, 'email')}?`;
    if (!(await confirm(io, question, signal))) throw new CommandError('Nothing was changed');
  }
  const { createQueue } = await import('../data/queue.ts');
  const touched = await verb.change(createQueue(client), ids, options);
  await writeAudit(systems, invocation, { action: verb.name, ids, touched });
  report(verb, touched, { options, io });
  return touched.skipped.length === 0 ? EXIT.ok : EXIT.failed;
}

async function wholeIds(client: SupabaseConnection['client'], given: readonly string[], signal: AbortSignal) {
  const ids: string[] = [];
  for (const start of given) ids.push(await wholeId(client, start, signal));
  return [...new Set(ids)];
}

async function matching(client: SupabaseConnection['client'], { options, signal }: Invocation<Options>) {
  const { createQueueList } = await import('../data/queue-list.ts');
  const list: QueueList = createQueueList(client);
  const { limit, search } = options;
  const page =
    options.dead === true
      ? await list.deadLetters({ isReviewed: false, limit }, signal)
      : await list.list({ status: 'failed', limit, ...(search === undefined ? {} : { text: search }) }, signal);
  return page.rows.map(({ id }) => id);
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
    io.stdout.write(`${jsonText(touched)}\n`);
    return;
  }
  for (const { id, reason } of touched.skipped.slice(0, SKIPPED_SHOWN))
    io.stderr.write(`email-ops: ${cleanText(id, 36)} skipped: ${cleanText(reason, 200)}\n`);
  const skipped = touched.skipped.length === 0 ? '' : `, ${formatCount(touched.skipped.length)} skipped`;
  io.stdout.write(`${plural(touched.ids.length, 'email')} ${verb.done}${skipped}.\n`);
}
