/** `email-ops run`: one run of a worker, here and now, or at the deployed endpoint through QStash. */

import { runRemotely } from '../data/remote-run.ts';
import { formatLatency } from '../domain/format.ts';
import { type RunOutcome, WORKERS, type WorkerName } from '../domain/run.ts';
import { cleanText } from '../domain/text.ts';
import type { Logger, RunProgress, RunResult } from '../workers/worker.ts';
import { auditOf } from './audit.ts';
import { type Command, CommandError, EXIT, type Invocation, UsageError } from './command.ts';
import { connectSystems, needRedis, needSupabase, type Systems } from './connect.ts';
import { jsonLine } from './json-line.ts';
import { JSON_OPTION } from './options.ts';
import { refuseReadOnly } from './pause.ts';

type Options = { remote?: boolean; json?: boolean };

const REDRAW_EVERY_MS = 100;

export const run: Command<Options> = {
  name: 'run',
  summary: 'one run of a worker, now: queue-processor, health-monitor or quota-sync',
  arguments: [{ name: '<worker>', description: WORKERS.join(', ') }],
  options: [
    { flags: '--remote', description: 'let QStash call the deployed worker instead, and follow the message' },
    JSON_OPTION,
  ],
  examples: [
    { line: 'email-ops run queue-processor', what: 'send what is due, here' },
    { line: 'email-ops run health-monitor --json', what: 'the result for another program' },
    { line: 'email-ops run queue-processor --remote', what: 'at EMAIL_WORKER_BASE_URL, through QStash' },
  ],
  exitCodes:
    '0 done or nothing to do, 1 failed, 2 wrong usage, 3 a system is not configured (or QStash not reachable), 4 skipped: paused or another worker is at it, 130 interrupted.',
  run: async (invocation) => {
    const worker = workerOf(invocation.arguments[0] ?? '');
    await using systems = await connectSystems(invocation.io, invocation);
    refuseReadOnly(systems);
    return await (invocation.options.remote === true
      ? runThere(worker, systems, invocation)
      : runHere(worker, systems, invocation));
  },
};

const EXIT_CODE: Readonly<Record<RunOutcome, number>> = { ok: 0, failed: 1, skipped: 4, aborted: EXIT.interrupted };

async function runHere(worker: WorkerName, systems: Systems, { io, options, signal }: Invocation<Options>) {
  const redis = needRedis(systems);
  const supabase = needSupabase(systems);
  const { supabase: emailFunction, worker: settings } = systems.config;
  if (emailFunction === null) throw new CommandError('Supabase is not configured');
  const { createWorkers } = await import('../workers/registry.ts');
  const line = progressOn(io);
  const log = loggerOn(io, line.clear);
  const workers = createWorkers({ redis, supabase, emailFunction, settings, clock: systems.clock, log });
  const result = await workers[worker].run({ trigger: 'cli', signal, onProgress: line.show });
  line.clear();
  io.stdout.write(options.json === true ? jsonLine({ worker, ...result }) : resultLine(worker, result));
  return result.outcome === 'aborted' && !signal.aborted ? EXIT.failed : EXIT_CODE[result.outcome];
}

async function runThere(worker: WorkerName, systems: Systems, invocation: Invocation<Options>) {
  const { io, options, signal } = invocation;
  const { qstash, worker: settings } = systems.config;
  if (qstash === null || settings.baseUrl === null) {
    const missing = [qstash === null ? 'QSTASH_TOKEN' : '', settings.baseUrl === null ? 'EMAIL_WORKER_BASE_URL' : ''];
    const names = missing.filter((name) => name !== '').join(' and ');
    throw new CommandError(`A remote run needs ${names}. Set it in the environment or in .env`, {
      exitCode: EXIT.usage,
    });
  }
  const { expectedScheduleOf } = await import('../domain/schedule.ts');
  const { id, path } = expectedScheduleOf(worker);
  const target = { token: qstash.token, ...(qstash.url === null ? {} : { url: qstash.url }) };
  const outcome = await runRemotely(target, {
    destination: settings.baseUrl + path,
    signal,
    onState: (state) => io.stderr.write(`QStash: ${state}\n`),
  });
  await auditOf(systems, invocation)('trigger', id, outcome.outcome === 'delivered' ? 'ok' : outcome.outcome);
  const error = outcome.error === null ? '' : ` ${cleanText(outcome.error, 300)}`;
  if (options.json === true) io.stdout.write(jsonLine({ worker, ...outcome }));
  else
    io.stdout.write(
      `${worker} at ${settings.baseUrl}: ${outcome.outcome} (message ${cleanText(outcome.messageId, 100)}).${error}\n`,
    );
  return outcome.outcome === 'delivered' ? EXIT.ok : EXIT.failed;
}

function workerOf(name: string): WorkerName {
  const worker = WORKERS.find((each) => each === name);
  if (worker !== undefined) return worker;
  throw new UsageError(`'${name}' is no worker: use ${WORKERS.join(', ')}`);
}

/** What workers say carries errors from outside. */
const LONGEST_LINE = 4_000;

function resultLine(worker: WorkerName, { outcome, message, durationMs }: RunResult): string {
  const how = outcome === 'ok' ? '' : `${outcome}: `;
  return `${worker}: ${how}${cleanText(message, LONGEST_LINE)} (${formatLatency(durationMs)})\n`;
}

/** The worker's log goes to stderr, so that stdout is the result alone. */
function loggerOn(io: Invocation['io'], clear: () => void): Logger {
  const write = (text: string) => {
    clear();
    io.stderr.write(`${cleanText(text, LONGEST_LINE)}\n`);
  };
  return { info: write, warn: write, error: write };
}

/** On a terminal one line that is redrawn; elsewhere nothing. */
function progressOn(io: Invocation['io']) {
  let shownAtMs = 0;
  let isOpen = false;
  return {
    show: ({ processed, successful, failed }: RunProgress) => {
      if (!io.stderr.isTty || io.now() - shownAtMs < REDRAW_EVERY_MS) return;
      shownAtMs = io.now();
      isOpen = true;
      io.stderr.write(`\r\x1b[K${processed} processed: ${successful} sent, ${failed} failed`);
    },
    clear: () => {
      if (isOpen) io.stderr.write('\r\x1b[K');
      isOpen = false;
    },
  };
}
