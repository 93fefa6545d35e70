import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCountSentToday } from '../../src/data/day-counts.ts';
import { createQuotaDays } from '../../src/data/quota-days.ts';
import { createQuotaStore } from '../../src/data/quota-store.ts';
import { createRuns } from '../../src/data/runs.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { DAY_MS, HOUR_MS, systemClock, utcDay } from '../../src/domain/time.ts';
import { createQuotaSync } from '../../src/workers/quota-sync.ts';
import { type HealthFunction, startHealthFunction } from '../support/health-function.ts';
import { isMailStackMissing, type MailStack, startMailStack } from '../support/mail-stack.ts';

describe.skipIf(isMailStackMissing())('the quota sync', () => {
  let stack: MailStack;
  let health: HealthFunction;
  let supabase: SupabaseConnection;
  let log: string[] = [];

  beforeAll(async () => {
    stack = await startMailStack();
    health = await startHealthFunction();
    supabase = connectSupabase({ url: stack.rest.url, serviceRoleKey: stack.rest.key });
  });
  afterAll(async () => {
    await supabase?.close();
    await health?.stop();
    await stack?.stop();
  });
  beforeEach(async () => {
    await stack.reset();
    await stack.sql`delete from email_provider_quota`;
    health.answer = {};
    health.reports = {};
    log = [];
  });

  function sync() {
    const write = (line: string) => log.push(line);
    const worker = createQuotaSync(
      {
        checkHealth: (signal) => health.client.health('ping', signal),
        days: createQuotaDays(supabase.client),
        countSent: createCountSentToday(supabase.client, systemClock),
        store: createQuotaStore(stack.redis.client),
      },
      { clock: systemClock, log: { info: write, warn: write, error: write }, host: 'web-1', cooldownMs: HOUR_MS },
    );
    return worker.run({ trigger: 'schedule', signal: new AbortController().signal });
  }

  const today = utcDay(Date.now());
  const tomorrow = utcDay(Date.now() + DAY_MS);
  const rows = () =>
    stack.sql<
      { provider: string; date: string; emails_sent: number; daily_limit: number; monthly_limit: number }[]
    >`select provider, date::text, emails_sent, daily_limit, monthly_limit from email_provider_quota order by date, provider`;
  const insert = (provider: string, date: string, sent: number, limits: [number, number] = [300, 9_000]) => stack.sql`
    insert into email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
    values (${provider}, ${date}, ${sent}, ${limits[0]}, ${limits[1]})`;
  const latest = async () => JSON.parse(String(await stack.redis.client.get('email:quota:latest')));

  it('makes the rows of today and tomorrow for every provider, once', async () => {
    expect(await sync()).toMatchObject({ outcome: 'ok', processed: 4 });
    const made = await rows();
    expect(made.map(({ provider, date }) => `${date} ${provider}`)).toEqual(
      [today, tomorrow].flatMap((day) => ['aws_ses', 'brevo', 'mailersend', 'resend'].map((name) => `${day} ${name}`)),
    );
    expect(made[3]).toMatchObject({ daily_limit: 100, monthly_limit: 3_000, emails_sent: 0 });
    await sync();
    expect(await rows()).toEqual(made);
  });

  it('goes on with limits that an operator changed', async () => {
    await insert('resend', utcDay(Date.now() - DAY_MS), 5, [7_000, 50_000]);
    await sync();
    const own = (await rows()).filter(({ provider }) => provider === 'resend');
    expect(own.map(({ daily_limit }) => daily_limit)).toEqual([7_000, 7_000, 7_000]);
  });

  it('raises a count to what the provider itself reports, and never lowers one', async () => {
    await insert('brevo', today, 50);
    await insert('mailersend', today, 50, [400, 12_000]);
    health.reports = { brevo: { day: 57, month: 57 }, mailersend: { day: 12, month: 12 } };
    expect((await sync()).message).toContain('1 count raised');
    const sent = new Map(
      (await rows()).filter(({ date }) => date === today).map((row) => [row.provider, row.emails_sent]),
    );
    expect(Object.fromEntries(sent)).toEqual({ aws_ses: 0, brevo: 57, mailersend: 50, resend: 0 });
    expect(log).toContain('[quota-sync] brevo counts 57 sent today, we had 50: raised.');
  });

  it('raises a row that it has to make first', async () => {
    health.reports = { aws_ses: { day: 9, month: 9 } };
    await sync();
    expect((await rows()).find(({ provider, date }) => provider === 'aws_ses' && date === today)?.emails_sent).toBe(9);
  });

  it('does not take back what was counted while it worked', async () => {
    await insert('brevo', today, 50);
    const days = createQuotaDays(supabase.client);
    await stack.sql`update email_provider_quota set emails_sent = 60 where provider = 'brevo'`;
    await days.raise('brevo', today, 57);
    expect((await rows()).find(({ provider }) => provider === 'brevo')?.emails_sent).toBe(60);
  });

  it('leaves day and month of every provider for two hours', async () => {
    await insert('brevo', today, 30);
    health.reports = { brevo: { day: 31, month: 4_500 } };
    await sync();
    const { quotas } = await latest();
    expect(quotas.find(({ provider }: { provider: string }) => provider === 'brevo')).toEqual({
      provider: 'brevo',
      status: 'ok',
      daily: { sent: 31, limit: 300, remaining: 269, percentUsed: 10.3 },
      monthly: { sent: 4_500, limit: 9_000, remaining: 4_500, percentUsed: 50 },
      source: 'api',
    });
    expect(quotas).toHaveLength(4);
    expect(await stack.redis.client.ttl('email:quota:latest')).toBeGreaterThan(7_190);
  });

  it('warns at 70 % and raises an alert at 90 %, once an hour', async () => {
    await insert('brevo', today, 219);
    await insert('resend', today, 95, [100, 3_000]);
    await sync();
    await sync();
    expect(log).toContain('[quota-sync] Warning: brevo is at 73 % of its day (219 of 300).');
    expect((await latest()).warnings).toHaveLength(2);
    const alerts = (await stack.redis.client.lrange('email:alerts:critical', 0, -1)) as string[];
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatch(/^ERROR: Quota: resend is at 95 % of its day \(95 of 100\)\. \[/);
  });

  it('keeps the rows in order also when the function is out of order, and says that it failed', async () => {
    health.answer = { error: 'out of order' };
    expect(await sync()).toMatchObject({ outcome: 'failed', message: expect.stringContaining('not known') });
    expect(await rows()).toHaveLength(8);
    expect((await createRuns(stack.redis.client).read()).runs[0]).toMatchObject({
      worker: 'quota-sync',
      outcome: 'failed',
    });
  });

  it('may run twice at once', async () => {
    health.reports = { brevo: { day: 57, month: 57 } };
    const results = await Promise.all([sync(), sync(), sync()]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
    expect(await rows()).toHaveLength(8);
    expect((await rows()).find(({ provider }) => provider === 'brevo')?.emails_sent).toBe(57);
  });
});
