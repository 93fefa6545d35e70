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

/** What becomes one line of an email's head: with a line break in it, it would be two. */
const line = z.string().regex(/^[^\r\n\0]*$/);
const filled = z.string().trim().min(1);
const filledLine = line.trim().min(1);
/** Kept in Postgres, which takes neither half characters nor NUL. */
const key = z
  .string()
  .max(256)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text));
const bodySchema = z.record(z.string(), z.unknown());

const sendSchema = z.object({
  to: filledLine,
  subject: filledLine,
  html: filled,
  text: z.string().nullish(),
  from: line.nullish(),
  fromName: line.nullish(),
  replyTo: line.nullish(),
  provider: z.enum(PROVIDERS),
  idempotencyKey: key.nullish(),
  ignoreCircuit: z.boolean().nullish(),
});

const routeSchema = z.object({ emailType: z.enum(EMAIL_TYPES), forceRefresh: z.boolean().default(false) });
const healthSchema = z.object({ mode: z.enum(HEALTH_MODES).default('full') });
const queueSchema = z.object({
  batchSize: z.int().min(1).max(500).optional(),
  concurrency: z.int().min(1).max(20).optional(),
});

/** Without them it would be another email than the caller meant, so it is not sent at all. */
const UNSUPPORTED = ['attachments', 'cc', 'bcc'] as const;

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
    const error = isAbsent(body.provider) ? 'Missing required field: provider' : 'Unknown provider';
    return bad({ error, validProviders: PROVIDERS });
  }
  const unsupported = UNSUPPORTED.filter((field) => !isAbsent(body[field]));
  if (unsupported.length > 0) return bad({ error: `Unsupported fields: ${unsupported.join(', ')}` });
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
      idempotencyKey: given.idempotencyKey || undefined,
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
  const missing = fields.filter((field) => isAbsent(body[field]));
  if (missing.length > 0) return bad({ error: `Missing required fields: ${missing.join(', ')}` });
  return bad({ error: `Invalid fields: ${fields.join(', ')}` });
}

/** Left out, or left empty. */
function isAbsent(value: unknown): boolean {
  return value == null || value === '' || (Array.isArray(value) && value.length === 0);
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
