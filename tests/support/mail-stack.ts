/**
 * The whole system that a queue processor needs, on real servers: redis-server, PostgreSQL behind Supabase's REST API, and the
 * sandbox's email function over HTTP, whose outbox says what was really sent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createCountSentToday } from '../../src/data/day-counts.ts';
import { createEmailFunction as createMailClient } from '../../src/data/email-function.ts';
import { createOverview } from '../../src/data/overview.ts';
import { createProviderGateway } from '../../src/data/providers.ts';
import { createQueue } from '../../src/data/queue.ts';
import { createQueueLock, type QueueLock } from '../../src/data/queue-lock.ts';
import { connectRedis, type RedisConnection } from '../../src/data/redis.ts';
import { createRunRecorder } from '../../src/data/run-recorder.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { PROVIDERS, type Provider } from '../../src/domain/email.ts';
import { systemClock } from '../../src/domain/time.ts';
import type { ControlChange } from '../../src/sandbox/email-function/controls.ts';
import { createEmailFunction, type EmailFunction } from '../../src/sandbox/email-function/function.ts';
import { createQueueProcessor } from '../../src/workers/queue-processor.ts';
import type { QueueProcessorOptions, QueueProcessorPorts } from '../../src/workers/queue-processor-ports.ts';
import type { RunProgress, RunResult, Worker } from '../../src/workers/worker.ts';
import { applyMigrations, isPostgresMissing, type PostgresCluster, type Sql, startPostgres } from './postgres.ts';
import { isRedisServerMissing, type RedisServer, startRedisServer } from './redis.ts';
import { type RestServer, serveRest } from './rest.ts';
import { type Served, serve } from './serve.ts';

export interface MailStack {
  readonly redisUrl: string;
  readonly rest: { readonly url: string; readonly key: string };
  /** Where the email function is, with its path below, and the REST API as well. */
  readonly mailUrl: string;
  /** Variables with which the program itself finds all of this. */
  readonly environment: Readonly<Record<string, string>>;
  readonly sql: Sql;
  /** One connection for the test's own questions; not counted. */
  readonly redis: RedisConnection;
  readonly lock: QueueLock;
  lockOf(slots: number): QueueLock;
  readonly function: EmailFunction;
  /** Empties Redis and the queue, sets every provider as given, and limits that nobody reaches. */
  reset(providers?: ControlChange): Promise<void>;
  setLimits(limits: Partial<Record<Provider, { daily: number; sent?: number }>>): Promise<void>;
  enqueue(
    count: number,
    columns?: { emailType?: string; local?: string; maxAttempts?: number },
  ): Promise<readonly string[]>;
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Emails that were really sent, by idempotency key. */
  delivered(ids?: readonly string[]): Map<string, number>;
  processor(options?: Partial<QueueProcessorOptions>, ports?: Partial<QueueProcessorPorts>): Processor;
  stop(): Promise<void>;
}

/** A processor with connections of its own, as a process has. */
export interface Processor extends Worker {
  readonly log: readonly string[];
  readonly ports: QueueProcessorPorts;
  usage(): { readonly postgres: number; readonly redis: number };
  close(): Promise<void>;
}

/** What `processor-child.ts` is told. */
export interface ProcessorChild {
  readonly stack: Pick<MailStack, 'redisUrl' | 'rest' | 'mailUrl'>;
  readonly options: Partial<QueueProcessorOptions> & { readonly slots?: number };
  readonly isForever?: boolean;
}

export interface ChildLine {
  readonly begins?: number;
  readonly progress?: RunProgress;
  readonly result?: RunResult;
  readonly log?: readonly string[];
}

export interface Child {
  readonly process: ChildProcess;
  readonly lines: readonly ChildLine[];
  /** The first line for which `is` holds, also one that was said already. Rejects when the process ends without. */
  line(is: (line: ChildLine) => boolean): Promise<ChildLine>;
  ended: Promise<number | null>;
}

export const ENOUGH = 1_000_000;

export function isMailStackMissing(): boolean {
  return isRedisServerMissing() || isPostgresMissing();
}

/** `latencyFactor` 0: the function answers at once, its checks as well. */
export async function startMailStack({ latencyFactor = 1 } = {}): Promise<MailStack> {
  const folder = mkdtempSync(join(tmpdir(), 'email-ops-mail-'));
  const redisServer: RedisServer = await startRedisServer();
  const postgres: PostgresCluster = await startPostgres();
  await applyMigrations(postgres.sql);
  const rest: RestServer = await serveRest(postgres.url);
  const emailFunction = createEmailFunction({
    folder,
    serviceKey: rest.key,
    seed: 'mail-stack',
    latencyFactor,
    providers: everyProvider({ medianMs: 0, p99Ms: 0, failureRate: 0, dailyLimit: ENOUGH, monthlyLimit: ENOUGH }),
  });
  // One address for both, as Supabase has it; processes that know only that one come through here.
  const served: Served = await serve((request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname.startsWith('/functions/')) return emailFunction.fetch(request);
    return request.text().then((body) => fetch(rest.url + pathname + search, forwarded(request, body)));
  });
  const redis = connectRedis({ kind: 'tcp', url: redisServer.url });
  const { sql } = postgres;
  const processors = new Set<Processor>();
  let keys = 0;
  let resetAt = 0;

  const stack: MailStack = {
    redisUrl: redisServer.url,
    rest: { url: rest.url, key: rest.key },
    mailUrl: served.url,
    environment: {
      REDIS_URL: redisServer.url,
      NEXT_PUBLIC_SUPABASE_URL: served.url,
      SUPABASE_SERVICE_ROLE_KEY: rest.key,
    },
    sql,
    redis,
    lock: createQueueLock(redis.client, systemClock),
    lockOf: (slots) => createQueueLock(redis.client, systemClock, slots),
    function: emailFunction,
    reset: async (providers = {}) => {
      await redis.client.flushall();
      for (const table of [
        'email_queue',
        'email_logs',
        'email_dead_letter_queue',
        'email_provider_quota',
        'email_ops_counters',
        'email_ops_deliveries',
      ]) {
        await sql.unsafe(`delete from ${table}`);
      }
      emailFunction.providers.reset();
      for (const provider of PROVIDERS) emailFunction.providers.set(provider, providers);
      await stack.setLimits({});
      resetAt = Date.now();
    },
    setLimits: async (limits) => {
      for (const provider of PROVIDERS) {
        const { daily, sent = 0 } = limits[provider] ?? { daily: ENOUGH };
        await sql`
          insert into email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
          values (${provider}, (now() at time zone 'utc')::date, ${sent}, ${daily}, ${ENOUGH})
          on conflict (provider, date) do update
          set emails_sent = excluded.emails_sent, daily_limit = excluded.daily_limit`;
      }
    },
    enqueue: async (count, { emailType = 'chat', local = 'reader', maxAttempts = 3 } = {}) => {
      const emails = Array.from({ length: count }, () => {
        keys += 1;
        return {
          recipientEmail: `${local}+${keys}@example.org`,
          emailType,
          maxAttempts,
          templateData: { subject: `Number ${keys}`, html: '<p>Hello</p>' },
        };
      });
      const [row] = await sql<{ answer: { ids: string[] } }[]>`select enqueue_emails(${sql.json(emails)}) as answer`;
      return row?.answer.ids ?? [];
    },
    counts: async () => {
      const rows = await sql<
        { status: string; n: number }[]
      >`select status, count(*)::int as n from email_queue group by 1`;
      return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
    },
    delivered: (ids) => {
      const sent = new Map<string, number>();
      const wanted = ids === undefined ? null : new Set(ids);
      const filter = { limit: Number.POSITIVE_INFINITY, sinceEpochMs: resetAt, outcome: 'delivered' } as const;
      for (const { idempotencyKey, repeat } of emailFunction.outbox.list(filter)) {
        if (idempotencyKey === null || repeat || (wanted !== null && !wanted.has(idempotencyKey))) continue;
        sent.set(idempotencyKey, (sent.get(idempotencyKey) ?? 0) + 1);
      }
      return sent;
    },
    processor: (options = {}, ports = {}) => {
      const processor = createProcessor(stack, options, ports);
      processors.add(processor);
      return processor;
    },
    stop: async () => {
      await Promise.allSettled([...processors].map((processor) => processor.close()));
      await redis.close();
      await emailFunction.stop();
      await served.stop();
      await rest.stop();
      await postgres.stop();
      await redisServer.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return stack;
}

function forwarded({ method, headers }: Request, body: string): RequestInit {
  const kept = [...headers].filter(([name]) => !['host', 'connection', 'content-length'].includes(name));
  return { method, headers: kept, ...(method === 'GET' || method === 'HEAD' ? {} : { body }) };
}

/** Also for processes of their own, which know only the addresses. */
export function createProcessor(
  stack: Pick<MailStack, 'redisUrl' | 'rest' | 'mailUrl'>,
  options: Partial<QueueProcessorOptions> & { readonly slots?: number },
  changed: Partial<QueueProcessorPorts> = {},
): Processor {
  const redis: RedisConnection = connectRedis({ kind: 'tcp', url: stack.redisUrl });
  const supabase: SupabaseConnection = connectSupabase({ url: stack.rest.url, serviceRoleKey: stack.rest.key });
  const log: string[] = [];
  const write = (line: string) => {
    log.push(line);
  };
  const ports: QueueProcessorPorts = {
    queue: createQueue(supabase.client),
    overview: createOverview(supabase.client, systemClock),
    lock: createQueueLock(redis.client, systemClock, options.slots ?? 1),
    mail: createMailClient({ url: stack.mailUrl, serviceRoleKey: stack.rest.key }),
    providers: createProviderGateway(supabase.client),
    recorder: createRunRecorder(redis.client, systemClock, createCountSentToday(supabase.client, systemClock)),
    clock: systemClock,
    logger: { info: write, warn: write, error: write },
    ...changed,
  };
  const worker = createQueueProcessor(ports, {
    batchSize: 100,
    concurrency: 10,
    runBudgetMs: 240_000,
    lockTtlSeconds: 300,
    ...options,
  });
  return {
    run: worker.run,
    log,
    ports,
    usage: () => ({ postgres: supabase.usage().requests, redis: redis.usage().commands }),
    close: async () => {
      await redis.close();
      await supabase.close();
    },
  };
}

/** Starts a queue processor as a process of its own. */
export function startChild(child: ProcessorChild): Child {
  const script = fileURLToPath(new URL('./processor-child.ts', import.meta.url));
  const { redisUrl, rest, mailUrl } = child.stack;
  const argument = JSON.stringify({ ...child, stack: { redisUrl, rest, mailUrl } });
  const process = spawn(globalThis.process.execPath, [script, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: ChildLine[] = [];
  const heard = new EventEmitter();
  createInterface({ input: process.stdout })
    .on('line', (text) => {
      lines.push(JSON.parse(text));
      heard.emit('line');
    })
    .on('close', () => heard.emit('line', 'over'));
  const ended = once(process, 'exit').then(([code]) => code as number | null);
  return {
    process,
    lines,
    ended,
    line: async (is) => {
      for (let isOver = false; ; ) {
        const found = lines.find(is);
        if (found !== undefined) return found;
        if (isOver) throw new Error(`The process ended without saying so: ${JSON.stringify(lines.slice(-3))}`);
        const [word] = await once(heard, 'line', { signal: AbortSignal.timeout(60_000) });
        isOver = word === 'over';
      }
    },
  };
}

export function everyProvider(change: ControlChange): Record<Provider, ControlChange> {
  return Object.fromEntries(PROVIDERS.map((provider) => [provider, change])) as Record<Provider, ControlChange>;
}
