import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/sandbox/random.ts';
import { aSend, startFunction } from './setup.ts';

const ORDINARY = { providers: {} };

async function fates(seed: string, count: number) {
  await using email = startFunction({
    ...ORDINARY,
    seed,
    providers: { resend: { failureRate: 0.2, dailyLimit: 9_999 } },
  });
  for (let n = 0; n < count; n++) await email.call(aSend());
  return email.function.outbox
    .list({ limit: count })
    .map(({ outcome, latencyMs, message }) => ({ outcome, latencyMs, message }));
}

test('the same seed gives the same latencies and failures', async () => {
  const first = await fates('seven', 60);
  expect(await fates('seven', 60)).toEqual(first);
  expect(first.some(({ outcome }) => outcome === 'failed')).toBe(true);
  expect(await fates('eight', 60)).not.toEqual(first);
});

test('a restart goes on where the seed was, it does not repeat what was drawn', async () => {
  await using email = startFunction(ORDINARY);
  for (let n = 0; n < 20; n++) await email.call(aSend());
  await email.restart();
  for (let n = 0; n < 20; n++) await email.call(aSend());
  await using uninterrupted = startFunction(ORDINARY);
  for (let n = 0; n < 40; n++) await uninterrupted.call(aSend());
  const latencies = (from: typeof email) => from.function.outbox.list().map(({ latencyMs }) => latencyMs);
  expect(latencies(email)).toEqual(latencies(uninterrupted));
});

test('latencies have the median and the 99th percentile that were asked for', () => {
  const draws = Array.from({ length: 20_000 }, (_, n) => seededRandom(`law/${n}`).logNormal(200, 900)).sort(
    (a, b) => a - b,
  );
  expect(draws[10_000]).toBeGreaterThan(190);
  expect(draws[10_000]).toBeLessThan(210);
  expect(draws[19_800]).toBeGreaterThan(800);
  expect(draws[19_800]).toBeLessThan(1_000);
  expect(seededRandom('constant').logNormal(300, 300)).toBe(300);
});

test('five failures in a row open the circuit, which shows in health and routing; three probes that succeed close it', async () => {
  await using email = startFunction();
  email.function.providers.set('resend', { mode: 'flaky', failureRate: 1 });
  for (let n = 0; n < 5; n++) expect((await email.call(aSend())).status).toBe(500);

  const failing = (await email.call({ action: 'health', mode: 'full' })).body;
  expect(failing.healthMetrics[0]).toMatchObject({ circuitState: 'open', consecutiveFailures: 5, successRate: 0 });
  expect(failing.providers[0].status).toBe('error');
  expect(failing.summary).toMatchObject({ healthyProviders: 3, bestProvider: 'brevo' });
  const routed = (await email.call({ action: 'route', emailType: 'auth' })).body.recommendation;
  expect(routed).toMatchObject({ provider: 'brevo', alternates: ['mailersend', 'aws_ses'] });
  expect(routed.reason).toContain('resend has an open circuit');

  email.clock.advance(61_000);
  const later = (await email.call({ action: 'health', mode: 'full' })).body;
  expect(later.healthMetrics[0].circuitState).toBe('half-open');
  email.function.providers.set('resend', { mode: 'ok' });
  expect((await email.call(aSend())).status).toBe(200);
  const probing = (await email.call({ action: 'health', mode: 'status' })).body.healthMetrics[0];
  expect(probing.circuitState).toBe('half-open');
  for (let n = 0; n < 2; n++) expect((await email.call(aSend())).status).toBe(200);
  expect((await email.call({ action: 'health', mode: 'full' })).body.healthMetrics[0]).toMatchObject({
    circuitState: 'closed',
    consecutiveFailures: 0,
    totalRequests: 8,
  });
});

test('what health knows survives a restart', async () => {
  await using email = startFunction();
  email.function.providers.set('brevo', { mode: 'outage' });
  for (let n = 0; n < 6; n++) await email.call(aSend({ provider: 'brevo' }));
  await email.restart();
  const metrics = (await email.call({ action: 'health', mode: 'status' })).body.healthMetrics[1];
  // The sixth met an open circuit: the provider was not asked any more.
  expect(metrics).toMatchObject({ provider: 'brevo', consecutiveFailures: 5, circuitState: 'open' });
  expect(email.function.outbox.list({ limit: 1 })).toMatchObject([{ failure: 'not-asked', outcome: 'failed' }]);
});

test('a bad address says nothing about the provider', async () => {
  await using email = startFunction();
  for (let n = 0; n < 8; n++) await email.call(aSend({ to: 'bounce+8@example.org' }));
  const { body } = await email.call({ action: 'health', mode: 'status' });
  expect(body.healthMetrics[0]).toMatchObject({ healthScore: 100, consecutiveFailures: 0 });
});

test('an alert is announced once an hour, also across a restart, and asking for the status announces nothing', async () => {
  await using email = startFunction();
  const alerts = async (mode: string) => (await email.call({ action: 'health', mode })).body.alerts;
  email.function.providers.set('resend', { mode: 'outage' });
  const critical = [expect.stringMatching(/^CRITICAL: resend is down: 503/)];
  expect(await alerts('status')).toEqual(critical);
  expect(await alerts('full')).toEqual(critical);
  expect(await alerts('full')).toEqual([]);
  await email.restart();
  email.function.providers.set('resend', { mode: 'outage' });
  email.clock.advance(3_599_999);
  expect(await alerts('full')).toEqual([]);
  email.clock.advance(1);
  expect(await alerts('full')).toEqual(critical);
});

test('with every provider down, nothing is recommended and the alert says so', async () => {
  await using email = startFunction();
  for (const name of ['resend', 'brevo', 'mailersend', 'aws_ses'] as const) {
    email.function.providers.set(name, { mode: 'outage' });
  }
  const { body } = await email.call({ action: 'route', emailType: 'chat', forceRefresh: true });
  expect(body.recommendation).toMatchObject({ provider: null, alternates: [] });
  const health = (await email.call({ action: 'health', mode: 'full' })).body;
  expect(health.alerts[0]).toMatch(/^CRITICAL: No email provider can send/);
  expect(health.summary.bestProvider).toBeNull();
});

test('a recommendation is remembered for a while, and asked anew on demand', async () => {
  await using email = startFunction();
  const route = async (forceRefresh: boolean) =>
    (await email.call({ action: 'route', emailType: 'auth', forceRefresh })).body;
  expect(await route(false)).toMatchObject({ cached: false, recommendation: { provider: 'resend' } });
  email.function.providers.set('resend', { mode: 'outage' });
  expect(await route(false)).toMatchObject({ cached: true, recommendation: { provider: 'resend' } });
  expect(await route(true)).toMatchObject({ cached: false, recommendation: { provider: 'brevo' } });
});

test('a silent provider gives no answer until the caller leaves; a mute one has sent all the same', async () => {
  const untilAborted = (_: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  await using email = startFunction({
    wait: (ms, signal) => (ms >= 100_000 ? untilAborted(ms, signal) : Promise.resolve()),
  });
  for (const [mode, delivered] of [
    ['hang', 0],
    ['mute', 1],
  ] as const) {
    email.function.providers.set('resend', { mode });
    const caller = new AbortController();
    const answer = email.function.fetch(
      new Request('http://127.0.0.1:1/functions/v1/email', {
        method: 'POST',
        headers: { apikey: 'sb_secret_test' },
        body: JSON.stringify(aSend()),
        signal: caller.signal,
      }),
    );
    await expect.poll(() => email.function.outbox.summary().attempts).toBeGreaterThan(delivered);
    caller.abort();
    expect((await answer).status).toBe(504);
    expect(email.function.outbox.summary().delivered).toBe(delivered);
  }
});

test('stopping ends what still waits', async () => {
  await using email = startFunction({ wait: undefined as never });
  email.function.providers.set('resend', { mode: 'hang' });
  const answer = email.call(aSend());
  await expect.poll(() => email.function.outbox.summary().attempts).toBe(1);
  await email.function.stop();
  expect((await answer).status).toBe(504);
});

test('a rate limit refuses what comes too fast within a second', async () => {
  await using email = startFunction();
  email.function.providers.set('resend', { ratePerSecond: 5 });
  const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await email.call(aSend())).status));
  expect(statuses.filter((status) => status === 200)).toHaveLength(5);
  email.clock.advance(1_000);
  expect((await email.call(aSend())).status).toBe(200);
});
