/**
 * The admin API (WIRE.md): what the Next.js app shows and does about email, as one web-standard handler. It reads the same
 * snapshot as the console and acts through the same lock; every action is written to the audit list.
 */
import { z } from 'zod';
import type { Audit } from '../data/audit.ts';
import type { Logs } from '../data/logs.ts';
import { isCursor, type QueueList } from '../data/queue-list.ts';
import { EMAIL_TYPES, PROVIDERS, QUEUE_STATUSES } from '../domain/email.ts';
import { toJson } from '../domain/json.ts';
import { type Fault, type Loaded, mapLoaded } from '../domain/loaded.ts';
import type { QueueOverview } from '../domain/queue.ts';
import { percentUsed, quotaStatus, remainingToday } from '../domain/quota.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { type Clock, HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import { EXIT_CODE_BY_LEVEL, verdictOf } from '../domain/verdict.ts';
import type { ActionResult, AdminActions } from './admin-actions.ts';
import { BodyTooLargeError, hasBearer, json, readBody } from './http.ts';
import type { Logger } from './worker.ts';

export const ADMIN_PATH = '/api/admin/email';

export interface AdminApiOptions {
  readonly token: string;
  /** `EMAIL_OPS_READ_ONLY`: actions answer 403. */
  readonly readOnly: boolean;
  /** Null: Postgres is not configured. */
  readonly queueList: QueueList | null;
  readonly logs: Logs | null;
  readonly audit: Audit | null;
  readonly actions: AdminActions;
  readonly log: Logger;
  readonly clock: Clock;
  readonly host: string;
  snapshot(): Promise<Snapshot>;
}

type Reading = (options: AdminApiOptions, query: URLSearchParams) => Promise<Response>;

const READINGS: Readonly<Record<string, Reading>> = {
  health: async ({ snapshot }) => partAnswer((await snapshot()).health),
  queue: readQueue,
  quotas: async ({ snapshot }) => partAnswer(mapLoaded((await snapshot()).queue, describeQuotas)),
  stats: async ({ snapshot }) => partAnswer(mapLoaded((await snapshot()).queue, describeStats)),
  logs: readLogs,
  alerts: async ({ snapshot }) => partAnswer(mapLoaded((await snapshot()).alerts, ({ alerts }) => alerts)),
  metrics: async ({ snapshot }) => partAnswer(mapLoaded((await snapshot()).metrics, ({ points }) => points)),
  runs: async ({ snapshot }) => partAnswer(mapLoaded((await snapshot()).runs, ({ runs }) => runs)),
  status: async ({ snapshot }) => {
    const whole = await snapshot();
    const verdict = verdictOf(whole);
    const exitCode = EXIT_CODE_BY_LEVEL[verdict.level];
    return json(200, { verdict: { ...verdict, exitCode }, ...(toJson(whole) as object) });
  },
};

const BODY_LIMIT_BYTES = 16 * 1_024;

/** Answers everything under {@link ADMIN_PATH}. Never throws. */
export function createAdminApi(options: AdminApiOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    if (!hasBearer(request, options.token)) {
      return json(401, { error: 'The bearer token is missing or wrong.' }, { 'www-authenticate': 'Bearer' });
    }
    const url = new URL(request.url);
    const name = url.pathname.slice(ADMIN_PATH.length + 1);
    try {
      const reading = Object.hasOwn(READINGS, name) ? READINGS[name] : undefined;
      if (reading !== undefined) {
        if (request.method !== 'GET') return notAllowed('GET');
        return await reading(options, url.searchParams);
      }
      if (name !== 'pause' && name !== 'resume' && name !== 'run')
        return json(404, { error: 'There is no such address.' });
      if (request.method !== 'POST') return notAllowed('POST');
      return await act(name, request, options);
    } catch (error) {
      return failed(error, options.log);
    }
  };
}

async function readQueue({ queueList }: AdminApiOptions, query: URLSearchParams): Promise<Response> {
  if (queueList === null) return json(503, { error: 'Postgres is not configured.' });
  const { status, type, search, limit, cursor, sort } = QueueQuery.parse(Object.fromEntries(query));
  const page = await queueList.list({
    ...(status === undefined ? {} : { status }),
    ...(type === undefined ? {} : { emailType: type }),
    ...(search === undefined ? {} : { text: search }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(sort === undefined ? {} : { sort }),
  });
  return json(200, toJson(page.rows), page.nextCursor === null ? {} : { 'x-next-cursor': page.nextCursor });
}

async function readLogs({ logs }: AdminApiOptions, query: URLSearchParams): Promise<Response> {
  if (logs === null) return json(503, { error: 'Postgres is not configured.' });
  const { provider, status, since, limit } = LogsQuery.parse(Object.fromEntries(query));
  const list = await logs.list({
    ...(provider === undefined ? {} : { provider }),
    ...(status === undefined ? {} : { status }),
    ...(since === undefined ? {} : { sinceEpochMs: since }),
    ...(limit === undefined ? {} : { limit }),
  });
  return json(200, toJson(list.values));
}

/** Usage is the day's, as the app shows it; the status minds the month as well. */
function describeQuotas({ quotas }: QueueOverview) {
  return quotas.map((quota) => ({
    provider: quota.provider,
    status: quotaStatus(Math.max(percentUsed(quota.day), percentUsed(quota.month))),
    usage_percentage: tenth(percentUsed(quota.day)),
    emails_sent: quota.day.sent,
    remaining: remainingToday(quota),
    daily_limit: quota.day.limit,
    monthly_usage_percentage: tenth(percentUsed(quota.month)),
    monthly_sent: quota.month.sent,
    monthly_limit: quota.month.limit,
  }));
}

function describeStats({ deliveries24h, counts }: QueueOverview) {
  const sum = (field: 'sent' | 'failed') => deliveries24h.reduce((total, each) => total + each[field], 0);
  const [sent, failed] = [sum('sent'), sum('failed')];
  return {
    totalSent24h: sent,
    totalFailed24h: failed,
    totalQueued: counts.queued,
    successRate: successRate(sent, failed),
    providerStats: deliveries24h.map((each) => ({
      provider: each.provider,
      sent: each.sent,
      failed: each.failed,
      successRate: successRate(each.sent, each.failed),
    })),
  };
}

/** 0–100. Where nothing was tried nothing failed. */
function successRate(sent: number, failed: number): number {
  return sent + failed === 0 ? 100 : tenth((sent / (sent + failed)) * 100);
}

async function act(name: 'pause' | 'resume' | 'run', request: Request, options: AdminApiOptions): Promise<Response> {
  if (options.readOnly) return json(403, { error: 'EMAIL_OPS_READ_ONLY is set: nothing can be changed here.' });
  const text = await readBody(request, BODY_LIMIT_BYTES);
  const body = text.trim() === '' ? {} : JSON.parse(text);
  const { by, result, target } = await ACTIONS[name](options.actions, body);
  await writeAudit({ by, action: name, target, result }, options);
  return json(result.status, {
    success: result.status < 300,
    message: result.message,
    ...(toJson(result.details) as object),
  });
}

const ACTIONS = {
  pause: async (actions: AdminActions, body: unknown) => {
    const { operator, minutes, reason, extend } = PauseBody.parse(body);
    const result = await actions.pause({ operator, forMs: minutes * MINUTE_MS, reason, extend });
    return { by: operator, target: `${minutes} min${reason === '' ? '' : `: ${reason}`}`, result };
  },
  resume: async (actions: AdminActions, body: unknown) => {
    const { operator, yes } = ResumeBody.parse(body);
    return { by: operator, target: '', result: await actions.resume({ operator, isSure: yes }) };
  },
  run: async (actions: AdminActions, body: unknown) => {
    const { operator, worker, wait } = RunBody.parse(body);
    return { by: operator, target: worker, result: await actions.run({ worker, wait }) };
  },
} as const;

/** The action is done: that it could not be written down must not look as if it had failed. */
async function writeAudit(
  did: { by: string; action: string; target: string; result: ActionResult },
  { audit, clock, host, log }: AdminApiOptions,
): Promise<void> {
  const { by, action, target, result } = did;
  const outcome = result.status < 300 ? 'ok' : result.message;
  try {
    await audit?.append({ atEpochMs: clock.nowEpochMs(), by, host, action, target, outcome });
  } catch (error) {
    log.warn(`[admin] The audit list could not be written: ${(error as Error).message}`);
  }
}

const operator = z
  .string()
  .regex(/^[\w .+-]{1,64}$/, 'is not a name')
  .default('admin-api');
const limit = z.coerce.number().int().min(1).max(500).optional();

const QueueQuery = z.object({
  status: z.enum(QUEUE_STATUSES).optional(),
  type: z.enum(EMAIL_TYPES).optional(),
  search: z.string().max(200).optional(),
  sort: z.enum(['oldest', 'newest', 'changed']).optional(),
  limit,
  cursor: z.string().refine(isCursor, 'is not one that a page before answered').optional(),
});
const LogsQuery = z.object({
  provider: z.enum(PROVIDERS).optional(),
  status: z.enum(['pending', 'sent', 'delivered', 'failed', 'bounced']).optional(),
  since: z.iso.datetime({ offset: true }).transform(Date.parse).optional(),
  limit,
});
const PauseBody = z.object({
  operator,
  minutes: z
    .number()
    .min(1)
    .max((24 * HOUR_MS) / MINUTE_MS)
    .default(30),
  reason: z.string().max(200).default(''),
  extend: z.boolean().default(false),
});
const ResumeBody = z.object({ operator, yes: z.boolean().default(false) });
const RunBody = z.object({
  operator,
  worker: z.enum(['queue-processor', 'health-monitor', 'quota-sync']).default('queue-processor'),
  /** False answers as soon as it has begun. */
  wait: z.boolean().default(true),
});

/** A part of the snapshot, its age in a header: the body stays what the app knows. */
function partAnswer(part: Loaded<unknown>): Response {
  if (part.state === 'failed') return faultAnswer(part.error);
  const headers = {
    'x-read-at': new Date(part.atEpochMs).toISOString(),
    ...(part.state === 'stale' ? { warning: `110 - "${part.error.message.replace(/[^\x20-\x7e]|"/g, '?')}"` } : {}),
  };
  return json(200, toJson(part.value), headers);
}

function faultAnswer({ code, message, remedy }: Fault): Response {
  return json(code === 'not-configured' ? 503 : 502, {
    error: message,
    code,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function notAllowed(method: string): Response {
  return json(405, { error: `Only ${method} is served here.` }, { allow: method });
}

function failed(error: unknown, log: Logger): Response {
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    return json(400, { error: `${issue?.path.join('.') || 'The request'}: ${issue?.message ?? 'is not valid'}` });
  }
  if (error instanceof SyntaxError) return json(400, { error: 'The body is not JSON.' });
  if (error instanceof BodyTooLargeError) return json(413, { error: error.message });
  const fault = (error as { fault?: Fault }).fault;
  if (fault !== undefined) return faultAnswer(fault);
  log.error(`[admin] ${error instanceof Error ? error.message : String(error)}`);
  return json(500, { error: 'Something unexpected failed; see the log.' });
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
