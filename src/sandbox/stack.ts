/**
 * The whole system on one loopback port (DESIGN §2): opens the parts, mounts them behind their real protocols, lets the
 * scenario run. Everything it opens is closed by `stop`, in reverse order.
 */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Clock } from '../domain/time.ts';
import { type Attachments, createAttachments } from './attachments.ts';
import { isAuthorized } from './authorization.ts';
import { type Database, openDatabase } from './database.ts';
import { createEmailFunction, type EmailFunction } from './email-function/function.ts';
import { createOperators } from './email-function/operators.ts';
import type { SandboxHandle } from './handle.ts';
import { makeHistory } from './history.ts';
import { writeHistory } from './history-writer.ts';
import type { Progress, ScenarioName } from './launcher.ts';
import { createQStash } from './qstash/qstash.ts';
import { seededRandom } from './random.ts';
import { openRedis, type SandboxRedis } from './redis/redis.ts';
import { allLimits, createScenarioEngine } from './scenario-engine.ts';
import { createScenarioPorts } from './scenario-ports.ts';
import { SCENARIO_TABLE } from './scenarios.ts';
import { ensureSchedules } from './schedules.ts';
import { mountWorkers } from './workers.ts';

export interface StackOptions {
  readonly folder: string;
  readonly scenario: ScenarioName;
  readonly speed: number;
  readonly seed: string;
  readonly clock: Clock;
  readonly onProgress: (progress: Progress) => void;
  /** Called once when no console has been attached for a while. */
  readonly onAbandoned: () => void;
  readonly log: (line: string) => void;
  /** Gives an empty sandbox a made-up yesterday, so that its charts are not empty. */
  readonly withHistory: boolean;
  /** Stops a start between two of its steps. */
  readonly signal: AbortSignal;
  /** Sends by this SMTP server instead of simulating providers. */
  readonly smtpUrl?: string;
}

export interface Stack {
  readonly handle: SandboxHandle;
  stop(): Promise<void>;
}

const STEPS = ['Redis', 'Postgres', 'email function', 'QStash', 'endpoints', 'first mail'] as const;
const TICK_MS = 1_000;
const ABANDONED_AFTER_MS = 2_000;
const NEVER_ATTACHED_AFTER_MS = 30_000;

/** Opens everything. When one part fails or the signal comes, those before it are closed again and the error tells which it was. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return { handle: await open(options, closers), stop: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function open(options: StackOptions, closers: (() => Promise<void> | void)[]): Promise<SandboxHandle> {
  const { folder, clock, log, seed } = options;
  const step = (name: (typeof STEPS)[number]) => {
    options.signal.throwIfAborted();
    options.onProgress({ step: name, done: STEPS.indexOf(name), total: STEPS.length });
  };
  const keys = {
    redis: randomToken('redis'),
    supabase: randomToken('sb_secret'),
    qstash: randomToken('qstash'),
    admin: randomToken('admin'),
    control: randomToken('control'),
  };

  step('Redis');
  const redis = await openRedis({
    folder: `${folder}/redis`,
    token: keys.redis,
    clock,
    onProgress: (what) => options.onProgress({ step: what, done: 0, total: STEPS.length }),
  });
  closers.push(() => redis.stop());
  step('Postgres');
  const database = await openDatabase({
    folder: `${folder}/postgres`,
    secretKey: keys.supabase,
    onProgress: (what) => options.onProgress({ step: what, done: 1, total: STEPS.length }),
  });
  closers.push(() => database.stop());
  step('email function');
  const operators = createOperators({ database, clock, log });
  closers.push(() => operators.stop());
  const emailFunction = createEmailFunction({
    folder: `${folder}/email-function`,
    serviceKey: keys.supabase,
    clock,
    seed,
    operators,
    // The workers are mounted later, and nobody can ask before the port is open.
    processQueue: (request) => workers.processQueue(request),
    log,
    ...(options.smtpUrl === undefined ? {} : { smtpUrl: options.smtpUrl }),
  });
  closers.push(() => emailFunction.stop());
  step('QStash');
  const qstash = createQStash({ folder: `${folder}/qstash`, clock, token: keys.qstash, speed: options.speed });
  closers.push(() => qstash.stop());

  step('endpoints');
  const attachments = createAttachments({
    graceMs: ABANDONED_AFTER_MS,
    startGraceMs: NEVER_ATTACHED_AFTER_MS,
    onAbandoned: options.onAbandoned,
  });
  closers.push(attachments.close);
  const app = new Hono();
  const listening = await listen(app);
  closers.push(listening.close);
  const { url } = listening;
  qstash.moveTo(url);
  const environment: Record<string, string> = {
    EMAIL_OPS_SANDBOX: '1',
    KV_REST_API_URL: `${url}/redis`,
    KV_REST_API_TOKEN: keys.redis,
    NEXT_PUBLIC_SUPABASE_URL: url,
    SUPABASE_SERVICE_ROLE_KEY: keys.supabase,
    QSTASH_URL: `${url}/qstash`,
    QSTASH_TOKEN: keys.qstash,
    QSTASH_CURRENT_SIGNING_KEY: qstash.keys.current,
    QSTASH_NEXT_SIGNING_KEY: qstash.keys.next,
    EMAIL_WORKER_BASE_URL: url,
    EMAIL_ADMIN_TOKEN: keys.admin,
  };
  const workers = mountWorkers({ environment, clock, log });
  closers.push(workers.stop);
  mount(app, '/redis', redis.fetch);
  app.all('/rest/v1/*', (context) => database.fetch(context.req.raw));
  app.all('/functions/v1/email/*', (context) => emailFunction.fetch(context.req.raw));
  app.all('/functions/v1/email', (context) => emailFunction.fetch(context.req.raw));
  mount(app, '/qstash', qstash.fetch);
  app.all('/api/*', (context) => workers.fetch(context.req.raw));
  app.get('/sandbox/attach', (context) => attach(context.req.raw, keys.control, attachments));

  step('first mail');
  const ports = createScenarioPorts({ database, emailFunction });
  const scenario = SCENARIO_TABLE[options.scenario];
  const engine = createScenarioEngine({
    scenario,
    speed: options.speed,
    random: seededRandom(`${seed}/mail`).next,
    clock,
    ports,
    log,
  });
  await engine.tick();
  if (!(await ports.hasMail())) {
    if (options.withHistory) await remember(options, { database, redis, outbox: emailFunction.outbox });
    await engine.fillBacklog();
  }
  closers.push(startTicking(engine.tick, log));
  await ensureSchedules(environment, workers.scheduleIds);
  qstash.start();
  return {
    pid: process.pid,
    url,
    scenario: options.scenario,
    speed: options.speed,
    startedAt: new Date(clock.nowEpochMs()).toISOString(),
    controlToken: keys.control,
    environment,
  };
}

async function remember(
  options: StackOptions,
  parts: { database: Database; redis: SandboxRedis; outbox: EmailFunction['outbox'] },
): Promise<void> {
  const nowEpochMs = options.clock.nowEpochMs();
  const random = seededRandom(`${options.seed}/history`);
  const history = makeHistory({ nowEpochMs, random, limits: allLimits(SCENARIO_TABLE[options.scenario]) });
  await writeHistory(history, { ...parts, execute: parts.redis.execute }, nowEpochMs);
}

function randomToken(prefix: string): string {
  return `${prefix}_${randomBytes(24).toString('base64url')}`;
}

/** Hands a part the request with the prefix taken off its path. */
function mount(app: Hono, prefix: string, fetch: (request: Request) => Promise<Response>): void {
  const forward = (request: Request) => {
    const url = new URL(request.url);
    url.pathname = url.pathname.slice(prefix.length) || '/';
    return fetch(new Request(url, request));
  };
  app.all(prefix, (context) => forward(context.req.raw));
  app.all(`${prefix}/*`, (context) => forward(context.req.raw));
}

function attach(request: Request, token: string, attachments: Attachments): Response {
  return isAuthorized(request, token) ? attachments.hold() : Response.json({ error: 'Unauthorized' }, { status: 401 });
}

async function listen(app: Hono): Promise<{ url: string; close: () => Promise<void> }> {
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

/** One tick after the other, never two at once; a failed one is logged and the next one goes on. */
function startTicking(tick: () => Promise<void>, log: (line: string) => void): () => Promise<void> {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const schedule = () => {
    if (stopped) return;
    timer = setTimeout(() => {
      running = tick()
        .catch((error: unknown) => log(`scenario: ${error instanceof Error ? error.message : String(error)}`))
        .then(schedule);
    }, TICK_MS);
  };
  schedule();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
