/** The scenario's hands: mail goes in by SQL as other programs would enqueue it, providers are set at the email function. */
import type { Provider } from '../domain/email.ts';
import type { Database } from './database.ts';
import type { EmailFunction } from './email-function/function.ts';
import type { Limits, ScenarioPorts } from './scenario-engine.ts';

export function createScenarioPorts(parts: {
  database: Pick<Database, 'query'>;
  emailFunction: Pick<EmailFunction, 'providers'>;
}): ScenarioPorts & { hasMail(): Promise<boolean> } {
  const { database, emailFunction } = parts;
  const setLimits = async (provider: Provider, day: string, limits: Limits) => {
    emailFunction.providers.set(provider, { dailyLimit: limits.daily, monthlyLimit: limits.monthly });
    await database.query(
      `insert into public.email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
       values ($1, $2, 0, $3, $4)
       on conflict (provider, date) do update set daily_limit = excluded.daily_limit, monthly_limit = excluded.monthly_limit`,
      [provider, day, limits.daily, limits.monthly],
    );
  };
  return {
    hasMail: async () => (await database.query('select 1 from public.email_queue limit 1')).length > 0,
    enqueue: async (emails) => {
      await database.query('select public.enqueue_emails($1::jsonb)', [JSON.stringify(emails)]);
    },
    setProvider: async (provider, change) => {
      emailFunction.providers.set(provider, change);
    },
    ensureLimits: async (day, limits) => {
      for (const [provider, limit] of Object.entries(limits)) await setLimits(provider as Provider, day, limit);
    },
    restoreQuota: setLimits,
    useUpQuota: async (provider, day) => {
      const rows = await database.query<{ daily_limit: number }>(
        `update public.email_provider_quota set daily_limit = greatest(emails_sent, 1), updated_at = now()
         where provider = $1 and date = $2 returning daily_limit`,
        [provider, day],
      );
      const dailyLimit = rows[0]?.daily_limit;
      if (dailyLimit !== undefined) emailFunction.providers.set(provider, { dailyLimit });
    },
  };
}
