/** What the email function accepts, checked: a request as typed data, or the 400 that says what is wrong with it. */
import { z } from 'zod';
import { EMAIL_TYPES, type EmailType, isProvider, PROVIDERS } from '../domain/email.ts';
import type { Email } from './provider.ts';

export const ACTIONS = ['send', 'route', 'health', 'process-queue'] as const;
export const HEALTH_MODES = ['ping', 'full', 'status'] as const;
export type HealthMode = (typeof HEALTH_MODES)[number];

export type FunctionRequest =
  | { readonly action: 'send'; readonly email: Email; readonly ignoreCircuit: boolean }
  | { readonly action: 'route'; readonly emailType: EmailType; readonly forceRefresh: boolean }
  | { readonly action: 'health'; readonly mode: HealthMode }
  | {
      readonly action: 'process-queue';
      readonly batchSize: number | undefined;
      readonly concurrency: number | undefined;
    };

/** The body of a 400. */
export interface BadRequest {
  readonly error: string;
  readonly validProviders?: readonly string[];
  readonly validActions?: readonly string[];
}

export type Parsed =
  | { readonly ok: true; readonly request: FunctionRequest }
  | { readonly ok: false; readonly bad: BadRequest };

const filled = z.string().trim().min(1);
const bodySchema = z.record(z.string(), z.unknown());

const sendSchema = z.object({
  to: filled,
  subject: filled,
  html: filled,
  text: z.string().nullish(),
  from: z.string().nullish(),
  fromName: z.string().nullish(),
  replyTo: z.string().nullish(),
  provider: z.enum(PROVIDERS),
  idempotencyKey: z.string().min(1).max(256).nullish(),
  ignoreCircuit: z.boolean().nullish(),
});

const routeSchema = z.object({ emailType: z.enum(EMAIL_TYPES), forceRefresh: z.boolean().default(false) });
const healthSchema = z.object({ mode: z.enum(HEALTH_MODES).default('full') });
const queueSchema = z.object({
  batchSize: z.int().min(1).max(500).optional(),
  concurrency: z.int().min(1).max(20).optional(),
});

/** `text` is the raw body. */
export function parseRequest(text: string): Parsed {
  const body = bodySchema.safeParse(readJson(text));
  if (!body.success) return bad({ error: 'Invalid JSON: the body must be one JSON object' });
  switch (body.data.action) {
    case 'send':
      return parseSend(body.data);
    case 'route':
      return parse(routeSchema, body.data, (route) => ({ action: 'route', ...route }));
    case 'health':
      return parse(healthSchema, body.data, (health) => ({ action: 'health', ...health }));
    case 'process-queue':
      return parse(queueSchema, body.data, ({ batchSize, concurrency }) => ({
        action: 'process-queue',
        batchSize,
        concurrency,
      }));
    default:
      return bad({ error: 'Unknown or missing action', validActions: ACTIONS });
  }
}

function parseSend(body: Record<string, unknown>): Parsed {
  if (!isProvider(body.provider)) {
    const error = body.provider === undefined ? 'Missing required field: provider' : 'Unknown provider';
    return bad({ error, validProviders: PROVIDERS });
  }
  return parse(sendSchema, body, (given) => ({
    action: 'send',
    ignoreCircuit: given.ignoreCircuit ?? false,
    email: {
      to: given.to,
      subject: given.subject,
      html: given.html,
      provider: given.provider,
      text: given.text ?? undefined,
      // Programs that leave a field empty mean that it is not there.
      from: given.from || undefined,
      fromName: given.fromName || undefined,
      replyTo: given.replyTo || undefined,
      idempotencyKey: given.idempotencyKey ?? undefined,
    },
  }));
}

function parse<T>(
  schema: z.ZodType<T>,
  body: Record<string, unknown>,
  toRequest: (value: T) => FunctionRequest,
): Parsed {
  const result = schema.safeParse(body);
  if (result.success) return { ok: true, request: toRequest(result.data) };
  const fields = [...new Set(result.error.issues.map((issue) => issue.path.join('.')))];
  const missing = fields.filter((field) => body[field] == null || body[field] === '');
  if (missing.length > 0) return bad({ error: `Missing required fields: ${missing.join(', ')}` });
  return bad({ error: `Invalid fields: ${fields.join(', ')}` });
}

function bad(body: BadRequest): Parsed {
  return { ok: false, bad: body };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
