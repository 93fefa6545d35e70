/**
 * The environment → `Config`, or every mistake in it at once. Reads nothing itself but the `.env` file; connects to nothing.
 * Values of secrets never appear in a message.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parseUrl, schemaOf, type Value } from './config-formats.ts';
import { isSecret, VARIABLE_NAMES, type VariableName, variable } from './config-variables.ts';
import type { Environment } from './domain/snapshot.ts';
import { MINUTE_MS } from './domain/time.ts';

export interface Config {
  readonly environment: Environment;
  readonly redis: RedisConfig | null;
  readonly supabase: { readonly url: string; readonly serviceRoleKey: string } | null;
  readonly qstash: QStashConfig | null;
  readonly worker: {
    readonly baseUrl: string | null;
    readonly batchSize: number;
    readonly concurrency: number;
    readonly runBudgetMs: number;
    readonly lockTtlSeconds: number;
    readonly slots: number;
    /** When the health monitor raises alerts of its own. */
    readonly alerts: {
      readonly queueAgeMs: number;
      readonly queueGrowth: number;
      readonly missedProcessorRuns: number;
      readonly healthFailures: number;
      readonly cooldownMs: number;
    };
  };
  readonly adminToken: string | null;
  readonly cronSecret: string | null;
  readonly webhook: { readonly url: string; readonly format: 'slack' | 'json' } | null;
  readonly readOnly: boolean;
  /** `NODE_ENV=development`: there, and only there, worker endpoints answer a plain GET. */
  readonly isDevelopment: boolean;
}

export type RedisConfig =
  | { readonly kind: 'rest'; readonly url: string; readonly token: string }
  | { readonly kind: 'tcp'; readonly url: string };

export interface QStashConfig {
  readonly token: string;
  readonly url: string | null;
  readonly currentSigningKey: string | null;
  readonly nextSigningKey: string | null;
}

export type Variables = Readonly<Record<string, string | undefined>>;

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Checks the whole environment. On failure, each problem is one line that names the variable and the remedy. */
export function loadConfig(environment: Variables): ConfigResult {
  const { values, problems } = checkEach(environment);
  problems.push(...halfSet(values), ...dangers(environment));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: assemble(values, environment) };
}

/** No credentials of any system: the sandbox is meant. */
export function isEmpty(config: Config): boolean {
  return config.redis === null && config.supabase === null && config.qstash === null;
}

/**
 * The process environment over the `.env` file of `folder`, if there is one. A variable that the process has set to nothing
 * still wins: that is how one is switched off for a single command.
 */
export function readEnvironment(
  folder: string,
  processEnvironment: Variables,
): { readonly environment: Variables; readonly problems: readonly string[] } {
  try {
    const text = readFileSync(join(folder, '.env'), 'utf8');
    return { environment: { ...parseEnv(text), ...processEnvironment }, problems: [] };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return { environment: processEnvironment, problems: [] };
    const problem = `${join(folder, '.env')} cannot be read (${code}): make it a readable file, or remove it`;
    return { environment: processEnvironment, problems: [problem] };
  }
}

type Values = Readonly<Record<VariableName, Value>>;

function checkEach(environment: Variables): { values: Values; problems: string[] } {
  const problems: string[] = [];
  const entries = VARIABLE_NAMES.map((name) => {
    const used = nameInUse(name, environment);
    const result = schemaOf(variable(name)).safeParse(environment[used]);
    if (result.success) return [name, result.data] as const;
    problems.push(describe(name, used, environment[used] ?? '', result.error.issues));
    return [name, INVALID] as const;
  });
  return { values: Object.fromEntries(entries) as Values, problems };
}

// Stands in for a value that is set but wrong, so that its other half is not called superfluous.
const INVALID = '(invalid)';

/** The table's name or the alias under which the variable is set. */
export function nameInUse(name: VariableName, environment: Variables): string {
  const names = [name, ...(variable(name).aliases ?? [])];
  return names.find((each) => (environment[each] ?? '').trim() !== '') ?? name;
}

function describe(name: VariableName, used: string, text: string, issues: readonly { message: string }[]): string {
  const shown = isSecret(name) ? used : `${used}=${shorten(text)}`;
  const remedy = variable(name).remedy;
  return `${shown} ${issues[0]?.message ?? 'is not valid'}${remedy === undefined ? '' : ` (${remedy})`}`;
}

function shorten(text: string): string {
  const line = text.trim().replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '?');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

/** Things that only work together. */
const PAIRS: readonly (readonly [VariableName, VariableName])[] = [
  ['KV_REST_API_URL', 'KV_REST_API_TOKEN'],
  ['NEXT_PUBLIC_SUPABASE_URL', 'SUPABASE_SERVICE_ROLE_KEY'],
  ['QSTASH_CURRENT_SIGNING_KEY', 'QSTASH_NEXT_SIGNING_KEY'],
];

function halfSet(values: Values): string[] {
  const halves = PAIRS.flatMap(([one, other]) => {
    if ((values[one] === null) === (values[other] === null)) return [];
    return values[one] === null ? [missing(one, other)] : [missing(other, one)];
  });
  const qstash = (['QSTASH_URL', 'QSTASH_CURRENT_SIGNING_KEY', 'QSTASH_NEXT_SIGNING_KEY'] as const).find(
    (name) => values[name] !== null,
  );
  if (values.QSTASH_TOKEN === null && qstash !== undefined) halves.push(missing('QSTASH_TOKEN', qstash));
  return halves;
}

function missing(name: VariableName, because: VariableName): string {
  const remedy = variable(name).remedy;
  return `${name} is missing, and ${because} needs it${remedy === undefined ? '' : ` (${remedy})`}`;
}

function dangers(environment: Variables): string[] {
  // With it the SDK takes signatures made with a key that everybody knows, even where real keys are configured.
  const isRisky = (environment.QSTASH_DEV ?? '').trim() !== '' && environment.NODE_ENV !== 'development';
  return isRisky
    ? [
        'QSTASH_DEV is set, which makes the QStash SDK accept its public test keys: unset it, or set NODE_ENV=development',
      ]
    : [];
}

function assemble(values: Values, environment: Variables): Config {
  const text = (name: VariableName) => values[name] as string | null;
  const number = (name: VariableName) => values[name] as number;
  const supabaseUrl = text('NEXT_PUBLIC_SUPABASE_URL');
  const serviceRoleKey = text('SUPABASE_SERVICE_ROLE_KEY');
  const token = text('QSTASH_TOKEN');
  const redis = redisOf(text('KV_REST_API_URL'), text('KV_REST_API_TOKEN'), text('REDIS_URL'));
  const isSandbox = values.EMAIL_OPS_SANDBOX === true;
  const addresses = [redis?.url, supabaseUrl];
  return {
    environment: { name: text('EMAIL_OPS_ENV') ?? environmentName(isSandbox, addresses), isSandbox },
    redis,
    supabase: supabaseUrl === null || serviceRoleKey === null ? null : { url: supabaseUrl, serviceRoleKey },
    qstash:
      token === null
        ? null
        : {
            token,
            url: text('QSTASH_URL'),
            currentSigningKey: text('QSTASH_CURRENT_SIGNING_KEY'),
            nextSigningKey: text('QSTASH_NEXT_SIGNING_KEY'),
          },
    worker: {
      baseUrl: text('EMAIL_WORKER_BASE_URL'),
      batchSize: number('EMAIL_BATCH_SIZE'),
      concurrency: number('EMAIL_CONCURRENCY'),
      runBudgetMs: number('EMAIL_RUN_BUDGET_MS'),
      lockTtlSeconds: number('EMAIL_LOCK_TTL_S'),
      slots: number('EMAIL_WORKER_SLOTS'),
      alerts: {
        queueAgeMs: number('EMAIL_ALERT_QUEUE_AGE_MIN') * MINUTE_MS,
        queueGrowth: number('EMAIL_ALERT_QUEUE_GROWTH'),
        missedProcessorRuns: number('EMAIL_ALERT_MISSED_RUNS'),
        healthFailures: number('EMAIL_ALERT_HEALTH_FAILURES'),
        cooldownMs: number('EMAIL_ALERT_COOLDOWN_MIN') * MINUTE_MS,
      },
    },
    adminToken: text('EMAIL_ADMIN_TOKEN'),
    cronSecret: text('CRON_SECRET'),
    webhook: webhookOf(text('EMAIL_WEBHOOK_URL'), text('EMAIL_WEBHOOK_FORMAT')),
    readOnly: values.EMAIL_OPS_READ_ONLY === true,
    isDevelopment: environment.NODE_ENV === 'development',
  };
}

function webhookOf(url: string | null, format: string | null): Config['webhook'] {
  return url === null ? null : { url, format: format === 'json' ? 'json' : 'slack' };
}

// REST wins: Vercel's integration sets REDIS_URL beside it, for the same database.
function redisOf(restUrl: string | null, token: string | null, tcpUrl: string | null): RedisConfig | null {
  if (restUrl !== null && token !== null) return { kind: 'rest', url: restUrl, token };
  return tcpUrl === null ? null : { kind: 'tcp', url: tcpUrl };
}

/** `local` when the data that is configured is all on this machine. */
function environmentName(isSandbox: boolean, addresses: readonly (string | null | undefined)[]): string {
  if (isSandbox) return 'sandbox';
  const hosts = addresses.flatMap((address) => (address ? [parseUrl(address)?.hostname ?? ''] : []));
  return hosts.length > 0 && hosts.every(isLoopback) ? 'local' : 'production';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host) || host.endsWith('.localhost');
}
