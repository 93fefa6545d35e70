import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createProviderGateway, type ProviderGateway } from '../../src/data/providers.ts';
import { connectSupabase, isMissingSchema, type SupabaseConnection } from '../../src/data/supabase.ts';
import { createEmailFunction } from '../../src/sandbox/email-function/function.ts';
import { createOperators } from '../../src/sandbox/email-function/operators.ts';
import { isMailStackMissing, type MailStack, startMailStack } from '../support/mail-stack.ts';
import { migrationFiles } from '../support/postgres.ts';

const HOUR_MS = 3_600_000;

describe.skipIf(isMailStackMissing())('what operators decide about providers', () => {
  let stack: MailStack;
  let supabase: SupabaseConnection;
  let providers: ProviderGateway;
  beforeAll(async () => {
    stack = await startMailStack();
    supabase = connectSupabase({ url: stack.rest.url, serviceRoleKey: stack.rest.key });
    providers = createProviderGateway(supabase.client);
  });
  afterAll(async () => {
    await supabase.close();
    await stack.stop();
  });
  beforeEach(async () => {
    await stack.reset();
    for (const table of ['email_provider_control', 'email_circuit_breaker_state', 'email_provider_health_metrics']) {
      await stack.sql.unsafe(`delete from ${table}`);
    }
  });

  const decision = () => ({ untilEpochMs: Date.now() + HOUR_MS, by: 'ana', reason: 'bounces' });
  const run = () => stack.processor().run({ trigger: 'test', signal: new AbortController().signal });
  const sentBy = async () =>
    new Map(
      (await stack.sql`select provider, count(*)::int as n from email_logs group by 1`).map((row) => [
        row.provider,
        row.n,
      ]),
    );

  test('a disabled provider is read with who, why and until when, and enabled again once', async () => {
    const disabled = decision();
    await providers.disableUntil('brevo', disabled);
    const states = await providers.read();
    expect(states.map(({ provider }) => provider)).toEqual(['resend', 'brevo', 'mailersend', 'aws_ses']);
    expect(states.map((state) => state.disabled)).toEqual([null, disabled, null, null]);
    expect(await providers.enable('brevo')).toBe(true);
    expect(await providers.enable('brevo')).toBe(false);
    expect((await providers.read())[1]?.disabled).toBeNull();
  });

  test('the processor sends nothing through it, although the email function would, and everything through the others', async () => {
    await providers.disableUntil('brevo', decision());
    await providers.disableUntil('mailersend', decision());
    await stack.enqueue(60);
    expect(await run()).toMatchObject({ outcome: 'ok', successful: 60 });
    const sent = await sentBy();
    expect([...sent.keys()].sort()).toEqual(['aws_ses', 'resend']);
  });

  test('with all of them disabled emails go back without losing an attempt, due when the first is back', async () => {
    const first = Date.now() + HOUR_MS / 2;
    for (const [index, provider] of (['resend', 'brevo', 'mailersend', 'aws_ses'] as const).entries()) {
      await providers.disableUntil(provider, { ...decision(), untilEpochMs: first + index * HOUR_MS });
    }
    await stack.enqueue(5);
    expect(await run()).toMatchObject({ successful: 0, failed: 0 });
    const rows = await stack.sql`select status, attempts, next_retry_at from email_queue`;
    expect(rows.map(({ status, attempts }) => [status, attempts])).toEqual(Array(5).fill(['queued', 0]));
    const due = rows.flatMap((row) =>
      row.next_retry_at === null ? [] : [Math.abs(row.next_retry_at.getTime() - first)],
    );
    expect(due.length).toBeGreaterThan(0);
    for (const off of due) expect(off).toBeLessThan(2_000);
  });

  test('on a database without our migration nothing is disabled, and the processor goes on', async () => {
    await stack.sql.unsafe('alter function email_function_providers(text[]) rename to gone');
    await expect(providers.read()).rejects.toSatisfy(isMissingSchema);
    await stack.enqueue(5);
    expect(await run()).toMatchObject({ outcome: 'ok', successful: 5 });
    await stack.sql.unsafe('alter function gone(text[]) rename to email_function_providers');
  });

  test('the migrations may be applied again over what they made', async () => {
    await providers.disableUntil('brevo', decision());
    const { applyMigrations } = await import('../support/postgres.ts');
    await applyMigrations(stack.sql, migrationFiles());
    expect((await providers.read())[1]?.disabled).toMatchObject({ by: 'ana' });
  });

  test('the sandbox’s email function keeps to them, and tells where everybody reads how the providers fare', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'email-ops-operators-'));
    let readAgain = 0;
    // As the sandbox's database has it: statements with numbered parameters, one after the other.
    const query = async (statement: string, parameters: readonly unknown[] = []) => {
      readAgain += 1;
      return (await stack.sql.unsafe(statement, parameters as string[])) as never;
    };
    let now = Date.now();
    const clock = { nowEpochMs: () => now };
    const operators = createOperators({ database: { query }, clock, log: () => {} });
    const email = createEmailFunction({ folder, serviceKey: 'key', seed: 'x', clock, latencyFactor: 0, operators });
    const send = async (provider: string) => {
      const body = JSON.stringify({ action: 'send', to: 'a@example.org', subject: 's', html: 'h', provider });
      const request = new Request('http://127.0.0.1:1/', { method: 'POST', headers: { apikey: 'key' }, body });
      return (await (await email.fetch(request)).json()) as { success: boolean; message: string };
    };
    try {
      email.providers.set('brevo', { mode: 'outage' });
      email.providers.set('resend', { failureRate: 0 });
      for (let n = 0; n < 6; n += 1) await send('brevo');
      expect((await send('brevo')).message).toContain('circuit_open');
      await expect
        .poll(async () => (await providers.read())[1]?.record, { timeout: 5_000 })
        .toMatchObject({ consecutiveFailures: 5, circuit: { state: 'open' } });

      email.providers.set('brevo', { mode: 'ok', failureRate: 0 });
      await providers.resetCircuit('brevo');
      await providers.disableUntil('resend', { ...decision(), untilEpochMs: now + HOUR_MS });
      now += 1_001;
      expect(await send('brevo')).toMatchObject({ success: true });
      expect((await send('resend')).message).toContain('503 provider_disabled: Disabled by ana');
      await providers.enable('resend');
      now += 1_001;
      expect(await send('resend')).toMatchObject({ success: true });

      const before = readAgain;
      for (let n = 0; n < 20; n += 1) await send('resend');
      expect(readAgain).toBe(before);
    } finally {
      await email.stop();
      await operators.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
