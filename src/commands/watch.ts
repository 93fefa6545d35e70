/** `email-ops watch`: the dashboard on a terminal; elsewhere snapshots as a stream of text or JSON lines until told to stop. */
import { setTimeout as delay } from 'node:timers/promises';
import type { SnapshotReader } from '../data/snapshot.ts';
import { FAST_MS, goodForMs } from '../domain/cadence.ts';
import { formatAge, formatLatency, plural } from '../domain/format.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { MINUTE_MS } from '../domain/time.ts';
import { verdictOf } from '../domain/verdict.ts';
import { type Budget, createPacer, parseBudget } from './budget.ts';
import { type Command, EXIT, type Invocation, UsageError } from './command.ts';
import { isAbort } from './failure.ts';
import type { Io } from './io.ts';
import { parseDuration, wholeNumber } from './options.ts';
import { compactLines } from './render/compact.ts';
import { lookOf, shown } from './render/look.ts';
import { snapshotJson } from './render/snapshot-json.ts';

const LEAST_INTERVAL_MS = 500;
/** The dashboard's own list; a test holds the two equal. */
export const THEME_CHOICES = ['dark', 'light', '16', 'mono'];

type Options = {
  plain?: boolean;
  json?: boolean;
  interval?: number;
  budget?: Budget;
  count?: number;
  workers?: boolean;
  forceLocal?: boolean;
  readOnly?: boolean;
  safe?: boolean;
  bell?: boolean;
  mouse?: boolean;
  theme?: string;
};

export const watch: Command<Options> = {
  name: 'watch',
  summary: 'watch the email system, refreshing',
  options: [
    {
      flags: '--workers',
      description: 'run the workers in here too, on their schedules, where QStash does not call them',
    },
    { flags: '--force-local', description: 'with the workers in here: also those that QStash calls already' },
    { flags: '--read-only', description: 'look, and change nothing; EMAIL_OPS_READ_ONLY=1 does the same' },
    { flags: '--safe', description: 'keys change something only after Ctrl-A, for ten minutes' },
    { flags: '--bell', description: 'ring when a new critical alert arrives' },
    { flags: '--mouse', description: 'clicks select, the wheel scrolls' },
    { flags: '--theme <name>', description: 'colours of the dashboard', choices: THEME_CHOICES },
    { flags: '--plain', description: 'a stream of text; the default where stdout is no terminal' },
    { flags: '--json', description: 'a stream of JSON lines (docs/json.md)' },
    {
      flags: '--interval <time>',
      description: 'between refreshes, such as 5s or 1m; without it 5s, on a screen up to 1m while nothing happens',
      parse: parseInterval,
    },
    {
      flags: '--budget <commands>',
      description: 'at most so many Redis commands for looking, such as 10000/day; sets the interval',
      parse: parseBudget,
    },
    { flags: '--count <n>', description: 'end after so many refreshes', parse: wholeNumber(1, 999_999_999) },
  ],
  examples: [
    { line: 'email-ops', what: 'the dashboard' },
    { line: 'email-ops watch --safe', what: 'the dashboard, for a terminal that is left open' },
    { line: 'email-ops watch --plain', what: 'one block of text every five seconds' },
    { line: 'email-ops watch --json --interval 1m >> email.jsonl', what: 'a record for later' },
    { line: 'email-ops watch --budget 10000/day', what: 'as often as the free plan of Upstash bears' },
  ],
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  if (options.workers === true && options.readOnly === true)
    throw new UsageError('--workers sends emails, which --read-only forbids: use one of them');
  if (isDashboard(options, io, environment.TERM)) {
    const { openDashboard } = await import('./dashboard/open.ts');
    return openDashboard(options, { io, environment, signal });
  }
  // Whoever asked for them must not believe that mail is being sent.
  if (options.workers === true)
    throw new UsageError('--workers is for the dashboard, which needs a terminal; without one: email-ops work');
  const { connectSystems } = await import('./connect.ts');
  await using systems = await connectSystems(io, { environment, signal });
  const reader = await systems.snapshotReader();
  try {
    await stream(reader, { options, io, signal });
  } catch (error) {
    // Being told to stop is how a stream ends.
    if (!signal.aborted || !isAbort(error)) throw error;
  }
  return EXIT.ok;
}

/** A stream was asked for, or there is no terminal that a dashboard could be drawn on. */
function isDashboard({ plain, json, count }: Options, io: Io, term: string | undefined): boolean {
  if (plain === true || json === true || count !== undefined) return false;
  return io.stdout.isTty && io.stdin.isTty && term !== 'dumb';
}

async function stream(
  reader: SnapshotReader,
  { options, io, signal }: Pick<Invocation<Options>, 'options' | 'io' | 'signal'>,
): Promise<void> {
  const count = options.count ?? Number.POSITIVE_INFINITY;
  const pacer = options.budget === undefined ? null : createPacer(options.budget);
  const leastMs = options.interval ?? (pacer === null ? FAST_MS : LEAST_INTERVAL_MS);
  // A budget is for many looks, and not for few whole ones.
  const partsGoodForMs = pacer === null ? Math.min(MINUTE_MS, goodForMs(leastMs)) : MINUTE_MS;
  for (let shownSoFar = 0; shownSoFar < count && !signal.aborted; shownSoFar += 1) {
    const startedAtEpochMs = io.now();
    const before = reader.cost().redisCommands;
    const snapshot = await reader.read(signal, { goodForMs: partsGoodForMs });
    io.stdout.write(render(snapshot, options, io));
    pacer?.spent(reader.cost().redisCommands - before, startedAtEpochMs);
    if (shownSoFar === 0 && options.budget !== undefined) io.stderr.write(describeBudget(options.budget, leastMs));
    const nextAtEpochMs = Math.max(startedAtEpochMs + leastMs, pacer?.nextAtEpochMs() ?? 0);
    const restMs = Math.max(0, nextAtEpochMs - io.now());
    if (shownSoFar + 1 < count) await delay(restMs, undefined, { signal });
  }
}

function render(snapshot: Snapshot, { json }: Options, io: Io): string {
  const verdict = verdictOf(snapshot);
  if (json === true) return `${snapshotJson(snapshot, verdict)}\n`;
  return shown(compactLines(snapshot, verdict, lookOf(io)), lookOf(io));
}

function describeBudget({ commands, periodMs }: Budget, leastMs: number): string {
  return `email-ops: ${plural(commands, 'Redis command')} in ${formatAge(periodMs)}: a command every ${formatLatency(periodMs / commands)}, a refresh costs from 1 to 8, and none comes sooner than ${formatLatency(leastMs)} after the one before.\n`;
}

function parseInterval(text: string): number {
  const intervalMs = parseDuration(text);
  if (intervalMs < LEAST_INTERVAL_MS) throw new UsageError(`'${text}' is under the minimum of 500ms`);
  return intervalMs;
}
