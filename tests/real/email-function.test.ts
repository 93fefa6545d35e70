import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createEmailFunction } from '../../src/data/email-function.ts';
import { connectSupabase, type SupabaseConnection } from '../../src/data/supabase.ts';
import { admit, circuitStateAt, verdictOf } from '../../src/domain/circuit.ts';
import { NO_RECORD, recordSend, type SendRecord, standingOf } from '../../src/domain/provider-record.ts';
import type { Email } from '../../src/email-function/provider.ts';
import { createSupabaseStore } from '../../src/email-function/supabase-store.ts';
import { type Deployment, startDeployment } from '../support/deployed-function.ts';
import { isPostgresMissing } from '../support/postgres.ts';

const DOWN = { status: 503, body: '<html>maintenance</html>' };

describe.skipIf(isPostgresMissing())('the deployed email function, several instances on one Postgres', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await startDeployment();
  });
  afterAll(() => deployment.stop());
  beforeEach(() => deployment.reset());

  const aSend = (changes: Record<string, unknown> = {}) => ({
    action: 'send',
    to: 'ana@example.org',
    subject: 'Apples near you',
    html: '<p>Three kilos</p>',
    provider: 'mailersend',
    ...changes,
  });
  const instances = (count: number) => Array.from({ length: count }, () => deployment.instance());
  const circuit = async (provider: string) =>
    (await deployment.sql`select * from email_circuit_breaker_state where provider = ${provider}`)[0];
  const passMinute = (provider: string) => deployment.sql`
    update email_circuit_breaker_state
    set next_retry_time = next_retry_time - interval '61 seconds', probe_until = probe_until - interval '61 seconds'
    where provider = ${provider}`;

  describe('idempotency', () => {
    test('the same key at six instances at once sends once, at a provider that has no keys itself', async () => {
      const before = deployment.stubs.mailersend.delivered.length;
      const answers = await Promise.all(
        [...instances(6), ...instances(6)].map((each) => deployment.call(each, aSend({ idempotencyKey: 'row-1' }))),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
      expect(new Set(answers.map(({ body }) => body.messageId)).size).toBe(1);
      expect(deployment.stubs.mailersend.delivered).toHaveLength(before + 1);
    });

    test('a key is remembered for 24 hours, and no address with it', async () => {
      const [first] = instances(1);
      if (first === undefined) return;
      const { body } = await deployment.call(first, aSend({ idempotencyKey: 'row-2' }));
      const [kept] = await deployment.sql`select to_jsonb(k)::text as row from email_idempotency k where key = 'row-2'`;
      expect(kept?.row).not.toContain('ana@example.org');
      await deployment.sql`update email_idempotency set created_at = created_at - interval '23 hours 59 minutes'`;
      expect((await deployment.call(deployment.instance(), aSend({ idempotencyKey: 'row-2' }))).body.messageId).toBe(
        body.messageId,
      );
      await deployment.sql`update email_idempotency set created_at = created_at - interval '1 minute'`;
      expect(
        (await deployment.call(deployment.instance(), aSend({ idempotencyKey: 'row-2' }))).body.messageId,
      ).not.toBe(body.messageId);
    });

    test('a send that died with its instance gives its key free after a while; until then nobody repeats it', async () => {
      await deployment.sql`
        insert into email_idempotency (key, fingerprint, provider, claim, claimed_until)
        select 'row-3', encode(sha256(convert_to(${'ana@example.org\nApples near you'}, 'UTF8')), 'hex'), 'mailersend',
          gen_random_uuid(), now() + interval '1 minute'`;
      const before = deployment.stubs.mailersend.delivered.length;
      const waiting = deployment.call(deployment.instance(), aSend({ idempotencyKey: 'row-3' }));
      const { action: _, ...email } = aSend({ idempotencyKey: 'row-3' });
      const store = createSupabaseStore(connect().client);
      expect(await store.begin(email as Email, { ignoreCircuit: false })).toEqual({ kind: 'in-flight' });
      expect(deployment.stubs.mailersend.delivered).toHaveLength(before);
      await deployment.sql`update email_idempotency set claimed_until = now() - interval '1 second' where key = 'row-3'`;
      expect((await waiting).status).toBe(200);
      expect(deployment.stubs.mailersend.delivered).toHaveLength(before + 1);
    });

    test('a known success is kept although the instance that reports it lost its claim', async () => {
      const store = createSupabaseStore(connect().client);
      const email = {
        to: 'a@example.org',
        subject: 's',
        html: 'h',
        provider: 'brevo',
        idempotencyKey: 'row-4',
      } as const;
      const first = await store.begin(email, { ignoreCircuit: false });
      await deployment.sql`update email_idempotency set claimed_until = now() - interval '1 second' where key = 'row-4'`;
      const second = await store.begin(email, { ignoreCircuit: false });
      if (first.kind !== 'go' || second.kind !== 'go') throw new Error('both should go');
      await store.finish(email, first, { ...SENT, messageId: 'm-1' });
      await store.finish(email, second, { ...SENT, kind: 'outage', messageId: null });
      expect(await store.begin(email, { ignoreCircuit: false })).toEqual({
        kind: 'sent-before',
        provider: 'brevo',
        messageId: 'm-1',
      });
    });

    test('a key that becomes free while several wait for it is one send’s alone', async () => {
      const store = createSupabaseStore(connect().client);
      const { action: _, ...email } = aSend({ idempotencyKey: 'row-6' });
      await deployment.sql`insert into email_idempotency (key, fingerprint, provider) values ('row-6', '', 'brevo')`;
      let waiting: ReturnType<typeof store.begin> | undefined;
      await deployment.sql.begin(async (sql) => {
        // As a failed send gives its key free.
        await sql`select 1 from email_idempotency where key = 'row-6' for update`;
        waiting = store.begin(email as Email, { ignoreCircuit: false });
        await vi.waitFor(async () => {
          const [found] = await deployment.sql`
            select count(*)::int as waiting from pg_stat_activity
            where wait_event_type = 'Lock' and query like '%email_function_begin%'`;
          expect(found?.waiting).toBe(1);
        }, 5_000);
        await sql`delete from email_idempotency where key = 'row-6'`;
      });
      expect(await waiting).toMatchObject({ kind: 'go', claim: expect.any(String) });
      expect(await store.begin(email as Email, { ignoreCircuit: false })).toEqual({ kind: 'in-flight' });
    });

    test('when Postgres is out of reach, only what cannot be sent twice is sent', async () => {
      const cut = deployment.instance({ SUPABASE_URL: 'http://127.0.0.1:9' });
      const keyed = await deployment.call(cut, aSend({ idempotencyKey: 'row-5' }));
      expect(keyed).toMatchObject({ status: 503, body: { error: expect.stringContaining('failed to start') } });
      expect((await deployment.call(cut, aSend({ provider: 'resend', idempotencyKey: 'row-5' }))).status).toBe(200);
      expect((await deployment.call(cut, aSend())).status).toBe(200);
      const client = createEmailFunction({
        url: 'http://127.0.0.1:1',
        serviceRoleKey: deployment.rest.key,
        fetch: (input, init) => cut(new Request(input, init)),
      });
      const email = { to: 'a@example.org', subject: 's', html: 'h', provider: 'brevo', idempotencyKey: 'k' } as const;
      await expect(client.send(email)).rejects.toMatchObject({ fault: { code: 'unreachable' } });
    });
  });

  describe('the circuit', () => {
    test('five failures over several instances open it for all; then the provider is not even asked', async () => {
      const { brevo } = deployment.stubs;
      brevo.answerNext(...Array(5).fill(DOWN));
      for (const each of instances(5)) await deployment.call(each, aSend({ provider: 'brevo' }));
      expect(await circuit('brevo')).toMatchObject({ state: 'open', failures: 5 });
      const before = brevo.sends.length;
      const refused = await deployment.call(deployment.instance(), aSend({ provider: 'brevo' }));
      expect(refused).toMatchObject({ status: 500, body: { message: expect.stringMatching(/^503 circuit_open/) } });
      expect(brevo.sends).toHaveLength(before);
      const { body } = await deployment.call(deployment.instance(), { action: 'route', emailType: 'chat' });
      expect(body.recommendation).toMatchObject({
        provider: 'mailersend',
        reason: 'Passed over: brevo has an open circuit',
      });
    });

    test('after a minute one probe at a time is let through, and three that succeed close it', async () => {
      const { brevo } = deployment.stubs;
      brevo.answerNext(...Array(5).fill(DOWN));
      for (const each of instances(5)) await deployment.call(each, aSend({ provider: 'brevo' }));
      await passMinute('brevo');

      // The first of twelve at once is the probe; while it hangs, nobody else gets through.
      const store = createSupabaseStore(connect().client);
      const email = { to: 'a@example.org', subject: 's', html: 'h', provider: 'brevo' } as const;
      const begun = await Promise.all(Array.from({ length: 12 }, () => store.begin(email, { ignoreCircuit: false })));
      expect(begun.filter(({ kind }) => kind === 'go')).toHaveLength(1);
      expect(begun.filter(({ kind }) => kind === 'circuit-open')).toHaveLength(11);
      await store.finish(email, { kind: 'go', claim: null }, SENT);
      expect(await circuit('brevo')).toMatchObject({ state: 'half-open', consecutive_successes: 1 });
      for (const each of instances(2)) {
        expect((await deployment.call(each, aSend({ provider: 'brevo' }))).status).toBe(200);
      }
      expect(await circuit('brevo')).toMatchObject({ state: 'closed', failures: 0, consecutive_successes: 0 });
    });

    test('a probe that fails opens it again; one that nobody reports is taken for lost', async () => {
      const { brevo } = deployment.stubs;
      brevo.answerNext(...Array(6).fill(DOWN));
      for (const each of instances(5)) await deployment.call(each, aSend({ provider: 'brevo' }));
      await passMinute('brevo');
      await deployment.call(deployment.instance(), aSend({ provider: 'brevo' }));
      expect(await circuit('brevo')).toMatchObject({ state: 'open' });

      await passMinute('brevo');
      const store = createSupabaseStore(connect().client);
      const email = { to: 'a@example.org', subject: 's', html: 'h', provider: 'brevo' } as const;
      expect(await store.begin(email, { ignoreCircuit: false })).toMatchObject({ kind: 'go' });
      expect(await store.begin(email, { ignoreCircuit: false })).toMatchObject({ kind: 'circuit-open' });
      await passMinute('brevo');
      expect(await store.begin(email, { ignoreCircuit: false })).toMatchObject({ kind: 'go' });
    });

    test('bad addresses, used-up quotas and rate limits do not open it', async () => {
      const { resend } = deployment.stubs;
      const answers = [
        { status: 422, body: { name: 'validation_error', message: 'Invalid `to` field.' } },
        { status: 429, body: { name: 'rate_limit_exceeded', message: 'Too many requests.' } },
        { status: 429, body: { name: 'daily_quota_exceeded', message: 'Used up.' } },
      ];
      resend.answerNext(...answers, ...answers, ...answers);
      const one = deployment.instance();
      for (let n = 0; n < 9; n += 1) await deployment.call(one, aSend({ provider: 'resend' }));
      expect(await circuit('resend')).toMatchObject({ state: 'closed', failures: 0 });
      const { body } = await deployment.call(one, { action: 'route', emailType: 'auth' });
      expect(body.recommendation.reason).toBe('Passed over: resend has used up its quota');
    });

    test('an operator’s test reaches a provider whose circuit is open', async () => {
      const { brevo } = deployment.stubs;
      brevo.answerNext(...Array(5).fill(DOWN));
      for (const each of instances(5)) await deployment.call(each, aSend({ provider: 'brevo' }));
      const test = await deployment.call(deployment.instance(), aSend({ provider: 'brevo', ignoreCircuit: true }));
      expect(test.status).toBe(200);
    });

    test('it does in SQL what src/domain says, step for step, with weights and score', async () => {
      const store = createSupabaseStore(connect().client);
      const end = fc.constantFrom(
        'sent',
        'outage',
        'refused',
        'unanswered',
        'transient',
        'permanent',
        'quota',
        'rate-limited',
      );
      const step = fc.record({
        end,
        latencyMs: fc.nat(20_000),
        // Time passes: nothing, half a minute, or more than a circuit rests.
        afterSeconds: fc.constantFrom(0, 0, 0, 31, 61, 600),
        isReported: fc.constantFrom(true, true, true, true, false),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
          await deployment.reset();
          let record: SendRecord = NO_RECORD;
          let now = Date.now();
          for (const { end: kind, latencyMs, afterSeconds, isReported } of steps) {
            await shift(deployment, afterSeconds);
            now += afterSeconds * 1_000;
            const expected = admit(record.circuit, now);
            record = { ...record, circuit: expected.circuit };
            // Straight in SQL: only what the functions do is asked here.
            const [begun] = await deployment.sql`
              select email_function_begin('aws_ses', null, '', 30, false)->>'kind' as kind`;
            expect(begun?.kind).toBe(expected.admitted ? 'go' : 'circuit-open');
            if (begun?.kind !== 'go' || !isReported) continue;
            await deployment.sql`
              select email_function_finish('aws_ses', null, null, ${kind}, null, 'failed', ${latencyMs}, null)`;
            record = recordSend(record, { verdict: verdictOf(kind), latencyMs, error: 'failed' }, now);
          }
          const state = (await store.providers()).find(({ provider }) => provider === 'aws_ses');
          if (state === undefined) throw new Error('no state');
          const actual = state.record;
          expect(circuitStateAt(actual.circuit, Date.now())).toBe(circuitStateAt(record.circuit, now));
          expect({ ...actual.circuit, ...NO_TIMES }).toEqual({ ...record.circuit, ...NO_TIMES });
          for (const field of ['totalRequests', 'successfulRequests', 'consecutiveFailures', 'lastError'] as const) {
            expect([field, actual[field]]).toEqual([field, record[field]]);
          }
          const mine = standingOf(record, now);
          const theirs = standingOf(actual, Date.now());
          expect(Math.abs(theirs.healthScore - mine.healthScore)).toBeLessThanOrEqual(1);
          expect(theirs.observed).toBeCloseTo(mine.observed, 0);
          const [stored] = await deployment.sql`
            select health_score::int, circuit_state from email_provider_health_metrics where provider = 'aws_ses'`;
          if (stored !== undefined) expect(stored.circuit_state).toBe(actual.circuit.state);
        }),
        { numRuns: 100 },
      );
    });
  });

  describe('health', () => {
    test('checks are shared and keep to each provider’s own limits', async () => {
      const before = counts(deployment);
      await Promise.all(instances(6).map((each) => deployment.call(each, { action: 'health', mode: 'full' })));
      for (const each of instances(3)) await deployment.call(each, { action: 'health', mode: 'ping' });
      const made = counts(deployment).map((count, index) => count - (before[index] ?? 0));
      expect(made).toEqual([1, 1, 1, 1]);
      await deployment.sql`update email_provider_checks set claimed_at = claimed_at - interval '61 seconds'`;
      await deployment.call(deployment.instance(), { action: 'health', mode: 'full' });
      const later = counts(deployment).map((count, index) => count - (before[index] ?? 0));
      // Brevo's account may be read a hundred times an hour: every two minutes is enough.
      expect(later).toEqual([2, 1, 2, 2]);
    });

    test('sending and routing never check anything', async () => {
      const before = counts(deployment);
      await deployment.call(deployment.instance(), aSend());
      await deployment.call(deployment.instance(), { action: 'route', emailType: 'auth', forceRefresh: true });
      await deployment.call(deployment.instance(), { action: 'health', mode: 'status' });
      expect(counts(deployment)).toEqual(before);
    });

    test('an alert is announced once an hour by all instances together', async () => {
      deployment.stubs.brevo.answerChecks(DOWN);
      const answers = await Promise.all(
        instances(5).map((each) => deployment.call(each, { action: 'health', mode: 'full' })),
      );
      const later = await deployment.call(deployment.instance(), { action: 'health', mode: 'full' });
      const announced = [...answers, later].flatMap(({ body }) => body.alerts);
      expect(announced).toEqual([expect.stringMatching(/^CRITICAL: brevo is down: 503/)]);
      await deployment.sql`update email_function_alerts set announced_at = announced_at - interval '1 hour'`;
      const again = await deployment.call(deployment.instance(), { action: 'health', mode: 'full' });
      expect(again.body.alerts).toHaveLength(1);
      deployment.stubs.brevo.answerChecks(null);
    });

    test('quotas come from the provider where it tells them, and from our count where that is higher', async () => {
      await deployment.sql`
        insert into email_provider_quota (provider, date, emails_sent, daily_limit, monthly_limit)
        values ('brevo', (now() at time zone 'utc')::date, 55, 300, 9000), ('resend', (now() at time zone 'utc')::date, 7, 100, 3000)`;
      const { body } = await deployment.call(deployment.instance(), { action: 'health', mode: 'full' });
      expect(body.quotas).toMatchObject([
        { provider: 'resend', daily: { sent: 7, limit: 100 }, source: 'database' },
        { provider: 'brevo', daily: { sent: 55, limit: 300 }, monthly: { sent: 55, limit: 9000 }, source: 'api' },
        { provider: 'mailersend', daily: { sent: 0 }, source: 'database' },
        { provider: 'aws_ses', daily: { sent: 1_234, limit: 50_000 }, source: 'api' },
      ]);
    });

    test('a provider without a key is unconfigured and passed over, and asked nothing', async () => {
      const one = deployment.instance({ RESEND_API_KEY: undefined });
      const { body } = await deployment.call(one, { action: 'health', mode: 'full' });
      expect(body.providers[0]).toMatchObject({ status: 'unconfigured', configured: false, healthScore: 0 });
      expect(body.summary).toMatchObject({ configuredProviders: 3, healthyProviders: 3 });
      expect((await deployment.call(one, { action: 'route', emailType: 'auth' })).body.recommendation.provider).toBe(
        'brevo',
      );
      const sent = await deployment.call(one, aSend({ provider: 'resend' }));
      expect(sent).toMatchObject({ status: 500, body: { message: expect.stringContaining('not_configured') } });
    });
  });

  test('only the service role may call what the function calls, and read what it keeps', async () => {
    const names = await deployment.sql`
      select proname from pg_proc where pronamespace = 'public'::regnamespace
        and (proname like 'email\\_function\\_%' or proname like '%\\_email\\_provider')
        and (has_function_privilege('anon', oid, 'execute') or has_function_privilege('authenticated', oid, 'execute')
          or not prosecdef and proname not like '%score' or proconfig is null)`;
    expect(names.map(({ proname }) => proname)).toEqual([]);
    for (const table of [
      'email_idempotency',
      'email_provider_control',
      'email_provider_checks',
      'email_function_alerts',
    ]) {
      const [row] = await deployment.sql`
        select relrowsecurity as guarded, (select count(*)::int from pg_policy where polrelid = pg_class.oid) as doors
        from pg_class where relname = ${table}`;
      expect(row).toEqual({ guarded: true, doors: 0 });
    }
  });

  const connections: SupabaseConnection[] = [];
  afterAll(() => Promise.all(connections.map((connection) => connection.close())));
  function connect(): SupabaseConnection {
    const connection = connectSupabase({ url: deployment.rest.url, serviceRoleKey: deployment.rest.key });
    connections.push(connection);
    return connection;
  }
});

const SENT = { kind: 'sent', messageId: 'm', message: null, latencyMs: 10, usedUpUntilEpochMs: null } as const;
const NO_TIMES = { lastFailureAtEpochMs: 0, nextRetryAtEpochMs: 0, probeUntilEpochMs: 0 };

function counts({ stubs }: Deployment): number[] {
  return Object.values(stubs).map(({ checks }) => checks.length);
}

/** Lets time pass for what the function keeps, by moving it into the past. */
async function shift({ sql }: Deployment, seconds: number): Promise<void> {
  if (seconds === 0) return;
  const by = `${seconds} seconds`;
  await sql`update email_circuit_breaker_state set next_retry_time = next_retry_time - ${by}::interval,
    probe_until = probe_until - ${by}::interval, last_failure_time = last_failure_time - ${by}::interval`;
  await sql`update email_provider_health_metrics set weighed_at = weighed_at - ${by}::interval`;
}
