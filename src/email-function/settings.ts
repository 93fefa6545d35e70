/**
 * The deployed function's environment → its providers and keys. A table, so that docs/deploying.md and the messages can name
 * every variable; nothing here is required but Supabase's own.
 */
import type { Provider } from '../domain/email.ts';
import { type Clock, systemClock } from '../domain/time.ts';
import { DEFAULT_SENDER, type EmailProvider, type Sender } from './provider.ts';
import type { Fetch } from './provider-call.ts';
import { createAwsSes } from './providers/aws-ses.ts';
import { createBrevo } from './providers/brevo.ts';
import { createMailersend } from './providers/mailersend.ts';
import { createResend } from './providers/resend.ts';

export type Environment = (name: string) => string | undefined;

export interface FunctionVariable {
  readonly name: string;
  readonly what: string;
  /** Supabase gives it to every function itself. */
  readonly isGiven?: boolean;
}

export const FUNCTION_VARIABLES: readonly FunctionVariable[] = [
  { name: 'SUPABASE_URL', what: 'the project’s address', isGiven: true },
  { name: 'SUPABASE_SERVICE_ROLE_KEY', what: 'the legacy service key; accepted from callers', isGiven: true },
  {
    name: 'SUPABASE_SECRET_KEYS',
    what: 'the project’s secret keys, as JSON; each is accepted from callers',
    isGiven: true,
  },
  { name: 'EMAIL_FUNCTION_KEYS', what: 'further keys to accept from callers, separated by commas' },
  { name: 'EMAIL_FROM', what: 'the address emails come from that name none; no-reply@foodshare.club unless set' },
  { name: 'EMAIL_FROM_NAME', what: 'the name beside it; FoodShare unless set' },
  { name: 'RESEND_API_KEY', what: 'Resend; a key that may only send is enough' },
  { name: 'BREVO_API_KEY', what: 'Brevo, API key (v3), not the SMTP one' },
  { name: 'MAILERSEND_API_KEY', what: 'MailerSend, token with email full access' },
  {
    name: 'AWS_SES_ACCESS_KEY_ID',
    what: 'Amazon SES; needs ses:SendEmail and ses:GetAccount. AWS_ACCESS_KEY_ID is read too',
  },
  { name: 'AWS_SES_SECRET_ACCESS_KEY', what: 'Amazon SES. AWS_SECRET_ACCESS_KEY is read too' },
  { name: 'AWS_SES_REGION', what: 'Amazon SES, such as eu-west-1. AWS_REGION is read too' },
  { name: 'AWS_SES_SESSION_TOKEN', what: 'Amazon SES, for temporary credentials. AWS_SESSION_TOKEN is read too' },
  { name: 'KV_REST_API_URL', what: 'Upstash Redis, only for process-queue: it keeps to the queue lock and to pauses' },
  { name: 'KV_REST_API_TOKEN', what: 'Upstash Redis, its token' },
  { name: 'EMAIL_WORKER_SLOTS', what: 'for process-queue: as many slots of the lock as the workers have' },
  { name: 'RESEND_BASE_URL', what: 'another address than Resend’s own' },
  { name: 'BREVO_BASE_URL', what: 'another address than Brevo’s own' },
  { name: 'MAILERSEND_BASE_URL', what: 'another address than MailerSend’s own' },
  { name: 'AWS_SES_BASE_URL', what: 'another address than Amazon’s own' },
];

export interface ProviderTools {
  readonly fetch?: Fetch;
  readonly clock?: Clock;
}

/** All four; those without a key say so of themselves. */
export function createProviders(read: Environment, tools: ProviderTools = {}): Record<Provider, EmailProvider> {
  const { fetch = globalThis.fetch, clock = systemClock } = tools;
  const value = (...names: readonly string[]) => names.map((name) => read(name)?.trim()).find((text) => text) ?? '';
  const url = (name: string) => value(name).replace(/\/+$/, '') || undefined;
  const sender: Sender = {
    address: value('EMAIL_FROM') || DEFAULT_SENDER.address,
    name: value('EMAIL_FROM_NAME') || DEFAULT_SENDER.name,
  };
  const common = { sender, fetch, clock };
  return {
    resend: createResend({ ...common, apiKey: value('RESEND_API_KEY'), baseUrl: url('RESEND_BASE_URL') }),
    brevo: createBrevo({ ...common, apiKey: value('BREVO_API_KEY'), baseUrl: url('BREVO_BASE_URL') }),
    mailersend: createMailersend({
      ...common,
      apiKey: value('MAILERSEND_API_KEY'),
      baseUrl: url('MAILERSEND_BASE_URL'),
    }),
    aws_ses: createAwsSes({
      ...common,
      accessKeyId: value('AWS_SES_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID'),
      secretAccessKey: value('AWS_SES_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY'),
      sessionToken: value('AWS_SES_SESSION_TOKEN', 'AWS_SESSION_TOKEN') || undefined,
      region: value('AWS_SES_REGION', 'AWS_REGION'),
      baseUrl: url('AWS_SES_BASE_URL'),
    }),
  };
}

/** The keys that callers may present. */
export function acceptedKeys(read: Environment): readonly string[] {
  const listed = (read('EMAIL_FUNCTION_KEYS') ?? '').split(',').map((key) => key.trim());
  const all = [read('SUPABASE_SERVICE_ROLE_KEY') ?? '', ...secretKeys(read('SUPABASE_SECRET_KEYS') ?? ''), ...listed];
  return [...new Set(all.filter((key) => key !== ''))];
}

/** `{"default":"sb_secret_…", …}` */
function secretKeys(json: string): readonly string[] {
  try {
    const keys: unknown = JSON.parse(json);
    return typeof keys === 'object' && keys !== null
      ? Object.values(keys).filter((key) => typeof key === 'string')
      : [];
  } catch {
    // Not set, or not JSON: the other keys still count.
    return [];
  }
}
