/** `email-ops sandbox outbox`: what the sandbox's providers were asked to send, and whether anybody got an email twice. */

import { z } from 'zod';
import { PROVIDERS } from '../domain/email.ts';
import { formatClock, formatCount, formatLatency, plural } from '../domain/format.ts';
import { cleanText, maskEmail, maskEmailsIn, maskEmailsWithin } from '../domain/text.ts';
import type { JoinedSandbox } from '../sandbox/launcher.ts';
import { type Command, CommandError, EXIT, type Invocation } from './command.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION, wholeNumber } from './options.ts';
import { lookOf, type Role, shown } from './render/look.ts';
import { table } from './render/table.ts';

const TIMEOUT_MS = 5_000;

const attemptSchema = z.object({
  at: z.string(),
  provider: z.string(),
  to: z.string(),
  subject: z.string(),
  outcome: z.string(),
  message: z.string().nullable(),
  latencyMs: z.number(),
  repeat: z.boolean(),
  idempotencyKey: z.string().nullable(),
  messageId: z.string().nullable(),
});
const outboxSchema = z.object({ attempts: z.array(attemptSchema) });
const summarySchema = z.object({
  attempts: z.number(),
  delivered: z.number(),
  repeats: z.number(),
  failed: z.number(),
  byProvider: z.record(z.string(), z.object({ delivered: z.number(), repeats: z.number(), failed: z.number() })),
  distinctKeys: z.number(),
  doubled: z.number(),
  dropped: z.number(),
});

type Attempt = z.infer<typeof attemptSchema>;
type Options = { limit: number; provider?: string; outcome?: string; to?: string; unmask?: boolean; json?: boolean };

export const outbox: Command<Options> = {
  name: 'outbox',
  summary: 'list what the sandbox sent, newest first',
  options: [
    { flags: '-n, --limit <count>', description: 'at most so many', default: 20, parse: wholeNumber(0, 10_000) },
    { flags: '--provider <name>', description: 'only through this provider', choices: PROVIDERS },
    { flags: '--outcome <outcome>', description: 'only these', choices: ['delivered', 'failed'] },
    { flags: '--to <address>', description: 'only to this address' },
    { flags: '--unmask', description: 'show whole addresses' },
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops sandbox outbox', what: 'the last 20 emails' },
    { line: 'email-ops sandbox outbox --outcome failed --json', what: 'what failed, for another program' },
  ],
  run,
};

async function run({ options, io, signal }: Invocation<Options>): Promise<number> {
  const joined = await joinOrFail();
  try {
    const { limit, provider, outcome, to } = options;
    const query = new URLSearchParams(
      Object.entries({ limit: String(limit), provider, outcome, to }).filter(
        (pair): pair is [string, string] => !!pair[1],
      ),
    );
    const [listed, summary] = await Promise.all([
      ask(joined, `/outbox?${query}`, signal),
      ask(joined, '/outbox/summary', signal).then((answer) => summarySchema.parse(answer)),
    ]);
    const attempts = outboxSchema
      .parse(listed)
      .attempts.map((attempt) =>
        options.unmask === true ? attempt : { ...maskEmailsWithin(attempt), to: maskEmail(attempt.to) },
      );
    if (options.json === true) {
      io.stdout.write(jsonLine({ summary, attempts }));
      return EXIT.ok;
    }
    const look = lookOf(io);
    const found = attempts.length === 0 && limit > 0 ? ['Nothing found.'] : table(COLUMNS, attempts, look);
    const lines = [...found, summaryLine(summary)];
    io.stdout.write(shown(lines, look));
    return EXIT.ok;
  } finally {
    await joined.leave();
  }
}

/** The sandbox that runs. Whoever calls it leaves it. */
export async function joinOrFail(): Promise<JoinedSandbox> {
  const { joinRunning } = await import('../sandbox/launcher.ts');
  const joined = await joinRunning();
  if (joined === null) throw new CommandError('No sandbox runs. Start one: email-ops sandbox');
  return joined;
}

async function ask({ url, environment }: JoinedSandbox, path: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(`${url}/functions/v1/email${path}`, {
    headers: { authorization: `Bearer ${environment.SUPABASE_SERVICE_ROLE_KEY}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  if (!response.ok) throw new CommandError(`The sandbox refused the request (HTTP ${response.status})`);
  return response.json();
}

const COLUMNS = [
  { title: 'UTC', cell: ({ at }: Attempt) => formatClock(Date.parse(at)) },
  { title: 'provider', cell: ({ provider }: Attempt) => cleanText(provider, 20) },
  {
    title: 'outcome',
    cell: ({ outcome, repeat }: Attempt) => `${cleanText(outcome, 20)}${repeat ? ' (repeat)' : ''}`,
    role: ({ outcome }: Attempt): Role => (outcome === 'delivered' ? 'ok' : 'critical'),
  },
  { title: 'took', align: 'right', cell: ({ latencyMs }: Attempt) => formatLatency(latencyMs) },
  { title: 'to', shrinkTo: 12, cell: ({ to }: Attempt) => cleanText(to, 80) },
  {
    title: 'subject, or what failed',
    shrinkTo: 12,
    cell: ({ subject, message, outcome }: Attempt) =>
      maskEmailsIn(cleanText(outcome === 'failed' ? (message ?? '') : subject, 120)),
  },
] as const;

function summaryLine({
  attempts,
  delivered,
  failed,
  repeats,
  doubled,
  dropped,
}: z.infer<typeof summarySchema>): string {
  const older = dropped === 0 ? '' : `, ${formatCount(dropped)} older ones forgotten`;
  const twice = doubled === 0 ? 'none sent twice' : `${plural(doubled, 'email')} SENT TWICE`;
  return `In all ${plural(attempts, 'attempt')}: ${formatCount(delivered)} delivered, ${formatCount(failed)} failed, ${formatCount(repeats)} repeats; ${twice}${older}.`;
}
