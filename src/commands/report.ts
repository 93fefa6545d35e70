/** `email-ops report`: the incident so far, for a ticket or a post-mortem, without the dashboard. */
import { writeFile } from 'node:fs/promises';
import type { AuditEntry } from '../domain/audit.ts';
import { auditMoments, type Incident, incidentOf } from '../domain/incident.ts';
import { incidentHtml } from '../domain/incident-html.ts';
import { incidentMarkdown } from '../domain/incident-markdown.ts';
import { lastValue } from '../domain/loaded.ts';
import type { RunRecord } from '../domain/run.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import { verdictOf } from '../domain/verdict.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { connectSystems, type Systems } from './connect.ts';
import { operatorOf } from './operator.ts';
import { parseDuration } from './options.ts';

type Options = { since?: number; html?: boolean; output?: string };

const DEFAULT_SINCE_MS = 6 * HOUR_MS;

export const report: Command<Options> = {
  name: 'report',
  summary: 'write the incident report: why, numbers, timeline and charts, as Markdown or as one HTML page',
  options: [
    {
      flags: '--since <time>',
      description: 'how far back, such as 30m or 6h; at most 24h (default 6h)',
      parse: readSince,
    },
    { flags: '--html', description: 'one HTML page with charts that needs no other file, instead of Markdown' },
    {
      flags: '-o, --output <file>',
      description: 'a new file instead of stdout; a name that ends with .html means --html',
    },
  ],
  examples: [
    { line: 'email-ops report --since 2h', what: 'Markdown on stdout, to paste into a ticket' },
    { line: 'email-ops report --since 6h -o incident.html', what: 'a page with charts for the post-mortem' },
    { line: 'email-ops report --html > today.html', what: 'the same into a pipe' },
  ],
  exitCodes: '0 written, also when things are bad; 1 it could not be written.',
  run,
};

async function run({ options, io, environment, signal }: Invocation<Options>): Promise<number> {
  await using systems = await connectSystems(io, { environment, signal });
  const { name, host } = operatorOf(environment);
  const incident = await readIncident(systems, {
    sinceMs: options.since ?? DEFAULT_SINCE_MS,
    author: `${name}@${host}`,
    signal,
  });
  const isHtml = options.html === true || /\.html?$/i.test(options.output ?? '');
  const text = isHtml ? incidentHtml(incident) : incidentMarkdown(incident);
  if (options.output === undefined) io.stdout.write(text);
  else {
    await writeNew(options.output, text);
    io.stderr.write(`Written to ${options.output}.\n`);
  }
  return EXIT.ok;
}

async function readIncident(
  systems: Systems,
  { sinceMs, author, signal }: { sinceMs: number; author: string; signal: AbortSignal },
): Promise<Incident> {
  const reader = await systems.snapshotReader();
  const [snapshot, { runs, audit }] = await Promise.all([reader.read(signal), readLists(systems)]);
  return incidentOf({
    nowEpochMs: snapshot.takenAtEpochMs,
    sinceEpochMs: snapshot.takenAtEpochMs - sinceMs,
    environment: snapshot.environment.name,
    author,
    verdict: verdictOf(snapshot),
    queue: lastValue(snapshot.queue),
    lock: lastValue(snapshot.lock),
    alerts: lastValue(snapshot.alerts),
    runs: runs ?? lastValue(snapshot.runs)?.runs ?? [],
    points: lastValue(snapshot.metrics)?.points ?? [],
    actions: auditMoments(audit),
  });
}

/** All runs and actions that Redis keeps. Without Redis there are none, and the verdict says so. */
async function readLists({
  redis,
}: Systems): Promise<{ runs: readonly RunRecord[] | null; audit: readonly AuditEntry[] }> {
  if (redis === null) return { runs: null, audit: [] };
  const [{ createRuns }, { createAudit, MAX_AUDIT_ENTRIES }] = await Promise.all([
    import('../data/runs.ts'),
    import('../data/audit.ts'),
  ]);
  const [runs, audit] = await Promise.allSettled([
    createRuns(redis.client).all(),
    createAudit(redis.client).read(MAX_AUDIT_ENTRIES),
  ]);
  return {
    runs: runs.status === 'fulfilled' ? runs.value.runs : null,
    audit: audit.status === 'fulfilled' ? audit.value.entries : [],
  };
}

/** Readable by its owner only; what is there already stays. */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') throw new CommandError(`${path} is there already: choose another name, or remove it`);
    throw new CommandError(`${path} cannot be written (${code ?? 'unknown error'}): choose another place`);
  }
}

function readSince(text: string): number {
  const ms = parseDuration(text);
  if (ms >= MINUTE_MS && ms <= DAY_MS) return ms;
  throw new UsageError(`'${text}' is not between 1m and 24h: the time series is kept for a day`);
}
