/** What the gateways say when what they talk to is slow, broken or somebody else. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createEmailFunction } from '../../src/data/email-function.ts';
import type { FaultError } from '../../src/data/fault.ts';
import { createOverview } from '../../src/data/overview.ts';
import { createQueue } from '../../src/data/queue.ts';
import { createQueueList } from '../../src/data/queue-list.ts';
import { createSchedules } from '../../src/data/schedules.ts';
import { connectSupabase } from '../../src/data/supabase.ts';
import type { Fault } from '../../src/domain/loaded.ts';
import { systemClock } from '../../src/domain/time.ts';
import {
  type AnsweringServer,
  cutOff,
  hang,
  hangInBody,
  html,
  json,
  type Responder,
  startAnsweringServer,
  truncated,
} from '../support/answering-server.ts';

const SECRET = 'secret-token';
const timeoutMs = 150;
let server: AnsweringServer;

beforeAll(async () => {
  server = await startAnsweringServer(hang);
});
afterAll(() => server[Symbol.asyncDispose]());

const systems = {
  'Postgres, a function': (signal?: AbortSignal) => {
    const { client } = connectSupabase({ url: server.url, serviceRoleKey: SECRET, timeoutMs });
    return createOverview(client, systemClock).read(signal);
  },
  'Postgres, a table': (signal?: AbortSignal) => {
    const { client } = connectSupabase({ url: server.url, serviceRoleKey: SECRET, timeoutMs });
    return createQueueList(client).list({}, signal);
  },
  'the email function': (signal?: AbortSignal) =>
    createEmailFunction({ url: server.url, serviceRoleKey: SECRET, timeoutMs }).health('full', signal),
  QStash: (signal?: AbortSignal) => createSchedules({ url: server.url, token: SECRET, timeoutMs }).read(signal),
};

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect((error as FaultError | null)?.name).toBe('FaultError');
  const { fault } = error as FaultError;
  for (const text of [fault.message, fault.remedy ?? '', (error as Error).message]) {
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('127.0.0.1');
    expect(text).not.toContain('anna@example.org');
    expect(text).not.toMatch(/[\n<]/);
  }
  expect(fault.message).toMatch(/^[A-Z].*\.$/);
  return fault;
}

describe.each(Object.entries(systems))('%s', (_name, read) => {
  afterEach(() => {
    server.answer = hang;
  });

  test.each<[string, Responder, Fault['code'][]]>([
    ['no answer', hang, ['timeout']],
    ['a body that never ends', hangInBody, ['timeout']],
    ['HTML with 200', html(200), ['protocol']],
    ['HTML with 502', html(502), ['unreachable']],
    ['HTML with 404', html(404), ['protocol']],
    ['truncated JSON', truncated, ['protocol']],
    ['a dropped connection', cutOff, ['unreachable', 'protocol']],
    ['401', json({ message: 'JWT of anna@example.org expired', error: 'no' }, 401), ['unauthorized']],
    ['429', json({ error: 'slow down' }, 429), ['rate-limited']],
    ['500', json({ error: 'boom' }, 500), ['unreachable']],
    ['JSON of another kind', json('hello'), ['protocol']],
    ['null', json(null), ['protocol']],
  ])('%s', async (_what, answer, codes) => {
    server.answer = answer;
    const started = performance.now();
    expect(codes).toContain((await faultOf(read())).code);
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  test('a cancelled read ends at once and says so', async () => {
    const controller = new AbortController();
    const reading = faultOf(read(controller.signal));
    const started = performance.now();
    controller.abort();
    expect((await reading).code).toBe('cancelled');
    expect(performance.now() - started).toBeLessThan(100);
  });
});

test('nobody listens', async () => {
  const gone = await startAnsweringServer(hang);
  await gone[Symbol.asyncDispose]();
  const { client } = connectSupabase({ url: gone.url, serviceRoleKey: SECRET });
  const email = createEmailFunction({ url: gone.url, serviceRoleKey: SECRET });
  for (const read of [
    () => createOverview(client, systemClock).read(),
    () => createQueueList(client).list(),
    () => email.route('chat'),
    () => createSchedules({ url: gone.url, token: SECRET }).read(),
  ]) {
    const fault = await faultOf(read());
    expect([fault.code, fault.message]).toEqual(['unreachable', expect.stringContaining('ECONNREFUSED')]);
  }
});

describe('Postgres', () => {
  const read = () => systems['Postgres, a function']();

  test.each<[string, number, string, Fault['code']]>([
    ['57014', 500, 'canceling statement due to statement timeout', 'timeout'],
    ['42501', 403, 'permission denied for function', 'unauthorized'],
    ['PGRST301', 401, 'JWT expired', 'unauthorized'],
    ['PGRST001', 503, 'Could not connect with the database', 'unreachable'],
    ['22023', 400, 'enqueue_emails: email 1 of anna@example.org is bad', 'protocol'],
  ])('the code %s', async (code, status, message, expected) => {
    server.answer = json({ code, message, details: 'anna@example.org', hint: null }, status);
    expect((await faultOf(read())).code).toBe(expected);
  });

  test('a query is sent once, also when the SDK would repeat it', async () => {
    const supabase = connectSupabase({ url: server.url, serviceRoleKey: SECRET, timeoutMs });
    server.answer = json({ message: 'overloaded' }, 503);
    const before = server.requests.length;
    await faultOf(createQueueList(supabase.client).list());
    expect(server.requests.length - before).toBe(1);
    expect(supabase.usage().requests).toBe(1);
  });

  test('after closing nothing is waited for', async () => {
    server.answer = hang;
    const supabase = connectSupabase({ url: server.url, serviceRoleKey: SECRET, timeoutMs: 60_000 });
    const pending = faultOf(createQueue(supabase.client).retry([]));
    await supabase.close();
    expect((await pending).code).toBe('cancelled');
    await supabase.close();
  });

  test('an overview of a later version is refused as a whole, a broken part of it skipped', async () => {
    const overview = {
      schemaVersion: 1,
      now: '2026-11-23T12:00:00+00:00',
      counts: { queued: 1, processing: 0, failed: 0, completed: '12' },
      ready: 1,
      oldestReadyAt: '2026-11-23 11:00:00.123456+00',
      waitingRetry: 0,
      nextRetryAt: null,
      expiredLeases: 0,
      lastCompletedAt: null,
      deadLetters: 0,
      unreviewedDeadLetters: 0,
      quotas: [{ provider: 'sendgrid', daySent: 1, dayLimit: 1, monthSent: 1, monthLimit: 1 }],
      deliveries24h: [{ provider: 'brevo', sent: 1, failed: 0, p95Ms: null }, { provider: 'brevo' }],
      throughput: [],
      later: true,
    };
    server.answer = json(overview);
    const read = await systems['Postgres, a function']();
    expect(read.overview).toMatchObject({
      counts: { completed: 12 },
      oldestReadyAtEpochMs: Date.parse('2026-11-23T11:00:00.123Z'),
      deliveries24h: [{ provider: 'brevo' }],
      skipped: 2,
    });
    expect(read.overview.quotas).toHaveLength(4);
    server.answer = json({ ...overview, counts: null });
    expect((await faultOf(systems['Postgres, a function']())).code).toBe('protocol');
  });
});

describe('the email function', () => {
  const email = {
    to: 'maria@example.org',
    subject: 'Hi',
    html: '<p>hi</p>',
    provider: 'brevo',
    idempotencyKey: 'row-1',
  } as const;
  const send = () => createEmailFunction({ url: server.url, serviceRoleKey: SECRET, timeoutMs }).send(email);

  test('a sent email', async () => {
    server.answer = json({ success: true, message: 'ok', provider: 'brevo', messageId: 'm-1', responseTime: 240 });
    expect(await send()).toEqual({ ok: true, messageId: 'm-1', provider: 'brevo', latencyMs: 240 });
    const request = server.requests.at(-1);
    expect([request?.method, request?.path, request?.headers.authorization]).toEqual([
      'POST',
      '/functions/v1/email',
      `Bearer ${SECRET}`,
    ]);
    expect(JSON.parse(request?.body ?? '')).toEqual({ action: 'send', ...email });
  });

  test('a refusal of the provider is an outcome, with its reason and how long to wait', async () => {
    const answer = {
      success: false,
      message: '550 maria@example.org\u001b[31m unknown\n',
      provider: 'brevo',
      responseTime: 90,
    };
    server.answer = json(answer, 500, { 'retry-after': '7' });
    expect(await send()).toEqual({
      ok: false,
      message: '550 m***@example.org unknown',
      provider: 'brevo',
      latencyMs: 90,
      status: 500,
      retryAfterMs: 7_000,
    });
  });

  test('a bad request is an outcome too: repeating it would not help', async () => {
    server.answer = json({ success: false, error: 'provider is missing', validProviders: [] }, 400);
    expect(await send()).toMatchObject({ ok: false, message: 'provider is missing', status: 400 });
  });

  test('an answer of somebody else leaves open whether it was sent, so it is a fault', async () => {
    server.answer = html(504);
    expect((await faultOf(send())).code).toBe('timeout');
    server.answer = json({ success: false, error: 'bad key' }, 401);
    expect((await faultOf(send())).code).toBe('unauthorized');
  });

  test('a date to come back at counts by the clock of the server', async () => {
    const headers = { date: 'Mon, 23 Nov 2020 12:00:00 GMT', 'retry-after': 'Mon, 23 Nov 2020 12:01:30 GMT' };
    server.answer = json({ success: false, message: 'slow down', provider: 'brevo' }, 500, headers);
    expect(await send()).toMatchObject({ ok: false, retryAfterMs: 90_000 });
  });

  test('a check that failed inside says why', async () => {
    server.answer = json({ success: false, error: 'database of anna@example.org is away' });
    const fault = await faultOf(systems['the email function']());
    expect(fault.message).toBe('The email function failed: database of a***@example.org is away.');
  });

  test('a recommendation', async () => {
    const recommendation = { provider: 'resend', reason: 'healthy', alternates: ['brevo'], health: [] };
    server.answer = json({ success: true, recommendation, cached: false, durationMs: 3 });
    const route = createEmailFunction({ url: server.url, serviceRoleKey: SECRET }).route('auth', {
      forceRefresh: true,
    });
    expect(await route).toMatchObject({ provider: 'resend', reason: 'healthy', alternates: ['brevo'] });
    expect(JSON.parse(server.requests.at(-1)?.body ?? '')).toEqual({
      action: 'route',
      emailType: 'auth',
      forceRefresh: true,
    });
  });
});

describe('QStash', () => {
  test('schedules and dead letters, malformed ones skipped', async () => {
    server.answer = (response, path) => {
      const schedules = [
        {
          scheduleId: 'email-queue-processor',
          cron: '*/2 * * * *',
          destination: 'https://example.org/api/email/worker/queue-processor',
          isPaused: true,
          lastScheduleTime: 1_795_435_200_000,
          nextScheduleTime: 1_795_435_320_000,
          lastScheduleStates: { msg_1: 'SUCCESS', msg_2: 'FAIL' },
        },
        { scheduleId: 'other', cron: '0 * * * *', destination: 'group' },
        { cron: 7 },
      ];
      json(path.startsWith('/v2/dlq') ? { messages: [{ dlqId: '1' }], cursor: 'more' } : schedules)(response, path);
    };
    const gateway = createSchedules({ url: server.url, token: SECRET });
    const overview = await gateway.read();
    expect(overview).toMatchObject({ deadLetters: 1, deadLettersTruncated: true, skipped: 1 });
    expect(overview.schedules).toEqual([
      {
        id: 'email-queue-processor',
        cron: '*/2 * * * *',
        destination: 'https://example.org/api/email/worker/queue-processor',
        isPaused: true,
        lastRunAtEpochMs: 1_795_435_200_000,
        nextRunAtEpochMs: 1_795_435_320_000,
        lastState: 'fail',
      },
      {
        id: 'other',
        cron: '0 * * * *',
        destination: 'group',
        isPaused: false,
        lastRunAtEpochMs: null,
        nextRunAtEpochMs: null,
        lastState: 'unknown',
      },
    ]);
    expect(gateway.usage().requests).toBe(2);
  });
});
