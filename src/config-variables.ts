/**
 * Every environment variable that email-ops reads, as one table (WIRE.md, Environment). Validation, `doctor`, and
 * docs/configuration.md are derived from it: adding a variable is one row here and its use in config.ts.
 */

export interface Variable {
  /** Other names it may have; the table's own name wins where both are set. */
  readonly aliases?: readonly string[];
  readonly group: VariableGroup;
  readonly what: string;
  readonly format: Format;
  readonly default?: string;
  /** For `integer`: the range. For `secret`: the least number of characters. */
  readonly min?: number;
  readonly max?: number;
  /** Where to find the value, or how to make one. */
  readonly remedy?: string;
}

export type VariableGroup = 'Redis' | 'Supabase' | 'QStash' | 'Workers' | 'Notifications' | 'Console' | 'Sandbox';

/** `secret` values are never printed, not even in part. */
export type Format =
  | 'http-url'
  | 'redis-url'
  | 'smtp-url'
  | 'webhook-url'
  | 'webhook-format'
  | 'secret'
  | 'service-key'
  | 'name'
  | 'integer'
  | 'flag';

export const VARIABLES = {
  KV_REST_API_URL: {
    aliases: ['UPSTASH_REDIS_REST_URL'],
    group: 'Redis',
    what: 'Upstash Redis, REST address',
    format: 'http-url',
    remedy: 'Upstash console, your database, REST API',
  },
  KV_REST_API_TOKEN: {
    aliases: ['UPSTASH_REDIS_REST_TOKEN'],
    group: 'Redis',
    what: 'Upstash Redis, token of the REST address; not the read-only one',
    format: 'secret',
    remedy: 'Upstash console, your database, REST API',
  },
  REDIS_URL: {
    group: 'Redis',
    what: 'a Redis of your own, by TCP; not used when KV_REST_API_URL is set',
    format: 'redis-url',
    remedy: 'it looks like redis://user:password@host:6379/0, or rediss:// for TLS',
  },
  NEXT_PUBLIC_SUPABASE_URL: {
    aliases: ['SUPABASE_URL'],
    group: 'Supabase',
    what: 'Supabase project address; the email function is reached below it',
    format: 'http-url',
    remedy: 'Supabase dashboard, Project Settings, Data API',
  },
  SUPABASE_SERVICE_ROLE_KEY: {
    group: 'Supabase',
    what: 'service key: a secret key (sb_secret_…) or the legacy service_role JWT',
    format: 'service-key',
    remedy: 'Supabase dashboard, Project Settings, API Keys',
  },
  QSTASH_TOKEN: {
    group: 'QStash',
    what: 'QStash token, to read and change schedules and to publish',
    format: 'secret',
    remedy: 'Upstash console, QStash, Quickstart',
  },
  QSTASH_URL: {
    group: 'QStash',
    what: 'QStash address, for another region than the default (https://qstash.upstash.io)',
    format: 'http-url',
    remedy: 'Upstash console, QStash, Quickstart',
  },
  QSTASH_CURRENT_SIGNING_KEY: {
    group: 'QStash',
    what: 'checks the signature of deliveries to `serve`',
    format: 'secret',
    remedy: 'Upstash console, QStash, Signing Keys',
  },
  QSTASH_NEXT_SIGNING_KEY: {
    group: 'QStash',
    what: 'the key after the current one, so that rotating keys loses no delivery',
    format: 'secret',
    remedy: 'Upstash console, QStash, Signing Keys',
  },
  EMAIL_WORKER_BASE_URL: {
    group: 'Workers',
    what: 'where the worker endpoints are deployed, such as https://foodshare.club',
    format: 'http-url',
  },
  EMAIL_BATCH_SIZE: {
    group: 'Workers',
    what: 'emails claimed at a time by the queue processor',
    format: 'integer',
    default: '100',
    min: 1,
    max: 500,
  },
  EMAIL_CONCURRENCY: {
    group: 'Workers',
    what: 'emails in flight at a time in one queue processor',
    format: 'integer',
    default: '10',
    min: 1,
    max: 20,
  },
  EMAIL_RUN_BUDGET_MS: {
    group: 'Workers',
    what: 'milliseconds after which a run starts no more sends',
    format: 'integer',
    default: '240000',
    min: 1_000,
    max: 3_600_000,
  },
  EMAIL_LOCK_TTL_S: {
    group: 'Workers',
    what: 'seconds until the queue lock ends by itself; renewed while working, taken over when its worker has been silent for 25 s',
    format: 'integer',
    default: '300',
    min: 10,
    max: 3_600,
  },
  EMAIL_WORKER_SLOTS: {
    group: 'Workers',
    what: 'queue processors that may work at once',
    format: 'integer',
    default: '1',
    min: 1,
    max: 16,
  },
  EMAIL_ALERT_QUEUE_AGE_MIN: {
    group: 'Workers',
    what: 'minutes that the oldest ready email may wait before the health monitor raises an alert',
    format: 'integer',
    default: '15',
    min: 1,
    max: 10_080,
  },
  EMAIL_ALERT_QUEUE_GROWTH: {
    group: 'Workers',
    what: 'emails by which the queue may grow within an hour before an alert',
    format: 'integer',
    default: '100',
    min: 1,
    max: 10_000_000,
  },
  EMAIL_ALERT_MISSED_RUNS: {
    group: 'Workers',
    what: 'intervals of the queue processor that may pass without a run before an alert',
    format: 'integer',
    default: '3',
    min: 1,
    max: 1_000,
  },
  EMAIL_ALERT_HEALTH_FAILURES: {
    group: 'Workers',
    what: 'failed health checks in a row before an alert',
    format: 'integer',
    default: '3',
    min: 1,
    max: 1_000,
  },
  EMAIL_ALERT_COOLDOWN_MIN: {
    group: 'Workers',
    what: 'minutes in which the same alert is counted instead of pushed again',
    format: 'integer',
    default: '60',
    min: 1,
    max: 10_080,
  },
  EMAIL_ADMIN_TOKEN: {
    group: 'Workers',
    what: 'bearer token of the admin API that `serve` offers; unset: not served',
    format: 'secret',
    min: 16,
    remedy: 'make one with: openssl rand -hex 32',
  },
  CRON_SECRET: {
    group: 'Workers',
    what: 'bearer token with which Vercel cron may call the worker endpoints by GET; unset: closed',
    format: 'secret',
    min: 16,
    remedy: 'make one with: openssl rand -hex 32',
  },
  EMAIL_WEBHOOK_URL: {
    group: 'Notifications',
    what: 'told of new critical alerts, pauses and recoveries by `work`, `serve` and the dashboard; of all of them together, once',
    format: 'webhook-url',
    remedy: 'Slack: Incoming Webhooks; or any address that takes a POST',
  },
  EMAIL_WEBHOOK_FORMAT: {
    group: 'Notifications',
    what: 'slack (also Mattermost, Discord with /slack, …) or json (docs/json.md)',
    format: 'webhook-format',
    default: 'slack',
  },
  EMAIL_OPS_ENV: {
    group: 'Console',
    what: 'name of the environment on screen; by default sandbox, local (loopback addresses) or production',
    format: 'name',
  },
  EMAIL_OPS_READ_ONLY: {
    group: 'Console',
    what: 'true allows looking only: no action changes anything',
    format: 'flag',
    default: 'false',
  },
  SANDBOX_SMTP_URL: {
    group: 'Sandbox',
    what: 'the sandbox really sends, by this SMTP server, instead of simulating four providers',
    format: 'smtp-url',
    remedy: 'it looks like smtp://user:password@host:587, or smtps:// for TLS from the start',
  },
  EMAIL_OPS_SANDBOX: {
    group: 'Sandbox',
    what: 'set by `email-ops sandbox` beside the addresses of the sandbox; says that nothing here is real',
    format: 'flag',
    default: 'false',
  },
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof VARIABLES;

export function variable(name: VariableName): Variable {
  return VARIABLES[name];
}

export const VARIABLE_NAMES = Object.keys(VARIABLES) as readonly VariableName[];

/** True for what must never be printed: keys, tokens, and addresses that carry a password. */
export function isSecret(name: VariableName): boolean {
  const { format } = variable(name);
  return (
    format === 'secret' ||
    format === 'service-key' ||
    format === 'redis-url' ||
    format === 'smtp-url' ||
    format === 'webhook-url'
  );
}
