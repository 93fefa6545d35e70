/** `email-ops queue show <id>`: one email, what was tried, and what became of it. */
import type { SupabaseConnection } from '../data/supabase.ts';
import type { DeadLetter, DeliveryLog, QueuedEmail } from '../domain/email.ts';
import { formatAge, formatInstant, formatLatency, plural } from '../domain/format.ts';
import type { EmailStory } from '../domain/queue-page.ts';
import { cleanText, maskEmailsIn } from '../domain/text.ts';
import { wrap } from '../domain/width.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { connectSystems, needSupabase } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION } from './options.ts';
import { masked } from './queue-list.ts';
import { type Look, lookOf, paint, shown } from './render/look.ts';

const LABEL_WIDTH = 12;

type Options = { unmask?: boolean; json?: boolean };

export const show: Command<Options> = {
  name: 'show',
  summary: 'show one email with its attempts',
  arguments: [{ name: '<id>', description: 'id of the queue row, or how it begins, as `queue list` prints it' }],
  options: [{ flags: '--unmask', description: 'show whole addresses' }, JSON_OPTION],
  examples: [{ line: 'email-ops queue show 0e9a… --unmask', what: 'everything that is known about it' }],
  run,
};

async function run({ options, arguments: [id = ''], io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment, signal });
  const { client } = needSupabase(systems);
  const { createQueueList } = await import('../data/queue-list.ts');
  const found = await createQueueList(client).show(await wholeId(client, id, signal), signal);
  if (found === null) throw notFound(id);
  const story = options.unmask === true ? found : maskedStory(found);
  if (options.json === true) io.stdout.write(jsonLine(story));
  else io.stdout.write(shown(storyLines(story, io.now(), lookOf(io)), lookOf(io)));
  return EXIT.ok;
}

/** The id that begins so; the only one, or else an error that names what there is. */
export async function wholeId(
  client: SupabaseConnection['client'],
  start: string,
  signal: AbortSignal,
): Promise<string> {
  const { idsBeginning, isIdBeginning, SHORTEST_ID } = await import('../data/queue-id.ts');
  if (!isIdBeginning(start)) {
    const what = `'${cleanText(start, 40)}' is no id, nor the beginning of one`;
    throw new UsageError(
      `${what}: at least its first ${SHORTEST_ID} digits (0-9, a-f), as email-ops queue list prints them`,
    );
  }
  const [id, ...others] = await idsBeginning(client, start, signal);
  if (id === undefined) throw notFound(start);
  if (others.length === 0) return id;
  const some = [id, ...others].join(', ');
  throw new CommandError(`More than one email begins with ${start}: ${some}. Give more of it`);
}

function notFound(id: string): CommandError {
  return new CommandError(`There is no email ${cleanText(id, 40)} in the queue. See: email-ops queue list`);
}

function maskedStory({ email, logs, deadLetters, isGuess }: EmailStory): EmailStory {
  return { email: masked(email), logs: logs.map(masked), deadLetters: deadLetters.map(masked), isGuess };
}

/** The email field by field, then its story, newest first. */
export function storyLines(story: EmailStory, nowEpochMs: number, look: Look): string[] {
  const events = [...story.logs.map(deliveryEvent), ...story.deadLetters.map(deathEvent)].toSorted(
    (a, b) => b.atEpochMs - a.atEpochMs,
  );
  const guess = story.isGuess
    ? ['  (deliveries to the same recipient since; the database cannot tell them apart)']
    : [];
  const timeline = events.flatMap(({ atEpochMs, text }) =>
    wrap(text, look.columns - 24).map(
      (line, index) => `  ${(index === 0 ? formatInstant(atEpochMs) : '').padEnd(22)}${line}`,
    ),
  );
  return [
    ...fields(story.email, nowEpochMs).flatMap(([label, text]) =>
      wrap(text, look.columns - LABEL_WIDTH).map(
        (line, index) => `${paint('heading', (index === 0 ? label : '').padEnd(LABEL_WIDTH), look)}${line}`,
      ),
    ),
    paint('heading', 'Story', look),
    ...(timeline.length === 0
      ? [story.email.attempts === 0 ? '  nothing was tried yet' : '  no delivery is on record for it']
      : timeline),
    ...guess,
  ];
}

function fields(email: QueuedEmail, nowEpochMs: number): [string, string][] {
  const { content, lockedBy, lockedUntilEpochMs, nextRetryAtEpochMs } = email;
  const optional: [string, string | null][] = [
    ['From', content.from === null ? content.fromName : `${content.fromName ?? ''} <${content.from}>`.trim()],
    ['Template', email.templateName],
    ['Held by', lockedBy === null ? null : `${lockedBy}, until ${formatInstant(lockedUntilEpochMs)}`],
    ['Next try', nextRetryAtEpochMs === null ? null : formatInstant(nextRetryAtEpochMs)],
    ['Last error', email.lastError],
  ];
  const lines: [string, string][] = [
    ['Email', email.id],
    ['Status', `${email.status}, ${email.attempts} of ${email.maxAttempts} tries`],
    ['Recipient', email.recipientEmail],
    ['Type', email.emailType],
    ['Subject', content.subject ?? '(none)'],
    ['Content', `${size(content.html)} of HTML, ${size(content.text)} of text`],
    ['Enqueued', `${formatInstant(email.createdAtEpochMs)}, ${formatAge(nowEpochMs - email.createdAtEpochMs)} ago`],
    ...optional.filter((pair): pair is [string, string] => pair[1] !== null),
  ];
  return lines.map(([label, text]) => [label, cleanText(label === 'Last error' ? maskEmailsIn(text) : text)]);
}

function size(text: string | null): string {
  return text === null ? 'nothing' : plural(Buffer.byteLength(text), 'byte');
}

interface StoryEvent {
  readonly atEpochMs: number;
  readonly text: string;
}

function deliveryEvent({
  createdAtEpochMs,
  provider,
  status,
  errorMessage,
  latencyMs,
  ...log
}: DeliveryLog): StoryEvent {
  const took = latencyMs === null ? '' : ` in ${formatLatency(latencyMs)}`;
  const detail = errorMessage ?? log.providerMessageId ?? '';
  const text = `${status} by ${provider}${took}${detail === '' ? '' : `: ${detail}`}`;
  return { atEpochMs: createdAtEpochMs, text: maskEmailsIn(cleanText(text)) };
}

function deathEvent({ movedAtEpochMs, failureReason, totalAttempts, reviewedAtEpochMs }: DeadLetter): StoryEvent {
  const reviewed = reviewedAtEpochMs === null ? 'not reviewed' : `reviewed ${formatInstant(reviewedAtEpochMs)}`;
  const text = `dead letter after ${plural(totalAttempts, 'try', 'tries')}: ${failureReason} (${reviewed})`;
  return { atEpochMs: movedAtEpochMs, text: maskEmailsIn(cleanText(text)) };
}
