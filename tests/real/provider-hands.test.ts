/** What the view of providers reads and does, on a real PostgreSQL behind a PostgREST-compatible server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dashboardLoaders } from '../../src/commands/dashboard/loaders.ts';
import { providerActions } from '../../src/commands/dashboard/provider-actions.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { HOUR_MS, systemClock } from '../../src/domain/time.ts';
import { perform } from '../../src/ui/actions.ts';
import {
  applyMigrations,
  isPostgresMissing,
  migrationFiles,
  type PostgresCluster,
  startPostgres,
} from '../support/postgres.ts';
import { type RestServer, serveRest } from '../support/rest.ts';

describe.skipIf(isPostgresMissing())('the view of providers', () => {
  let cluster: PostgresCluster;
  const sites: { rest: RestServer; supabase: SupabaseConnection }[] = [];
  const audited: string[] = [];
  const { signal } = new AbortController();
  const context = { signal, onProgress: () => undefined };

  beforeAll(async () => {
    cluster = await startPostgres();
    for (const files of [migrationFiles(), migrationFiles().slice(0, 1)]) {
      const { sql, url } = await cluster.createDatabase();
      await applyMigrations(sql, files);
      await sql`insert into email_circuit_breaker_state (provider, state, failures) values ('brevo', 'open', 5)`;
      await sql`
        insert into email_logs (recipient_email, email_type, provider, status, error_message, created_at) values
          ('r@example.org', 'chat', 'brevo', 'failed', 'HTTP 503', now() - interval '1 minute'),
          ('r@example.org', 'chat', 'brevo', 'bounced', 'no such user', now()),
          ('r@example.org', 'chat', 'resend', 'failed', 'not brevo', now()),
          ('r@example.org', 'chat', 'brevo', 'failed', 'long ago', now() - interval '25 hours')`;
      await sql`
        insert into email_provider_quota (provider, date, emails_sent, daily_limit)
        select provider, (now() at time zone 'utc')::date - back, back, 300
        from unnest(array['brevo', 'resend']) as provider, generate_series(0, 20) as back`;
      const rest = await serveRest(url);
      sites.push({ rest, supabase: connectSupabase({ url: rest.url, serviceRoleKey: rest.key }) });
    }
  });
  afterAll(async () => {
    for (const { rest, supabase } of sites) {
      await supabase.close();
      await rest.stop();
    }
    await cluster?.stop();
  });

  const site = (index: number) => {
    const supabase = sites[index]?.supabase ?? null;
    const systems = { supabase, redis: null, schedules: null, config: { qstash: null }, clock: systemClock } as never;
    const audit = async (action: string, target: string, outcome = 'ok') => {
      audited.push(`${action} ${target}: ${outcome}`);
      return '';
    };
    const operator = { name: 'grace', host: 'ops-2' };
    return { loaders: dashboardLoaders(systems), actions: providerActions({ systems, operator, audit }) };
  };
  const brevo = async (index: number) => {
    const states = await site(index).loaders['provider-states']?.({ kind: 'provider-states' }, signal);
    return states?.find(({ provider }) => provider === 'brevo');
  };

  test.each([0, 1])('reads two weeks of days and a day of failures, with and without our migration', async (index) => {
    const details = await site(index).loaders['provider-details']?.(
      { kind: 'provider-details', provider: 'brevo' },
      signal,
    );
    expect(details?.failures.map(({ errorMessage }) => errorMessage)).toEqual(['no such user', 'HTTP 503']);
    expect(details?.days.map(({ emailsSent }) => emailsSent)).toEqual(
      Array.from({ length: 14 }, (_, back) => 13 - back),
    );
  });

  test('resets a circuit', async () => {
    expect((await brevo(0))?.record.circuit.state).toBe('open');
    const outcome = await perform(site(0).actions, { kind: 'reset-circuit', provider: 'brevo' }, context);
    expect(outcome).toMatchObject({ level: 'ok', text: expect.stringContaining('circuit closed') });
    expect((await brevo(0))?.record.circuit.state).toBe('closed');
    expect(audited.at(-1)).toBe('reset circuit brevo: ok');
  });

  test('disables a provider until a time, with who and why, and enables it again', async () => {
    const untilEpochMs = Date.now() + HOUR_MS;
    const reason = 'their outage\x1b[2J';
    const request = { kind: 'disable-provider', provider: 'brevo', untilEpochMs, reason } as const;
    expect((await perform(site(0).actions, request, context)).level).toBe('ok');
    expect((await brevo(0))?.disabled).toEqual({ untilEpochMs, by: 'grace@ops-2', reason: 'their outage' });
    expect(audited.at(-1)).toMatch(/^disable provider brevo until .* UTC: their outage: ok$/);
    const back = await perform(site(0).actions, { kind: 'enable-provider', provider: 'brevo' }, context);
    expect(back.text).toBe('brevo is enabled again');
    expect((await brevo(0))?.disabled).toBeNull();
  });

  test('without our migration it knows no states, and says why nothing can be changed', async () => {
    expect(await brevo(1)).toBeUndefined();
    const outcome = await perform(site(1).actions, { kind: 'reset-circuit', provider: 'brevo' }, context);
    expect(outcome).toMatchObject({ level: 'critical', text: expect.stringContaining('Postgres lacks what we need') });
  });
});
