import { expect, test } from 'vitest';
import { type Answer, aSend, SERVICE_KEY, startFunction } from './setup.ts';

const PROVIDERS = ['resend', 'brevo', 'mailersend', 'aws_ses'];

interface Case {
  readonly name: string;
  readonly body: unknown;
  readonly status: number;
  readonly answer: Answer;
}

const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/);
const always = { requestId, version: expect.any(String) };
const without = (field: string) => {
  const body = aSend();
  delete body[field];
  return body;
};

const cases: readonly Case[] = [
  {
    name: 'a send is answered with provider, message id and time',
    body: aSend(),
    status: 200,
    answer: {
      success: true,
      message: expect.any(String),
      provider: 'resend',
      messageId: expect.any(String),
      responseTime: expect.any(Number),
    },
  },
  {
    name: 'a permanent failure is a 500 with its reason in message',
    body: aSend({ to: 'bounce@example.org' }),
    status: 500,
    answer: {
      success: false,
      message: expect.stringContaining('422'),
      provider: 'resend',
      responseTime: expect.any(Number),
    },
  },
  {
    name: 'an address that is none is refused by the provider',
    body: aSend({ to: 'ana example.org', provider: 'aws_ses' }),
    status: 500,
    answer: {
      success: false,
      message: expect.stringContaining('400'),
      provider: 'aws_ses',
      responseTime: expect.any(Number),
    },
  },
  {
    name: 'a send without a provider is a bad request that names the providers',
    body: without('provider'),
    status: 400,
    answer: { success: false, error: 'Missing required field: provider', validProviders: PROVIDERS },
  },
  {
    name: 'a send through an unknown provider is a bad request that names the providers',
    body: aSend({ provider: 'sendgrid' }),
    status: 400,
    answer: { success: false, error: 'Unknown provider', validProviders: PROVIDERS },
  },
  ...['to', 'subject', 'html'].map((field) => ({
    name: `a send without ${field} is a bad request`,
    body: without(field),
    status: 400,
    answer: { success: false, error: `Missing required fields: ${field}` },
  })),
  {
    name: 'an unknown action is a bad request',
    body: { action: 'dance' },
    status: 400,
    answer: {
      success: false,
      error: 'Unknown or missing action',
      validActions: ['send', 'route', 'health', 'process-queue'],
    },
  },
  {
    name: 'broken JSON is a bad request',
    body: '{"action":',
    status: 400,
    answer: { success: false, error: expect.stringContaining('Invalid JSON') },
  },
  {
    name: 'an unknown health mode is a bad request',
    body: { action: 'health', mode: 'deep' },
    status: 400,
    answer: { success: false, error: 'Invalid fields: mode' },
  },
  {
    name: 'route recommends the first choice of the type',
    body: { action: 'route', emailType: 'newsletter' },
    status: 200,
    answer: {
      success: true,
      recommendation: {
        provider: 'brevo',
        reason: expect.any(String),
        alternates: ['mailersend', 'aws_ses', 'resend'],
        health: expect.any(Array),
      },
      cached: false,
      durationMs: expect.any(Number),
    },
  },
  {
    name: 'process-queue is refused: it belongs to the deployed function',
    body: { action: 'process-queue' },
    status: 501,
    answer: { success: false, error: expect.stringContaining('process-queue') },
  },
];

test.each(cases)('$name', async ({ body, status, answer }) => {
  await using email = startFunction();
  const result = await email.call(body);
  expect(result.status).toBe(status);
  expect(result.body).toEqual({ ...answer, ...always });
});

test('a full health check answers every field of the contract', async () => {
  await using email = startFunction();
  await email.call(aSend());
  const { status, body } = await email.call({ action: 'health', mode: 'full' });
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    timestamp: '2026-11-23T12:00:00.000Z',
    providers: PROVIDERS.map((provider) => ({
      provider,
      status: 'ok',
      healthScore: 100,
      latencyMs: expect.any(Number),
      message: 'Operational.',
      configured: true,
      lastChecked: '2026-11-23T12:00:00.000Z',
    })),
    quotas: expect.arrayContaining([
      {
        provider: 'resend',
        daily: { sent: 1, limit: 100, remaining: 99, percentUsed: 1 },
        monthly: { sent: 1, limit: 3000, remaining: 2999, percentUsed: 0 },
        source: 'database',
      },
    ]),
    summary: {
      totalProviders: 4,
      healthyProviders: 4,
      configuredProviders: 4,
      daily: { totalSent: 1, totalLimit: 1000, totalRemaining: 999, percentUsed: 0.1 },
      monthly: { totalSent: 1, totalLimit: 86_000, totalRemaining: 85_999, percentUsed: 0 },
      bestProvider: 'resend',
    },
    healthMetrics: PROVIDERS.map((provider) => ({
      provider,
      healthScore: 100,
      successRate: 100,
      avgLatencyMs: expect.any(Number),
      totalRequests: provider === 'resend' ? 1 : 0,
      consecutiveFailures: 0,
      circuitState: 'closed',
    })),
    alerts: [],
    snapshotsTaken: 4,
    durationMs: expect.any(Number),
    ...always,
  });
});

test('a ping leaves out metrics and alerts', async () => {
  await using email = startFunction();
  const { body } = await email.call({ action: 'health', mode: 'ping' });
  expect(Object.keys(body)).not.toContain('healthMetrics');
  expect(Object.keys(body)).not.toContain('alerts');
  expect(body.providers).toHaveLength(4);
});

test.each([
  ['without a key', {}, 401],
  ['with a wrong bearer token', { authorization: 'Bearer wrong' }, 401],
  ['with the bearer token', { authorization: `Bearer ${SERVICE_KEY}` }, 200],
  ['with the apikey header alone', { apikey: SERVICE_KEY }, 200],
])('a call %s is answered accordingly', async (_, headers, status) => {
  await using email = startFunction();
  const request = new Request('http://127.0.0.1:1/', {
    method: 'POST',
    headers,
    body: JSON.stringify({ action: 'health', mode: 'status' }),
  });
  expect((await email.function.fetch(request)).status).toBe(status);
});

test('a CORS preflight needs no key', async () => {
  await using email = startFunction();
  const response = await email.function.fetch(new Request('http://127.0.0.1:1/', { method: 'OPTIONS' }));
  expect(response.status).toBe(204);
  expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
});

test('the outbox and the providers are read and changed over the same authenticated HTTP', async () => {
  await using email = startFunction();
  await email.call(aSend({ idempotencyKey: 'k1' }));
  await email.call(aSend({ to: 'bounce@example.org' }));

  const newest = await email.request('GET', '/outbox?limit=1');
  expect(newest.body.attempts).toMatchObject([
    { at: '2026-11-23T12:00:00.000Z', to: 'bounce@example.org', outcome: 'failed', failure: 'permanent' },
  ]);
  const summary = await email.request('GET', '/outbox/summary');
  expect(summary.body).toMatchObject({ attempts: 2, delivered: 1, failed: 1, repeats: 0, doubled: 0, distinctKeys: 1 });

  const changed = await email.request('POST', '/providers/resend', { mode: 'outage' });
  expect(changed.body).toMatchObject({ mode: 'outage', dailyLimit: 100 });
  expect((await email.call(aSend())).body.message).toContain('503');
  expect((await email.request('DELETE', '/providers/resend')).body).toMatchObject({ mode: 'ok' });
  expect((await email.call(aSend())).status).toBe(200);

  expect((await email.request('POST', '/providers/resend', { mode: 'sleepy' })).status).toBe(400);
  expect((await email.request('POST', '/providers/nobody', {})).status).toBe(400);
  expect((await email.request('GET', '/outbox?since=yesterday')).status).toBe(400);
  expect((await email.request('GET', '/nothing')).status).toBe(404);
});
