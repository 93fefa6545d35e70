/** What `init` asks for each system, and how an answer is tried live. Data and checks; the conversation is in `init.ts`. */
import type { Config } from '../config.ts';
import type { VariableName } from '../config-variables.ts';
import { systemClock } from '../domain/time.ts';
import type { GroupResult } from './checks/check.ts';

export interface Question {
  readonly variable: VariableName;
  /** Shown while typing: an address is no secret. */
  readonly isVisible?: boolean;
  /** Asked only when this one was left empty. */
  readonly insteadOf?: VariableName;
  /** Asked only when this one was given. */
  readonly with?: VariableName;
}

export interface Section {
  readonly title: string;
  /** What works without it, and what does not. */
  readonly without: string;
  readonly questions: readonly Question[];
  /** `config` is of the answers of this section alone. */
  check(config: Config, signal: AbortSignal): Promise<GroupResult>;
}

export const SECTIONS: readonly Section[] = [
  {
    title: 'Redis',
    without: 'no lock, no alerts, no time series, and the workers do not run',
    questions: [
      { variable: 'KV_REST_API_URL', isVisible: true },
      { variable: 'KV_REST_API_TOKEN', with: 'KV_REST_API_URL' },
      { variable: 'REDIS_URL', insteadOf: 'KV_REST_API_URL' },
    ],
    check: async ({ redis }) => {
      if (redis === null) return { checks: [] };
      const [{ connectRedis }, { checkRedis }] = await Promise.all([
        import('../data/redis.ts'),
        import('./checks/redis.ts'),
      ]);
      const connection = connectRedis(redis);
      return checkRedis(connection, false).finally(() => connection.close());
    },
  },
  {
    title: 'Supabase',
    without: 'no queue, and the workers do not run',
    questions: [
      { variable: 'NEXT_PUBLIC_SUPABASE_URL', isVisible: true },
      { variable: 'SUPABASE_SERVICE_ROLE_KEY', with: 'NEXT_PUBLIC_SUPABASE_URL' },
    ],
    check: async (config, signal) => {
      if (config.supabase === null) return { checks: [] };
      const [{ connectSupabase }, { checkPostgres }, { checkEmailFunction }] = await Promise.all([
        import('../data/supabase.ts'),
        import('./checks/postgres.ts'),
        import('./checks/email-function.ts'),
      ]);
      const connection = connectSupabase(config.supabase);
      const [postgres, mail] = await Promise.all([
        checkPostgres(connection, systemClock).finally(() => connection.close()),
        checkEmailFunction(config, signal),
      ]);
      return { checks: [...postgres.checks, ...mail.checks.map((check) => named('email function', check))] };
    },
  },
  {
    title: 'QStash',
    without: 'no schedules; `email-ops work` or Vercel cron can run the workers',
    questions: [
      { variable: 'QSTASH_TOKEN' },
      { variable: 'QSTASH_URL', isVisible: true, with: 'QSTASH_TOKEN' },
      { variable: 'QSTASH_CURRENT_SIGNING_KEY', with: 'QSTASH_TOKEN' },
      { variable: 'QSTASH_NEXT_SIGNING_KEY', with: 'QSTASH_CURRENT_SIGNING_KEY' },
      { variable: 'EMAIL_WORKER_BASE_URL', isVisible: true, with: 'QSTASH_TOKEN' },
    ],
    check: async (config, signal) => {
      const { qstash } = config;
      if (qstash === null) return { checks: [] };
      const [{ createSchedules }, { checkQstash }] = await Promise.all([
        import('../data/schedules.ts'),
        import('./checks/qstash.ts'),
      ]);
      const schedules = createSchedules({ token: qstash.token, ...(qstash.url === null ? {} : { url: qstash.url }) });
      const { checks } = await checkQstash(config, schedules, signal);
      // The schedules come afterwards: `schedules sync` is offered, and `doctor` looks at them at the end.
      return { checks: checks.filter(({ name }) => name === 'reachable' || name === 'signing keys') };
    },
  },
];

function named(prefix: string, check: GroupResult['checks'][number]) {
  return check.name === 'reachable' ? { ...check, name: prefix } : check;
}
